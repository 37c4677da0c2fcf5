//! Requests about what stands beside a score: explanations, judgements, raised signals, thresholds tried on history.

use jiff::{SignedDuration, Timestamp, civil::Date};
use prost::Message as _;
use upswell_proto::{
    gtype,
    scoring::v1::{
        BacktestThresholdRequest, BacktestThresholdResponse, ExplainScoreRequest, ListOverridesRequest,
        ListOverridesResponse, OverrideScoreRequest, OverrideScoreResponse, RaiseSignalRequest, RaiseSignalResponse,
        raise_signal_request::Observation,
    },
};
use upswell_runtime::{
    db::micros,
    ids,
    paging::{self, next_token},
    problem::{Kind, Problem, Violations},
    requests::fingerprint,
    text,
};
use uuid::Uuid;

use super::{convert, instant_parse, last_of};
use crate::{
    app::{BacktestAnswer, BacktestCommand, Judge, Raise},
    domain::{
        backtest::Question,
        facts::What,
        moment::{days_after, days_between},
        overrides::Override,
        signal::Raised,
    },
};

const OVERRIDES: &str = "ListOverrides";
const BACKTEST: &str = "BacktestThreshold";
const WORDS_MAX: usize = 500;
const RANGE_DAYS: i32 = 600;
/// What is explained where nobody says since when.
const EXPLAINED: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(in crate::api) fn explain(wire: ExplainScoreRequest, now: Timestamp) -> Result<(String, Timestamp), Problem> {
    let ExplainScoreRequest { account_id, since_time } = wire;
    let mut violations = Violations::new();
    let account_id = violations.take("account_id", text::key(&account_id));
    let since = match since_time {
        None => Some(now.saturating_sub(EXPLAINED).unwrap_or(Timestamp::MIN)),
        Some(since) => violations.take("since_time", instant(Some(since))),
    };
    violations.into_result()?;
    both(account_id, since)
}

pub(in crate::api) fn judge(wire: OverrideScoreRequest, author: Option<String>) -> Result<Judge, Problem> {
    let author = author.ok_or_else(nobody)?;
    let bare = OverrideScoreRequest {
        request_id: String::new(),
        ..wire.clone()
    };
    let OverrideScoreRequest {
        account_id,
        subject,
        value,
        reason,
        expire_time,
        request_id,
    } = wire;
    let mut violations = Violations::new();
    let account_id = violations.take("account_id", text::key(&account_id));
    let subject = violations.take("subject", convert::subject(subject).ok_or("must be what is judged"));
    if let Some(fault) = subject.and_then(|subject| subject.fault(value)) {
        violations.add("value", fault);
    }
    let reason = violations.take("reason", words(&reason));
    let expires_at = violations.take("expire_time", instant(expire_time));
    violations.take("request_id", Uuid::parse_str(&request_id).map_err(|_| "must be a UUID"));
    violations.into_result()?;
    let (account_id, subject) = both(account_id, subject)?;
    let (reason, expires_at) = both(reason, expires_at)?;
    Ok(Judge {
        account_id,
        subject,
        value,
        author,
        reason,
        expires_at,
        request_id,
        fingerprint: fingerprint(&bare),
    })
}

pub(in crate::api) fn judged(made: &Override) -> Vec<u8> {
    OverrideScoreResponse {
        r#override: Some(convert::judgement(made)),
    }
    .encode_to_vec()
}

pub(in crate::api) fn raise(wire: RaiseSignalRequest, author: Option<String>) -> Result<Raise, Problem> {
    let author = author.ok_or_else(nobody)?;
    let bare = RaiseSignalRequest {
        request_id: String::new(),
        ..wire.clone()
    };
    let what = observation(wire.observation());
    let RaiseSignalRequest {
        account_id,
        observation: _,
        subject,
        note,
        request_id,
    } = wire;
    let mut violations = Violations::new();
    let account_id = violations.take("account_id", text::key(&account_id));
    let what = violations.take("observation", what.ok_or("must be what was seen"));
    let subject = if subject.is_empty() {
        Some(subject)
    } else {
        violations.take("subject", text::key(&subject))
    };
    let note = violations.take("note", words(&note));
    violations.take("request_id", Uuid::parse_str(&request_id).map_err(|_| "must be a UUID"));
    violations.into_result()?;
    let (account_id, what) = both(account_id, what)?;
    let (subject, note) = both(subject, note)?;
    let raised = Raised {
        id: ids::derive("raised", &[&request_id]),
        account_id,
        what,
        subject,
        author,
        note,
        raised_at: Timestamp::UNIX_EPOCH,
    };
    Ok(Raise {
        raised,
        request_id,
        fingerprint: fingerprint(&bare),
    })
}

pub(in crate::api) fn raised(raised: &Raised) -> Vec<u8> {
    RaiseSignalResponse {
        raise_id: raised.id.to_string(),
    }
    .encode_to_vec()
}

fn observation(wire: Observation) -> Option<What> {
    match wire {
        Observation::Unspecified => None,
        Observation::ManualWork => Some(What::ManualWork),
        Observation::Opportunity => Some(What::Opportunity),
        Observation::BudgetPlanning => Some(What::BudgetPlanning),
        Observation::ProofRequest => Some(What::ProofRequest),
        Observation::Team => Some(What::Team),
        Observation::Project => Some(What::Project),
    }
}

/// A page of judgements that is asked for.
pub(in crate::api) struct OverridePage {
    pub(in crate::api) account_id: String,
    pub(in crate::api) after: Option<(i64, Uuid)>,
    pub(in crate::api) size: u64,
}

