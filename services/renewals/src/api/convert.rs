//! Requests and common values between the wire and the domain. Every violation of a request is told.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use prost_types::Timestamp as WireTime;
use serde::{Serialize, de::DeserializeOwned};
use upswell_proto::{
    gtype,
    renewals::v1::{
        AdvanceDealRequest, CloseDealRequest, CompleteTaskRequest, GetDealRequest, GetTaskRequest, ListDealsRequest,
        ListTasksRequest, LossReason as WireLoss, MoveStagesRequest, RecordNoticeRequest, SetRenewalTermsRequest,
        deal::Stage as WireStage, loss_reason::Category as WireCategory,
    },
};
use upswell_runtime::{
    paging,
    problem::{Problem, Violations},
    requests, text,
};
use uuid::Uuid;

use crate::{
    app::{Change, Complete, Deed, Once},
    domain::{
        deal::{LossCategory, LossReason, RenewalTerms, StageMove},
        stage::Stage,
    },
    store::{DealFilter, DealKey, TaskFilter, TaskKey},
};

const ADVANCE_DEAL: &str = "AdvanceDeal";
const CLOSE_DEAL: &str = "CloseDeal";
const MOVE_STAGES: &str = "MoveStages";
const SET_RENEWAL_TERMS: &str = "SetRenewalTerms";
const RECORD_NOTICE: &str = "RecordNotice";
const COMPLETE_TASK: &str = "CompleteTask";
const LIST_DEALS: &str = "ListDeals";
const LIST_TASKS: &str = "ListTasks";

/// Characters of the customer's words, and of a competitor's name.
const DETAIL_MAX: usize = 1_000;
const COMPETITOR_MAX: usize = 200;
/// Characters of a reason.
pub(super) const REASON_MAX: usize = 500;

pub(super) fn get_deal(wire: GetDealRequest) -> Result<Uuid, Problem> {
    let GetDealRequest { deal_id } = wire;
    let mut violations = Violations::new();
    let id = uuid("deal_id", &deal_id, &mut violations);
    settled(id, violations)
}

pub(super) fn get_task(wire: GetTaskRequest) -> Result<Uuid, Problem> {
    let mut violations = Violations::new();
    let id = uuid("task_id", &wire.task_id, &mut violations);
    settled(id, violations)
}

pub(super) fn advance(mut wire: AdvanceDealRequest, actor: String) -> Result<(Once, Change), Problem> {
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
    let ready = deal_id.zip(stage).map(|(deal_id, stage)| Change {
        deal_id,
        etag,
        actor,
        deed: Deed::Advance(stage),
    });
    Ok((once, settled(ready, violations)?))
}

pub(super) fn close(mut wire: CloseDealRequest, actor: String) -> Result<(Once, Change), Problem> {
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
    let ready = deal_id.zip(loss).map(|(deal_id, loss)| Change {
        deal_id,
        etag,
        actor,
        deed: Deed::Close(loss),
    });
    Ok((once, settled(ready, violations)?))
}

pub(super) fn move_stages(mut wire: MoveStagesRequest, actor: String) -> Result<(Once, Change), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let mut violations = Violations::new();
    let once = once(MOVE_STAGES, request_id, fingerprint, &mut violations);
    let deal_id = uuid("deal_id", &wire.deal_id, &mut violations);
    filled("etag", &wire.etag, &mut violations);
    let day = optional("negotiation_end_date", wire.negotiation_end_date, &mut violations, date);
    let reason = said("reason", &wire.reason, REASON_MAX, &mut violations);
    let ready = (|| {
        let reason = reason?;
        let moved = day?.map(|negotiated_on| StageMove { negotiated_on, reason });
        Some(Change {
            deal_id: deal_id?,
            etag: wire.etag,
            actor,
            deed: Deed::MoveStages(moved),
        })
    })();
    Ok((once, settled(ready, violations)?))
}

pub(super) fn set_terms(mut wire: SetRenewalTermsRequest, actor: String) -> Result<(Once, Change), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let mut violations = Violations::new();
    let once = once(SET_RENEWAL_TERMS, request_id, fingerprint, &mut violations);
    let deal_id = uuid("deal_id", &wire.deal_id, &mut violations);
    filled("etag", &wire.etag, &mut violations);
    let terms = wire.terms.map(|terms| RenewalTerms {
        auto_renew: terms.auto_renew,
        notice_days: terms.notice_days,
        term_months: terms.term_months,
    });
    match terms {
        None => violations.add("terms", "is required"),
        Some(terms) => {
            if !(0..=365).contains(&terms.notice_days) {
                violations.add("terms.notice_days", "must be between 0 and 365");
            }
            if !(0..=120).contains(&terms.term_months) {
                violations.add("terms.term_months", "must be between 0 and 120");
            }
        }
    }
    let ready = deal_id.zip(terms).map(|(deal_id, terms)| Change {
        deal_id,
        etag: wire.etag,
        actor,
        deed: Deed::SetTerms(terms),
    });
    Ok((once, settled(ready, violations)?))
}

