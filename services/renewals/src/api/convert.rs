//! Requests and common values between the wire and the domain. Every violation of a request is told.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use prost_types::Timestamp as WireTime;
use serde::{Serialize, de::DeserializeOwned};
use upswell_proto::{
    gtype,
    renewals::v1::{
        AdvanceDealRequest, CloseDealRequest, CompleteTaskRequest, GetDealRequest, ListDealsRequest, ListTasksRequest,
        LossReason as WireLoss, deal::Stage as WireStage, loss_reason::Category as WireCategory,
    },
};
use upswell_runtime::{
    paging,
    problem::{Problem, Violations},
    requests, text,
};
use uuid::Uuid;

use crate::{
    app::{Advance, Close, Complete, Once},
    domain::{
        deal::{LossCategory, LossReason},
        stage::Stage,
    },
    store::{DealFilter, DealKey, TaskFilter, TaskKey},
};

const ADVANCE_DEAL: &str = "AdvanceDeal";
const CLOSE_DEAL: &str = "CloseDeal";
const COMPLETE_TASK: &str = "CompleteTask";
const LIST_DEALS: &str = "ListDeals";
const LIST_TASKS: &str = "ListTasks";

/// Characters of the customer's words, and of a competitor's name.
const DETAIL_MAX: usize = 1_000;
const COMPETITOR_MAX: usize = 200;

pub(super) fn get_deal(wire: GetDealRequest) -> Result<Uuid, Problem> {
    let GetDealRequest { deal_id } = wire;
    let mut violations = Violations::new();
    let id = uuid("deal_id", &deal_id, &mut violations);
    settled(id, violations)
}

pub(super) fn advance(mut wire: AdvanceDealRequest, actor: String) -> Result<(Once, Advance), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let wire_stage = wire.stage();
    let AdvanceDealRequest {
        deal_id,
        stage: _,
        etag,
        request_id: _,
    } = wire;
    let mut violations = Violations::new();
    let once = once(ADVANCE_DEAL, request_id, fingerprint, &mut violations);
    let deal_id = uuid("deal_id", &deal_id, &mut violations);
    let stage = enterable(wire_stage);
    if stage.is_none() {
        violations.add("stage", "must be one that people enter: PREPARATION to LAST_MILE");
    }
    filled("etag", &etag, &mut violations);
    let ready = deal_id.zip(stage).map(|(deal_id, stage)| Advance {
        deal_id,
        stage,
        etag,
        actor,
    });
    Ok((once, settled(ready, violations)?))
}

pub(super) fn close(mut wire: CloseDealRequest, actor: String) -> Result<(Once, Close), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let CloseDealRequest {
        deal_id,
        renewed,
        loss_reason,
        etag,
        request_id: _,
    } = wire;
    let mut violations = Violations::new();
    let once = once(CLOSE_DEAL, request_id, fingerprint, &mut violations);
    let deal_id = uuid("deal_id", &deal_id, &mut violations);
    let loss = match (renewed, loss_reason) {
        (true, Some(_)) => {
            violations.add("loss_reason", "must not be set when the deal is renewed");
            None
        }
        (true, None) => Some(None),
        (false, None) => {
            violations.add("loss_reason", "is required when the deal is lost");
            None
        }
        (false, Some(reason)) => violations
            .at("loss_reason", |violations| loss(reason, violations))
            .map(Some),
    };
    filled("etag", &etag, &mut violations);
    let ready = deal_id.zip(loss).map(|(deal_id, loss)| Close {
        deal_id,
        loss,
        etag,
        actor,
    });
    Ok((once, settled(ready, violations)?))
}

pub(super) fn complete(mut wire: CompleteTaskRequest) -> Result<(Once, Complete), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let CompleteTaskRequest { task_id, request_id: _ } = wire;
    let mut violations = Violations::new();
    let once = once(COMPLETE_TASK, request_id, fingerprint, &mut violations);
    let task_id = uuid("task_id", &task_id, &mut violations);
    Ok((once, settled(task_id.map(|task_id| Complete { task_id }), violations)?))
}