impl TryFrom<ListOverridesRequest> for OverridePage {
    type Error = Problem;

    fn try_from(wire: ListOverridesRequest) -> Result<Self, Problem> {
        let ListOverridesRequest {
            account_id,
            page_size,
            page_token,
        } = wire;
        let account_id =
            text::key(&account_id).map_err(|fault| Problem::invalid_field("account_id", fault.to_string()))?;
        let page = paging::parse(OVERRIDES, account_id.as_bytes(), page_size, &page_token)?;
        Ok(Self {
            after: page.after.as_deref().map(instant_parse).transpose()?,
            size: page.size.into(),
            account_id,
        })
    }
}

impl OverridePage {
    pub(in crate::api) fn answer(&self, made: &[Override]) -> ListOverridesResponse {
        let token = |last: &Override| {
            let key = format!("{}|{}", micros(last.made_at), last.id);
            next_token(OVERRIDES, self.account_id.as_bytes(), &key)
        };
        ListOverridesResponse {
            overrides: made.iter().map(convert::judgement).collect(),
            next_page_token: last_of(made, self.size).map(token).unwrap_or_default(),
        }
    }
}

/// A portion of a question to history.
pub(in crate::api) struct BacktestPage {
    pub(in crate::api) command: BacktestCommand,
    bound: Vec<u8>,
}

impl TryFrom<BacktestThresholdRequest> for BacktestPage {
    type Error = Problem;

    fn try_from(wire: BacktestThresholdRequest) -> Result<Self, Problem> {
        let bound = BacktestThresholdRequest {
            page_token: String::new(),
            page_size: 0,
            ..wire.clone()
        }
        .encode_to_vec();
        let mut violations = Violations::new();
        let kind = violations.take("kind", convert::kind_of(wire.kind).ok_or("must be a kind of signal"));
        let first = violations.take("start_day", day(wire.start_day));
        let last = violations.take("end_day", day(wire.end_day));
        if let (Some(first), Some(last)) = (first, last)
            && !(first <= last && days_between(first, last) <= RANGE_DAYS)
        {
            violations.add("end_day", format!("must be 0 to {RANGE_DAYS} days after start_day"));
        }
        let step_days = within("step_days", wire.step_days, 28, 7, &mut violations);
        let outcome_days = within("outcome_days", wire.outcome_days, 365, 90, &mut violations);
        let size = within("page_size", wire.page_size, 200, 200, &mut violations);
        if !wire.value.is_finite() {
            violations.add("value", "must be a number");
        }
        violations.into_result()?;
        let (kind, (first, last)) = both(kind, first.zip(last))?;
        let page = paging::parse(BACKTEST, &bound, size, &wire.page_token)?;
        let question = Question {
            kind,
            changed: None,
            first,
            last,
            step_days,
            outcome_days,
        };
        let change = (!wire.threshold.is_empty()).then_some((wire.threshold, wire.value));
        let command = BacktestCommand {
            question,
            change,
            after: page.after.unwrap_or_default(),
            size: u64::try_from(size).unwrap_or_default(),
        };
        Ok(Self { command, bound })
    }
}

impl BacktestPage {
    pub(in crate::api) fn answer(bound: &[u8], found: BacktestAnswer) -> BacktestThresholdResponse {
        let BacktestAnswer {
            answer,
            present_value,
            accounts,
            last,
        } = found;
        BacktestThresholdResponse {
            present: Some(convert::backtest(answer.present)),
            changed: answer.changed.map(convert::backtest),
            base: Some(convert::backtest(answer.base)),
            present_value,
            accounts: i32::try_from(accounts).unwrap_or(i32::MAX),
            next_page_token: last.map(|last| next_token(BACKTEST, bound, &last)).unwrap_or_default(),
        }
    }

    pub(in crate::api) fn split(self) -> (BacktestCommand, Vec<u8>) {
        (self.command, self.bound)
    }
}

/// 1 to `most`; 0 means `usual`.
fn within(field: &str, value: i32, most: i32, usual: i32, violations: &mut Violations) -> i32 {
    match value {
        0 => usual,
        value if (1..=most).contains(&value) => value,
        _ => {
            violations.add(field, format!("must be 0 to {most}"));
            usual
        }
    }
}

fn words(value: &str) -> Result<String, String> {
    let clean = text::clean(value, WORDS_MAX).map_err(|fault| fault.to_string())?;
    if clean.is_empty() {
        Err("is required".to_owned())
    } else {
        Ok(clean)
    }
}

fn instant(wire: Option<prost_types::Timestamp>) -> Result<Timestamp, &'static str> {
    let read = |wire: prost_types::Timestamp| Timestamp::new(wire.seconds, wire.nanos).ok();
    wire.and_then(read).ok_or("must be an instant")
}

fn day(wire: Option<gtype::Date>) -> Result<Date, &'static str> {
    let read = |gtype::Date { year, month, day }: gtype::Date| {
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
    };
    // A little room on both sides, so that windows cannot leave the calendar.
    let fits = |day: &Date| days_after(*day, 2000) < Date::MAX && day.year() >= 1970;
    wire.and_then(read).filter(fits).ok_or("must be a day of the calendar")
}

fn both<A, B>(one: Option<A>, two: Option<B>) -> Result<(A, B), Problem> {
    one.zip(two)
        .ok_or_else(|| Problem::internal("a fault was not reported"))
}

fn nobody() -> Problem {
    Problem::new(Kind::Unauthenticated, "ACTOR_REQUIRED", "nobody is named as the author")
}
