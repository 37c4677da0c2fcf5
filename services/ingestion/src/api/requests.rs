//! Requests, read from the wire; every violation is listed.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use upswell_proto::{gtype, ingestion::v1 as pb};
use upswell_runtime::{
    paging::{self, Page},
    problem::{Problem, Violations},
    requests::fingerprint,
    text,
};

use super::convert::{day_from_wire, encode, fact_from_wire};
use crate::{
    app::Command,
    domain::{
        difference::FieldFault,
        intake::Candidate,
        rules::{Horizon, shown},
        words::Kind,
    },
    store::fact::FactFilter,
};

/// Names of the lists, to which their tokens are bound.
pub(super) const LIST_ACCOUNTS: &str = "ListAccounts";
pub(super) const LIST_FACTS: &str = "ListFacts";
pub(super) const LIST_CONFLICTS: &str = "ListConflicts";
pub(super) const LIST_MERGES: &str = "ListMerges";
pub(super) const LIST_DUPLICATES: &str = "ListDuplicateAccounts";
pub(super) const STREAM_ACCOUNT_FACTS: &str = "StreamAccountFacts";

const ACCOUNTS_MAX: usize = 200;
const DAYS_MAX: i32 = 800;
const HISTORY_MAX: i32 = 10_000;

pub(super) fn record_facts(request: pb::RecordFactsRequest, horizon: Horizon) -> Command {
    let mut bare = request;
    let request_id = std::mem::take(&mut bare.request_id);
    let request = (!request_id.is_empty()).then(|| (request_id, fingerprint(&bare)));
    let facts = bare
        .facts
        .iter()
        .enumerate()
        .map(|(index, wire)| candidate(index, wire, horizon))
        .collect();
    Command {
        request,
        facts,
        span: tracing::Span::current(),
    }
}

fn candidate(index: usize, wire: &pb::Fact, horizon: Horizon) -> Result<Candidate, Vec<FieldFault>> {
    let fact = fact_from_wire(wire, horizon).map_err(|violations| {
        let fault = |violation: upswell_runtime::problem::Violation| FieldFault {
            field: violation.field,
            description: violation.description,
        };
        violations.into_iter().map(fault).collect::<Vec<_>>()
    })?;
    let (payload, hash) = encode(&fact);
    Ok(Candidate {
        index,
        fact,
        payload,
        hash,
    })
}

pub(super) fn account_360(request: pb::GetAccount360Request) -> Result<String, Problem> {
    let pb::GetAccount360Request { account_id } = request;
    let mut violations = Violations::new();
    let account_id = violations.take("account_id", text::key(&account_id));
    violations.into_result()?;
    Ok(account_id.unwrap_or_default())
}

pub(super) fn list_accounts(request: pb::ListAccountsRequest) -> Result<(String, Page), Problem> {
    let pb::ListAccountsRequest {
        segment,
        page_size,
        page_token,
    } = request;
    let mut violations = Violations::new();
    let segment = optional_key(&mut violations, "segment", &segment);
    violations.into_result()?;
    let page = paging::parse(LIST_ACCOUNTS, segment.as_bytes(), page_size, &page_token)?;
    Ok((segment, page))
}

/// A page of conflicts that is asked for.
pub(super) struct ConflictsAsked {
    pub(super) account_id: String,
    /// Also those that were decided.
    pub(super) decided: bool,
    /// What the page's token is bound to.
    pub(super) fingerprint: Vec<u8>,
    pub(super) page: Page,
}

pub(super) fn list_conflicts(request: pb::ListConflictsRequest) -> Result<ConflictsAsked, Problem> {
    let pb::ListConflictsRequest {
        account_id,
        page_size,
        page_token,
        include_resolved: decided,
    } = request;
    let mut violations = Violations::new();
    let account_id = optional_key(&mut violations, "account_id", &account_id);
    violations.into_result()?;
    let fingerprint = format!("{account_id} {decided}").into_bytes();
    let page = paging::parse(LIST_CONFLICTS, &fingerprint, page_size, &page_token)?;
    Ok(ConflictsAsked {
        account_id,
        decided,
        fingerprint,
        page,
    })
}

pub(super) fn list_merges(request: pb::ListMergesRequest) -> Result<(String, Page), Problem> {
    let pb::ListMergesRequest {
        account_id,
        page_size,
        page_token,
    } = request;
    let mut violations = Violations::new();
    let account_id = optional_key(&mut violations, "account_id", &account_id);
    violations.into_result()?;
    let page = paging::parse(LIST_MERGES, account_id.as_bytes(), page_size, &page_token)?;
    Ok((account_id, page))
}