/// `today` is that of UTC, tomorrow of which has begun somewhere.
pub(super) fn record_notice(
    mut wire: RecordNoticeRequest,
    actor: String,
    today: Date,
) -> Result<(Once, Change), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let mut violations = Violations::new();
    let once = once(RECORD_NOTICE, request_id, fingerprint, &mut violations);
    let deal_id = uuid("deal_id", &wire.deal_id, &mut violations);
    filled("etag", &wire.etag, &mut violations);
    let given_on = required("notice_date", wire.notice_date, &mut violations, date);
    if given_on.is_some_and(|day| day > today.tomorrow().unwrap_or(today)) {
        violations.add("notice_date", "must not be in the future");
    }
    let ready = deal_id.zip(given_on).map(|(deal_id, given_on)| Change {
        deal_id,
        etag: wire.etag,
        actor,
        deed: Deed::Notice(given_on),
    });
    Ok((once, settled(ready, violations)?))
}

pub(super) fn complete(mut wire: CompleteTaskRequest) -> Result<(Once, Complete), Problem> {
    let request_id = std::mem::take(&mut wire.request_id);
    let fingerprint = requests::fingerprint(&wire);
    let CompleteTaskRequest {
        task_id,
        request_id: _,
        etag,
    } = wire;
    let mut violations = Violations::new();
    let once = once(COMPLETE_TASK, request_id, fingerprint, &mut violations);
    let task_id = uuid("task_id", &task_id, &mut violations);
    filled("etag", &etag, &mut violations);
    Ok((
        once,
        settled(task_id.map(|task_id| Complete { task_id, etag }), violations)?,
    ))
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
            account_id: None,
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

pub(super) fn page<K: DeserializeOwned>(
    method: &str,
    filter: &[u8],
    size: i32,
    token: &str,
) -> Result<(Option<K>, u32), Problem> {
    let page = paging::parse(method, filter, size, token)?;
    let after = page.after.map(|key| serde_json::from_str(&key)).transpose();
    let after = after.map_err(|_| Problem::invalid_field("page_token", "is not a token of this list"))?;
    Ok((after, page.size))
}

pub(super) fn token<K: Serialize>(method: &str, filter: &[u8], last: Option<&K>) -> Result<String, Problem> {
    let Some(last) = last else { return Ok(String::new()) };
    let key = serde_json::to_string(last).map_err(Problem::internal)?;
    Ok(paging::next_token(method, filter, &key))
}

pub(super) fn once(
    method: &'static str,
    request_id: String,
    fingerprint: [u8; 32],
    violations: &mut Violations,
) -> Once {
    uuid("request_id", &request_id, violations);
    Once {
        method,
        request_id,
        fingerprint,
    }
}

pub(super) fn uuid(field: &str, value: &str, violations: &mut Violations) -> Option<Uuid> {
    violations.take(field, Uuid::parse_str(value).map_err(|_| "must be a UUID"))
}

pub(super) fn filled(field: &str, value: &str, violations: &mut Violations) {
    if value.is_empty() {
        violations.add(field, "is required");
    }
}

pub(super) fn filter_key(field: &str, value: &str, violations: &mut Violations) -> Option<String> {
    if value.trim().is_empty() {
        None
    } else {
        violations.take(field, text::key(value))
    }
}

/// Text that has to say something.
pub(super) fn said(field: &str, value: &str, most: usize, violations: &mut Violations) -> Option<String> {
    let text = violations.take(field, text::clean(value, most))?;
    filled(field, &text, violations);
    Some(text)
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
        missing_integration,
    } = wire;
    let detail = violations.take("detail", text::clean(&detail, DETAIL_MAX));
    let competitor = violations.take("competitor", text::clean(&competitor, COMPETITOR_MAX));
    let integration = violations.take("missing_integration", text::clean(&missing_integration, COMPETITOR_MAX));
    Some(LossReason {
        category: category?,
        detail: detail?,
        competitor: competitor?,
        integration: integration?,
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