/// A page of the list of deals.
pub(super) struct DealList {
    pub(super) filter: DealFilter,
    pub(super) after: Option<DealKey>,
    pub(super) size: u32,
    bytes: Vec<u8>,
}

impl TryFrom<ListDealsRequest> for DealList {
    type Error = Problem;

    fn try_from(wire: ListDealsRequest) -> Result<Self, Problem> {
        let ListDealsRequest {
            account_id,
            include_closed,
            page_size,
            page_token,
        } = wire;
        let mut violations = Violations::new();
        let account_id = filter_key("account_id", &account_id, &mut violations);
        violations.into_result()?;
        let filter = DealFilter {
            account_id,
            include_closed,
        };
        let bytes = format!("{filter:?}").into_bytes();
        let (after, size) = page(LIST_DEALS, &bytes, page_size, &page_token)?;
        Ok(Self {
            filter,
            after,
            size,
            bytes,
        })
    }
}

impl DealList {
    /// The token of the page after `last`; empty behind the last page.
    pub(super) fn next_token(&self, last: Option<&DealKey>) -> Result<String, Problem> {
        token(LIST_DEALS, &self.bytes, last)
    }
}

/// A page of the list of tasks.
pub(super) struct TaskList {
    pub(super) filter: TaskFilter,
    pub(super) after: Option<TaskKey>,
    pub(super) size: u32,
    bytes: Vec<u8>,
}

impl TryFrom<ListTasksRequest> for TaskList {
    type Error = Problem;

    fn try_from(wire: ListTasksRequest) -> Result<Self, Problem> {
        let ListTasksRequest {
            assignee_id,
            deal_id,
            include_closed,
            page_size,
            page_token,
        } = wire;
        let mut violations = Violations::new();
        let assignee_id = filter_key("assignee_id", &assignee_id, &mut violations);
        let deal_id = if deal_id.is_empty() {
            None
        } else {
            uuid("deal_id", &deal_id, &mut violations)
        };
        violations.into_result()?;
        let filter = TaskFilter {
            assignee_id,
            deal_id: deal_id.map(|id| id.to_string()),
            include_closed,
        };
        let bytes = format!("{filter:?}").into_bytes();
        let (after, size) = page(LIST_TASKS, &bytes, page_size, &page_token)?;
        Ok(Self {
            filter,
            after,
            size,
            bytes,
        })
    }
}

impl TaskList {
    /// The token of the page after `last`; empty behind the last page.
    pub(super) fn next_token(&self, last: Option<&TaskKey>) -> Result<String, Problem> {
        token(LIST_TASKS, &self.bytes, last)
    }
}

fn page<K: DeserializeOwned>(method: &str, filter: &[u8], size: i32, token: &str) -> Result<(Option<K>, u32), Problem> {
    let page = paging::parse(method, filter, size, token)?;
    let after = page.after.map(|key| serde_json::from_str(&key)).transpose();
    let after = after.map_err(|_| Problem::invalid_field("page_token", "is not a token of this list"))?;
    Ok((after, page.size))
}

fn token<K: Serialize>(method: &str, filter: &[u8], last: Option<&K>) -> Result<String, Problem> {
    let Some(last) = last else { return Ok(String::new()) };
    let key = serde_json::to_string(last).map_err(Problem::internal)?;
    Ok(paging::next_token(method, filter, &key))
}

fn once(method: &'static str, request_id: String, fingerprint: [u8; 32], violations: &mut Violations) -> Once {
    uuid("request_id", &request_id, violations);
    Once {
        method,
        request_id,
        fingerprint,
    }
}

fn uuid(field: &str, value: &str, violations: &mut Violations) -> Option<Uuid> {
    violations.take(field, Uuid::parse_str(value).map_err(|_| "must be a UUID"))
}

fn filled(field: &str, value: &str, violations: &mut Violations) {
    if value.is_empty() {
        violations.add(field, "is required");
    }
}

fn filter_key(field: &str, value: &str, violations: &mut Violations) -> Option<String> {
    if value.trim().is_empty() {
        None
    } else {
        violations.take(field, text::key(value))
    }
}