/// A stream of accounts that is asked for.
pub(super) struct AccountsAsked {
    pub(super) segment: String,
    /// First and last day.
    pub(super) range: (Date, Date),
    /// What the resume token is bound to.
    pub(super) fingerprint: [u8; 32],
    /// After which account it goes on; the size says nothing.
    pub(super) page: Page,
}

pub(super) fn stream_account_facts(request: pb::StreamAccountFactsRequest) -> Result<AccountsAsked, Problem> {
    let bound = pb::StreamAccountFactsRequest {
        resume_token: String::new(),
        ..request.clone()
    };
    let fingerprint = fingerprint(&bound);
    let pb::StreamAccountFactsRequest {
        until_day,
        days,
        segment,
        resume_token,
    } = request;
    let mut violations = Violations::new();
    let range = range(&mut violations, until_day, days, HISTORY_MAX);
    let segment = optional_key(&mut violations, "segment", &segment);
    violations.into_result()?;
    let page = paging::parse(STREAM_ACCOUNT_FACTS, &fingerprint, 0, &resume_token)?;
    Ok(AccountsAsked {
        segment,
        range,
        fingerprint,
        page,
    })
}

/// A page of facts that is asked for.
pub(super) struct FactsAsked {
    pub(super) account_id: String,
    pub(super) filter: FactFilter,
    /// What the page's token is bound to.
    pub(super) fingerprint: [u8; 32],
    pub(super) page: Page,
}

pub(super) fn list_facts(request: pb::ListFactsRequest) -> Result<FactsAsked, Problem> {
    let bound = pb::ListFactsRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    let fingerprint = fingerprint(&bound);
    let pb::ListFactsRequest {
        account_id,
        start_time,
        end_time,
        body,
        name,
        page_size,
        page_token,
    } = request;
    let mut violations = Violations::new();
    let account_id = violations
        .take("account_id", text::key(&account_id))
        .unwrap_or_default();
    let start = instant(&mut violations, "start_time", start_time);
    let end = instant(&mut violations, "end_time", end_time);
    if start.is_some() && end.is_some() && start >= end {
        violations.add("end_time", "must be after start_time");
    }
    let kind = Kind::from_word(&body);
    if kind.is_none() && !body.is_empty() {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        violations.add(
            "body",
            format!(
                "unknown body \"{}\": expected one of {}",
                shown(&body),
                known.join(", ")
            ),
        );
    }
    let name = optional_key(&mut violations, "name", &name);
    violations.into_result()?;
    let page = paging::parse(LIST_FACTS, &fingerprint, page_size, &page_token)?;
    let filter = FactFilter {
        start,
        end,
        kind,
        name: (!name.is_empty()).then_some(name),
    };
    Ok(FactsAsked {
        account_id,
        filter,
        fingerprint,
        page,
    })
}

/// The accounts and the first and last day that are asked for.
pub(super) fn batch_get(request: pb::BatchGetAccountFactsRequest) -> Result<(Vec<String>, (Date, Date)), Problem> {
    let pb::BatchGetAccountFactsRequest {
        account_ids,
        until_day,
        days,
    } = request;
    let mut violations = Violations::new();
    if !(1..=ACCOUNTS_MAX).contains(&account_ids.len()) {
        let found = account_ids.len();
        violations.add("account_ids", format!("{found} accounts: expected 1 to {ACCOUNTS_MAX}"));
    }
    let ids: Vec<String> = (account_ids.iter().take(ACCOUNTS_MAX).enumerate())
        .filter_map(|(index, id)| violations.take(format!("account_ids[{index}]"), text::key(id)))
        .collect();
    let range = range(&mut violations, until_day, days, DAYS_MAX);
    violations.into_result()?;
    Ok((ids, range))
}

/// The first and last of `days` days that end with `until_day`.
fn range(violations: &mut Violations, until_day: Option<gtype::Date>, days: i32, max: i32) -> (Date, Date) {
    let until = required_day(violations, "until_day", until_day).unwrap_or(Date::ZERO);
    if !(1..=max).contains(&days) {
        violations.add("days", format!("{days} is out of range: expected 1 to {max}"));
    }
    (until.saturating_sub((i64::from(days) - 1).days()), until)
}

fn required_day(violations: &mut Violations, field: &str, wire: Option<gtype::Date>) -> Option<Date> {
    let Some(wire) = wire else {
        violations.add(field, "required: expected a calendar day");
        return None;
    };
    violations.take(field, day_from_wire(&wire))
}

fn optional_key(violations: &mut Violations, field: &str, value: &str) -> String {
    if value.trim().is_empty() {
        return String::new();
    }
    violations.take(field, text::key(value)).unwrap_or_default()
}

fn instant(violations: &mut Violations, field: &str, wire: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    let prost_types::Timestamp { seconds, nanos } = wire?;
    violations.take(field, Timestamp::new(seconds, nanos).map_err(|_| "is no instant"))
}
