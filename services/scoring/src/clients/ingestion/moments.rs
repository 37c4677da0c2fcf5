//! Facts of one instant, and states that are none of the picture's lists.

use jiff::{Timestamp, tz::TimeZone};
use upswell_proto::ingestion::v1::{
    CompanyEvent, ContactProfile, Fact, company_event, complaint, csm_report, fact::Body, leave_attempt,
    product_action, trial,
};
use upswell_proto::vocabulary::v1::ContactRole;

use super::{read_date, read_time};
use crate::domain::facts::{Facts, Happening, People, PlanLimit, Trial, What};

/// Adds a fact to what is known; kinds that scoring does not read are left out.
pub(super) fn read_moment(wire: Fact, zone: &TimeZone, facts: &mut Facts) {
    let (Some(at), Some(body)) = (read_time(wire.occur_time), wire.body) else {
        return;
    };
    match body {
        Body::PlanLimit(limit) => facts.plan_limits.push(PlanLimit {
            metric: limit.metric,
            value: limit.value,
            standing: limit.standing,
            at,
        }),
        Body::Trial(trial) => facts.trials.extend(read_trial(trial)),
        body => facts.happenings.extend(happening(body, at, zone)),
    }
}

fn read_trial(wire: upswell_proto::ingestion::v1::Trial) -> Option<Trial> {
    Some(Trial {
        is_running: wire.state() == trial::State::Running,
        start: read_date(wire.start_date)?,
        end: read_date(wire.end_date)?,
        product: wire.product,
    })
}

fn happening(body: Body, at: Timestamp, zone: &TimeZone) -> Option<Happening> {
    let (what, subject) = match &body {
        Body::Action(action) => (action_kind(action.kind())?, action.subject.clone()),
        Body::Complaint(complaint) => (complaint_kind(complaint.kind())?, complaint.subject.clone()),
        Body::Goal(goal) => {
            // A goal happens on the day it was reached, whenever that was told.
            let reached = read_date(goal.reach_date)?;
            let at = zone
                .to_timestamp(reached.to_datetime(jiff::civil::Time::midnight()))
                .ok()?;
            return Some(Happening {
                what: What::GoalReached,
                subject: goal.goal_id.clone(),
                at,
                percent: None,
                by: String::new(),
            });
        }
        Body::CompanyEvent(event) => (company_kind(event.kind())?, event.area.clone()),
        Body::LeaveAttempt(attempt) => (leave_kind(attempt.kind())?, attempt.reason.clone()),
        Body::CsmReport(report) => (report_kind(report.kind())?, report.subject.clone()),
        _ => return None,
    };
    let percent = match &body {
        Body::CompanyEvent(event) => head_percent(event),
        _ => None,
    };
    let by = match body {
        Body::CsmReport(report) => report.csm_id,
        _ => String::new(),
    };
    Some(Happening {
        what,
        subject,
        at,
        percent,
        by,
    })
}

/// Growth of the head count; `None` where one of the two numbers is unknown.
fn head_percent(event: &CompanyEvent) -> Option<f64> {
    let (before, after) = (event.head_count_before, event.head_count);
    (before > 0 && after > 0).then(|| (i128::from(after - before) * 100) as f64 / before as f64)
}

fn action_kind(kind: product_action::Kind) -> Option<What> {
    match kind {
        product_action::Kind::Unspecified => None,
        product_action::Kind::LockedAction => Some(What::LockedAction),
        product_action::Kind::UpgradeView => Some(What::UpgradeView),
        product_action::Kind::Webinar => Some(What::Webinar),
        product_action::Kind::FeatureRequest => Some(What::FeatureRequest),
        product_action::Kind::PlanQuestion => Some(What::PlanQuestion),
        product_action::Kind::ProofRequest => Some(What::ProofRequest),
        product_action::Kind::SharedLogin => Some(What::SharedLogin),
    }
}

fn complaint_kind(kind: complaint::Kind) -> Option<What> {
    match kind {
        complaint::Kind::DuplicatedWork => Some(What::DuplicatedWork),
        complaint::Kind::MissingIntegration => Some(What::MissingIntegration),
        // Complaints about pressure are the guard's (C-15).
        complaint::Kind::Unspecified | complaint::Kind::Pressure | complaint::Kind::Other => None,
    }
}

fn company_kind(kind: company_event::Kind) -> Option<What> {
    match kind {
        company_event::Kind::Unspecified => None,
        company_event::Kind::Hiring => Some(What::Hiring),
        company_event::Kind::Branch => Some(What::Branch),
        company_event::Kind::Funding => Some(What::Funding),
        company_event::Kind::NewMarket => Some(What::NewMarket),
        company_event::Kind::Team => Some(What::Team),
        company_event::Kind::Project => Some(What::Project),
    }
}

fn leave_kind(kind: leave_attempt::Kind) -> Option<What> {
    match kind {
        leave_attempt::Kind::Unspecified => None,
        leave_attempt::Kind::Downgrade => Some(What::Downgrade),
        leave_attempt::Kind::Cancel => Some(What::Cancel),
    }
}

fn report_kind(kind: csm_report::Kind) -> Option<What> {
    match kind {
        csm_report::Kind::Unspecified => None,
        csm_report::Kind::ManualWork => Some(What::ManualWork),
        csm_report::Kind::BudgetPlanning => Some(What::BudgetPlanning),
        csm_report::Kind::Opportunity => Some(What::Opportunity),
    }
}

/// `None` while no contact is known: then nobody can say who is missing.
pub(super) fn read_people(contacts: &[ContactProfile]) -> Option<People> {
    (!contacts.is_empty()).then(|| People {
        has_budget_holder: contacts.iter().any(|contact| contact.budget_holder),
        has_champion: contacts.iter().any(|contact| contact.champion),
        has_sponsor: contacts.iter().any(|contact| contact.role() == ContactRole::Executive),
    })
}
