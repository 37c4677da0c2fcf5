//! Deals and tasks for the wire.

use jiff::{Timestamp, civil::Date};
use prost::Message;
use prost_types::Timestamp as WireTime;
use upswell_proto::{
    gtype,
    renewals::v1::{
        AdvanceDealResponse, CloseDealResponse, CompleteTaskResponse, Deal as WireDeal, LossReason as WireLoss,
        MoveStagesResponse, RecordNoticeResponse, RenewalTerms as WireTerms, SetRenewalTermsResponse,
        StageEntry as WireEntry, StagePlan, Task as WireTask,
        deal::{Shift as WireShift, Stage as WireStage},
        loss_reason::Category as WireCategory,
        task::State as WireState,
    },
};
use upswell_runtime::money::to_proto;

use crate::{
    domain::{
        deal::{Deal, LossCategory, LossReason, StageEntry},
        schedule::{Schedule, Shift},
        stage::Stage,
        task::{Task, TaskState},
    },
    store::{ListedDeal, ListedTask},
};

pub(super) fn advanced(listed: ListedDeal) -> Vec<u8> {
    AdvanceDealResponse {
        deal: Some(deal(listed)),
    }
    .encode_to_vec()
}

pub(super) fn closed(listed: ListedDeal) -> Vec<u8> {
    CloseDealResponse {
        deal: Some(deal(listed)),
    }
    .encode_to_vec()
}

pub(super) fn moved(listed: ListedDeal) -> Vec<u8> {
    MoveStagesResponse {
        deal: Some(deal(listed)),
    }
    .encode_to_vec()
}

pub(super) fn terms_set(listed: ListedDeal) -> Vec<u8> {
    SetRenewalTermsResponse {
        deal: Some(deal(listed)),
    }
    .encode_to_vec()
}

pub(super) fn notice_recorded(listed: ListedDeal) -> Vec<u8> {
    RecordNoticeResponse {
        deal: Some(deal(listed)),
    }
    .encode_to_vec()
}

pub(super) fn completed(listed: ListedTask) -> Vec<u8> {
    CompleteTaskResponse {
        task: Some(task(listed)),
    }
    .encode_to_vec()
}

pub(super) fn deal(listed: ListedDeal) -> WireDeal {
    let ListedDeal {
        account_id,
        subscription_id,
        deal,
    } = listed;
    let etag = deal.etag();
    let (schedule, notice_on) = (deal.schedule(), deal.notice_on());
    let Deal {
        deal_id,
        account_id: _,
        number: _,
        renewal_on,
        term_from,
        known_on: _,
        anchor_on: _,
        shift,
        moved,
        terms,
        notice_given_on,
        stage,
        stage_at,
        owner_id,
        mrr,
        add_ons,
        segment,
        health,
        at_risk,
        loss,
        history,
        version: _,
        stated: _,
    } = deal;
    WireDeal {
        deal_id: deal_id.to_string(),
        account_id,
        subscription_id,
        renewal_date: Some(wire_date(renewal_on)),
        stage: wire_stage(stage).into(),
        owner_id,
        mrr: Some(to_proto(mrr)),
        at_risk: Some(to_proto(at_risk)),
        loss_reason: loss.map(wire_loss),
        stage_time: Some(wire_time(stage_at)),
        history: history.into_iter().map(entry).collect(),
        etag,
        plan: plan(&schedule),
        shift: wire_shift(shift).into(),
        shift_reason: moved.map(|moved| moved.reason).unwrap_or_default(),
        terms: Some(WireTerms {
            auto_renew: terms.auto_renew,
            notice_days: terms.notice_days,
            term_months: terms.term_months,
        }),
        notice_date: notice_on.map(wire_date),
        notice_given_date: notice_given_on.map(wire_date),
        co_terminating_mrr: Some(to_proto(add_ons)),
        segment,
        health,
        term_start_date: Some(wire_date(term_from)),
    }
}

