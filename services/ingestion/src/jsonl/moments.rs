//! The bodies of fact lines that say *why now*, key by key.

use upswell_proto::ingestion::v1 as pb;

use super::object::Object;
use crate::domain::words::{ActionKind, CompanyEventKind, ComplaintKind, CostKind, LeaveKind, ReportKind, TrialState};

pub(super) fn plan_limit(o: &mut Object<'_>) -> pb::PlanLimit {
    pb::PlanLimit {
        metric: o.text("metric"),
        value: o.maybe_count("value"),
        standing: o.flag("standing"),
    }
}

pub(super) fn trial(o: &mut Object<'_>) -> pb::Trial {
    pb::Trial {
        trial_id: o.text("trial_id"),
        product: o.text("product"),
        start_date: o.day("start"),
        end_date: o.day("end"),
        state: o.word("state", TrialState::from_word),
    }
}

pub(super) fn trial_use(o: &mut Object<'_>) -> pb::TrialUse {
    pb::TrialUse {
        feature: o.text("feature"),
        day: o.day("day"),
        users: o.count("users"),
        uses: o.count("uses"),
    }
}

pub(super) fn export(o: &mut Object<'_>) -> pb::ExportCount {
    pb::ExportCount {
        tool: o.text("tool"),
        day: o.day("day"),
        exports: o.count("exports"),
    }
}

pub(super) fn action(o: &mut Object<'_>) -> pb::ProductAction {
    pb::ProductAction {
        kind: o.word("kind", ActionKind::from_word),
        subject: o.optional_text("subject"),
        contact_id: o.optional_text("contact_id"),
        note: o.optional_text("note"),
    }
}

pub(super) fn complaint(o: &mut Object<'_>) -> pb::Complaint {
    pb::Complaint {
        kind: o.word("kind", ComplaintKind::from_word),
        subject: o.optional_text("subject"),
        contact_id: o.optional_text("contact_id"),
        note: o.optional_text("note"),
    }
}

pub(super) fn goal(o: &mut Object<'_>) -> pb::Goal {
    pb::Goal {
        goal_id: o.text("goal_id"),
        title: o.text("title"),
        target_date: o.optional_day("target"),
        reach_date: o.optional_day("reached"),
    }
}

pub(super) fn company_event(o: &mut Object<'_>) -> pb::CompanyEvent {
    pb::CompanyEvent {
        kind: o.word("kind", CompanyEventKind::from_word),
        area: o.optional_text("area"),
        head_count_before: o.optional_count("head_count_before", 0),
        head_count: o.optional_count("head_count", 0),
        amount: o.optional_money("amount"),
        note: o.optional_text("note"),
    }
}

pub(super) fn cost(o: &mut Object<'_>) -> pb::Cost {
    pb::Cost {
        kind: o.word("kind", CostKind::from_word),
        amount: o.money("amount"),
        start_date: o.day("start"),
        end_date: o.day("end"),
    }
}

pub(super) fn leave_attempt(o: &mut Object<'_>) -> pb::LeaveAttempt {
    pb::LeaveAttempt {
        kind: o.word("kind", LeaveKind::from_word),
        reason: o.optional_text("reason"),
        note: o.optional_text("note"),
        product: o.optional_text("product"),
        contact_id: o.optional_text("contact_id"),
    }
}

pub(super) fn csm_report(o: &mut Object<'_>) -> pb::CsmReport {
    pb::CsmReport {
        kind: o.word("kind", ReportKind::from_word),
        csm_id: o.text("csm_id"),
        subject: o.optional_text("subject"),
        note: o.optional_text("note"),
    }
}