/// SCHEDULED is behind every deal, which the domain says; LAPSED and the closed ones are not for people.
fn enterable(wire: WireStage) -> Option<Stage> {
    let stage = match wire {
        WireStage::Unspecified => return None,
        WireStage::Scheduled => Stage::Scheduled,
        WireStage::Preparation => Stage::Preparation,
        WireStage::Initiation => Stage::Initiation,
        WireStage::Negotiation => Stage::Negotiation,
        WireStage::Agreement => Stage::Agreement,
        WireStage::LastMile => Stage::LastMile,
        WireStage::Lapsed => Stage::Lapsed,
        WireStage::Renewed => Stage::Renewed,
        WireStage::Lost => Stage::Lost,
    };
    (stage.is_for_people() || stage == Stage::Scheduled).then_some(stage)
}

fn loss(wire: WireLoss, violations: &mut Violations) -> Option<LossReason> {
    let category = match wire.category() {
        WireCategory::Unspecified => None,
        WireCategory::Price => Some(LossCategory::Price),
        WireCategory::MissingFeature => Some(LossCategory::MissingFeature),
        WireCategory::MissingIntegration => Some(LossCategory::MissingIntegration),
        WireCategory::LowAdoption => Some(LossCategory::LowAdoption),
        WireCategory::Service => Some(LossCategory::Service),
        WireCategory::Competitor => Some(LossCategory::Competitor),
        WireCategory::NoNeed => Some(LossCategory::NoNeed),
        WireCategory::Other => Some(LossCategory::Other),
    };
    if category.is_none() {
        violations.add("category", "is required");
    }
    let WireLoss {
        category: _,
        detail,
        competitor,
    } = wire;
    let detail = violations.take("detail", text::clean(&detail, DETAIL_MAX));
    let competitor = violations.take("competitor", text::clean(&competitor, COMPETITOR_MAX));
    Some(LossReason {
        category: category?,
        detail: detail?,
        competitor: competitor?,
    })
}

/// The converted value of a field that has to be set; what is wrong is noted.
pub(super) fn required<T, U, E: fmt::Display>(
    field: &str,
    value: Option<T>,
    violations: &mut Violations,
    convert: impl FnOnce(T) -> Result<U, E>,
) -> Option<U> {
    if value.is_none() {
        violations.add(field, "is required");
    }
    optional(field, value, violations, convert).flatten()
}

/// The converted value of a field that may be unset. `None` only when something is wrong.
pub(super) fn optional<T, U, E: fmt::Display>(
    field: &str,
    value: Option<T>,
    violations: &mut Violations,
    convert: impl FnOnce(T) -> Result<U, E>,
) -> Option<Option<U>> {
    value.map_or(Some(None), |value| violations.take(field, convert(value)).map(Some))
}

/// The value, or INVALID_ARGUMENT with what was found wrong on the way to it.
pub(super) fn settled<T>(value: Option<T>, violations: Violations) -> Result<T, Problem> {
    violations.into_result()?;
    value.ok_or_else(|| Problem::internal("a value is missing and no violation says why"))
}

/// A date of the calendar.
pub(super) fn date(wire: gtype::Date) -> Result<Date, String> {
    let gtype::Date { year, month, day } = wire;
    let fault = || format!("is no date: {year:04}-{month:02}-{day:02}");
    let (Ok(year @ 1..=9999), Ok(month), Ok(day)) = (i16::try_from(year), i8::try_from(month), i8::try_from(day))
    else {
        return Err(fault());
    };
    Date::new(year, month, day).map_err(|_| fault())
}

/// An instant, truncated to microseconds.
pub(super) fn time(wire: WireTime) -> Result<Timestamp, String> {
    let WireTime { seconds, nanos } = wire;
    let micros = i128::from(seconds) * 1_000_000 + i128::from(nanos.div_euclid(1_000));
    let micros = i64::try_from(micros)
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok());
    micros.ok_or_else(|| "is no instant of the calendar".to_owned())
}
