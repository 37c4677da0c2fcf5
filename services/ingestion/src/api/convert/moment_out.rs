//! Bodies that say *why now*, from the domain to the wire.

use upswell_proto::ingestion::v1::{self as pb, fact::Body as PbBody};
use upswell_runtime::money;

use super::{out::day, words::Word as _};
use crate::domain::moment::{
    CompanyEvent, Complaint, Cost, CsmReport, ExportCount, Goal, LeaveAttempt, PlanLimit, ProductAction, Trial,
    TrialUse,
};

pub(super) fn plan_limit(limit: &PlanLimit) -> PbBody {
    let PlanLimit {
        metric,
        value,
        standing,
    } = limit.clone();
    PbBody::PlanLimit(pb::PlanLimit {
        metric,
        value,
        standing,
    })
}

pub(super) fn trial(trial: &Trial) -> PbBody {
    let Trial {
        trial_id,
        product,
        start_date,
        end_date,
        state,
    } = trial.clone();
    PbBody::Trial(pb::Trial {
        trial_id,
        product,
        start_date: Some(day(start_date)),
        end_date: Some(day(end_date)),
        state: state.to_wire(),
    })
}

pub(super) fn trial_use(used: &TrialUse) -> PbBody {
    let TrialUse {
        feature,
        day: on,
        users,
        uses,
    } = used.clone();
    PbBody::TrialUse(pb::TrialUse {
        feature,
        day: Some(day(on)),
        users,
        uses,
    })
}

pub(super) fn export(export: &ExportCount) -> PbBody {
    let ExportCount { tool, day: on, exports } = export.clone();
    PbBody::Export(pb::ExportCount {
        tool,
        day: Some(day(on)),
        exports,
    })
}

pub(super) fn action(action: &ProductAction) -> PbBody {
    let ProductAction {
        kind,
        subject,
        contact_id,
        note,
    } = action.clone();
    PbBody::Action(pb::ProductAction {
        kind: kind.to_wire(),
        subject,
        contact_id,
        note,
    })
}

pub(super) fn complaint(complaint: &Complaint) -> PbBody {
    let Complaint {
        kind,
        subject,
        contact_id,
        note,
    } = complaint.clone();
    PbBody::Complaint(pb::Complaint {
        kind: kind.to_wire(),
        subject,
        contact_id,
        note,
    })
}

pub(super) fn goal(goal: &Goal) -> PbBody {
    let Goal {
        goal_id,
        title,
        target_date,
        reach_date,
    } = goal.clone();
    PbBody::Goal(pb::Goal {
        goal_id,
        title,
        target_date: target_date.map(day),
        reach_date: reach_date.map(day),
    })
}

pub(super) fn company_event(event: &CompanyEvent) -> PbBody {
    let CompanyEvent {
        kind,
        area,
        head_count_before,
        head_count,
        amount,
        note,
    } = event.clone();
    PbBody::CompanyEvent(pb::CompanyEvent {
        kind: kind.to_wire(),
        area,
        head_count_before,
        head_count,
        amount: amount.map(money::to_proto),
        note,
    })
}

pub(super) fn cost(cost: &Cost) -> PbBody {
    let Cost {
        kind,
        amount,
        start_date,
        end_date,
    } = cost.clone();
    PbBody::Cost(pb::Cost {
        kind: kind.to_wire(),
        amount: Some(money::to_proto(amount)),
        start_date: Some(day(start_date)),
        end_date: Some(day(end_date)),
    })
}

pub(super) fn leave_attempt(attempt: &LeaveAttempt) -> PbBody {
    let LeaveAttempt {
        kind,
        reason,
        note,
        product,
        contact_id,
    } = attempt.clone();
    PbBody::LeaveAttempt(pb::LeaveAttempt {
        kind: kind.to_wire(),
        reason,
        note,
        product,
        contact_id,
    })
}

pub(super) fn csm_report(report: &CsmReport) -> PbBody {
    let CsmReport {
        kind,
        csm_id,
        subject,
        note,
    } = report.clone();
    PbBody::CsmReport(pb::CsmReport {
        kind: kind.to_wire(),
        csm_id,
        subject,
        note,
    })
}