/// The stages of work; one that a person's word left no day is absent.
fn plan(schedule: &Schedule) -> Vec<StagePlan> {
    let stages = Stage::ALL.iter().copied().filter(|stage| stage.is_for_people());
    let plan = |stage| StagePlan {
        stage: wire_stage(stage).into(),
        open_date: Some(wire_date(schedule.opens(stage))),
        end_date: Some(wire_date(schedule.ends(stage))),
    };
    stages
        .filter(|stage| schedule.opens(*stage) <= schedule.ends(*stage))
        .map(plan)
        .collect()
}

fn wire_shift(shift: Shift) -> WireShift {
    match shift {
        Shift::None => WireShift::Unspecified,
        Shift::Season => WireShift::Season,
        Shift::Notice => WireShift::Notice,
        Shift::Person => WireShift::Person,
    }
}

pub(super) fn task(listed: ListedTask) -> WireTask {
    let ListedTask {
        account_id,
        task,
        alert,
    } = listed;
    let etag = task.etag();
    let (alert_level, alerted_id) = alert.unwrap_or_default();
    let Task {
        task_id,
        subject_id,
        kind,
        assignee_id,
        due_on,
        state,
        completed_at,
        version: _,
    } = task;
    let (deal_id, subject_id) = match kind.stage() {
        Some(_) => (subject_id.to_string(), String::new()),
        None => (String::new(), subject_id.to_string()),
    };
    WireTask {
        task_id: task_id.to_string(),
        deal_id,
        account_id,
        kind: kind.to_string(),
        assignee_id,
        due_date: Some(wire_date(due_on)),
        state: wire_state(state).into(),
        complete_time: completed_at.map(wire_time),
        subject_id,
        etag,
        alerted_id,
        alert_level,
    }
}

fn entry(entry: StageEntry) -> WireEntry {
    let StageEntry {
        stage,
        entered_at,
        actor,
    } = entry;
    WireEntry {
        stage: wire_stage(stage).into(),
        enter_time: Some(wire_time(entered_at)),
        actor,
    }
}

fn wire_loss(reason: LossReason) -> WireLoss {
    let LossReason {
        category,
        detail,
        competitor,
        integration,
    } = reason;
    WireLoss {
        category: wire_category(category).into(),
        detail,
        competitor,
        missing_integration: integration,
    }
}

fn wire_stage(stage: Stage) -> WireStage {
    match stage {
        Stage::Scheduled => WireStage::Scheduled,
        Stage::Preparation => WireStage::Preparation,
        Stage::Initiation => WireStage::Initiation,
        Stage::Negotiation => WireStage::Negotiation,
        Stage::Agreement => WireStage::Agreement,
        Stage::LastMile => WireStage::LastMile,
        Stage::Lapsed => WireStage::Lapsed,
        Stage::Renewed => WireStage::Renewed,
        Stage::Lost => WireStage::Lost,
    }
}

pub(super) fn wire_category(category: LossCategory) -> WireCategory {
    match category {
        LossCategory::Price => WireCategory::Price,
        LossCategory::MissingFeature => WireCategory::MissingFeature,
        LossCategory::MissingIntegration => WireCategory::MissingIntegration,
        LossCategory::LowAdoption => WireCategory::LowAdoption,
        LossCategory::Service => WireCategory::Service,
        LossCategory::Competitor => WireCategory::Competitor,
        LossCategory::NoNeed => WireCategory::NoNeed,
        LossCategory::Other => WireCategory::Other,
    }
}

fn wire_state(state: TaskState) -> WireState {
    match state {
        TaskState::Open => WireState::Open,
        TaskState::Overdue => WireState::Overdue,
        TaskState::Done => WireState::Done,
        TaskState::Cancelled => WireState::Cancelled,
    }
}

pub(super) fn wire_date(date: Date) -> gtype::Date {
    gtype::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

pub(super) fn wire_time(instant: Timestamp) -> WireTime {
    let micros = instant.as_microsecond();
    // The remainder is below 10⁹, so the cast cannot truncate.
    WireTime {
        seconds: micros.div_euclid(1_000_000),
        nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
    }
}
