//! Requests, checked as a whole: all violations are told at once.

mod beside;

pub(super) use self::beside::{BacktestPage, OverridePage, explain, judge, judged, raise, raised};

use std::collections::BTreeMap;

use prost::Message as _;
use upswell_proto::scoring::v1::{
    self as wire, BatchGetScoresRequest, GetScoreRequest, ListScoresRequest, ListScoresResponse, ListSignalsRequest,
    ListSignalsResponse, RescoreAccountsRequest, RescoreAccountsResponse, signal::State as WireState,
};
use upswell_runtime::{
    db::micros,
    paging::{self, next_token},
    problem::{Problem, Violations},
    requests::fingerprint,
    text,
};
use uuid::Uuid;

use super::convert;
use crate::{
    app::Rescore,
    domain::{
        overrides::Override,
        score::Score,
        signal::{Signal, State},
    },
    store::SignalFilter,
};

const SCORES: &str = "ListScores";
const SIGNALS: &str = "ListSignals";
const ACCOUNTS_MAX: usize = 1_000;

pub(super) fn account_id(wire: GetScoreRequest) -> Result<String, Problem> {
    let GetScoreRequest { account_id } = wire;
    text::key(&account_id).map_err(|fault| Problem::invalid_field("account_id", fault.to_string()))
}

pub(super) fn account_ids(wire: BatchGetScoresRequest) -> Result<Vec<String>, Problem> {
    let BatchGetScoresRequest { account_ids } = wire;
    let mut violations = Violations::new();
    if account_ids.is_empty() {
        violations.add("account_ids", "must name at least one account");
    }
    let keys = keys(account_ids, &mut violations);
    violations.into_result()?;
    Ok(keys)
}

/// The normalised ids, each once and sorted.
fn keys(account_ids: Vec<String>, violations: &mut Violations) -> Vec<String> {
    if account_ids.len() > ACCOUNTS_MAX {
        violations.add(
            "account_ids",
            format!("must name at most {ACCOUNTS_MAX} accounts, has {}", account_ids.len()),
        );
        return Vec::new();
    }
    let named = account_ids.iter().enumerate();
    let mut keys: Vec<String> = named
        .filter_map(|(n, id)| violations.take(format!("account_ids[{n}]"), text::key(id)))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

impl TryFrom<RescoreAccountsRequest> for Rescore {
    type Error = Problem;

    fn try_from(wire: RescoreAccountsRequest) -> Result<Self, Problem> {
        let RescoreAccountsRequest {
            account_ids,
            request_id,
        } = wire;
        let mut violations = Violations::new();
        let account_ids = keys(account_ids, &mut violations);
        violations.take("request_id", Uuid::parse_str(&request_id).map_err(|_| "must be a UUID"));
        violations.into_result()?;
        let bare = RescoreAccountsRequest {
            account_ids: account_ids.clone(),
            request_id: String::new(),
        };
        Ok(Self {
            account_ids,
            request_id,
            fingerprint: fingerprint(&bare),
        })
    }
}

pub(super) fn rescored(scored: usize) -> Vec<u8> {
    RescoreAccountsResponse {
        scored: i32::try_from(scored).unwrap_or(i32::MAX),
    }
    .encode_to_vec()
}

/// A page of scores that is asked for.
pub(super) struct ScorePage {
    pub(super) size: u64,
    after: Option<(i32, i32, String)>,
}

impl TryFrom<ListScoresRequest> for ScorePage {
    type Error = Problem;

    fn try_from(wire: ListScoresRequest) -> Result<Self, Problem> {
        let ListScoresRequest { page_size, page_token } = wire;
        let page = paging::parse(SCORES, b"", page_size, &page_token)?;
        let after = page.after.as_deref().map(rank_parse).transpose()?;
        Ok(Self {
            size: page.size.into(),
            after,
        })
    }
}

impl ScorePage {
    pub(super) fn after(&self) -> Option<(i32, i32, &str)> {
        self.after
            .as_ref()
            .map(|(trend, health, account_id)| (*trend, *health, account_id.as_str()))
    }

    pub(super) fn answer(&self, scores: &[Score], overrides: &Overrides) -> ListScoresResponse {
        let token = |score: &Score| {
            let key = format!("{}|{}|{}", score.trend(), score.health.value, score.account_id);
            next_token(SCORES, b"", &key)
        };
        ListScoresResponse {
            scores: with_overrides(scores, overrides),
            next_page_token: last_of(scores, self.size).map(token).unwrap_or_default(),
        }
    }
}

/// Judgements that stand, by account.
pub(super) type Overrides = BTreeMap<String, Vec<Override>>;

/// Scores on the wire, each with the judgements beside it.
pub(super) fn with_overrides(scores: &[Score], overrides: &Overrides) -> Vec<wire::Score> {
    let beside = |score: &Score| overrides.get(&score.account_id).map_or(&[][..], Vec::as_slice);
    scores
        .iter()
        .map(|score| convert::score(score, beside(score)))
        .collect()
}

/// Tokens are made by us and bound by a digest, so a bad key is a fault of ours.
fn rank_parse(key: &str) -> Result<(i32, i32, String), Problem> {
    let mut parts = key.splitn(3, '|');
    let mut next = || parts.next().ok_or_else(|| Problem::internal("a page key is too short"));
    let trend = next()?.parse().map_err(Problem::internal)?;
    let health = next()?.parse().map_err(Problem::internal)?;
    Ok((trend, health, next()?.to_owned()))
}

/// A page of signals that is asked for.
pub(super) struct SignalPage {
    pub(super) filter: SignalFilter,
    pub(super) after: Option<(i64, Uuid)>,
    pub(super) size: u64,
    bound: Vec<u8>,
}

impl TryFrom<ListSignalsRequest> for SignalPage {
    type Error = Problem;

    fn try_from(wire: ListSignalsRequest) -> Result<Self, Problem> {
        let ListSignalsRequest {
            account_id,
            states,
            page_size,
            page_token,
        } = wire;
        let mut violations = Violations::new();
        let account_id = (!account_id.is_empty())
            .then(|| violations.take("account_id", text::key(&account_id)))
            .flatten();
        let mut known: Vec<State> = Vec::new();
        for (n, state) in states.into_iter().enumerate() {
            known.extend(violations.take(format!("states[{n}]"), state_parse(state)));
        }
        known.sort();
        known.dedup();
        violations.into_result()?;
        let names: Vec<&str> = known.iter().map(|state| state.as_str()).collect();
        let bound = format!("{}|{}", account_id.as_deref().unwrap_or_default(), names.join(",")).into_bytes();
        let page = paging::parse(SIGNALS, &bound, page_size, &page_token)?;
        let after = page.after.as_deref().map(instant_parse).transpose()?;
        let filter = SignalFilter {
            account_id,
            states: known,
        };
        Ok(Self {
            filter,
            after,
            size: page.size.into(),
            bound,
        })
    }
}

impl SignalPage {
    pub(super) fn answer(&self, signals: &[Signal]) -> ListSignalsResponse {
        let token = |signal: &Signal| {
            next_token(
                SIGNALS,
                &self.bound,
                &format!("{}|{}", micros(signal.opened_at), signal.id),
            )
        };
        ListSignalsResponse {
            signals: signals.iter().map(convert::signal).collect(),
            next_page_token: last_of(signals, self.size).map(token).unwrap_or_default(),
        }
    }
}

fn instant_parse(key: &str) -> Result<(i64, Uuid), Problem> {
    let (instant, id) = key
        .split_once('|')
        .ok_or_else(|| Problem::internal("a page key is too short"))?;
    Ok((
        instant.parse().map_err(Problem::internal)?,
        id.parse().map_err(Problem::internal)?,
    ))
}

fn state_parse(state: i32) -> Result<State, &'static str> {
    match WireState::try_from(state) {
        Ok(WireState::Open) => Ok(State::Open),
        Ok(WireState::Consumed) => Ok(State::Consumed),
        Ok(WireState::Expired) => Ok(State::Expired),
        Ok(WireState::Withdrawn) => Ok(State::Withdrawn),
        Ok(WireState::Unspecified) | Err(_) => Err("must be a state of a signal"),
    }
}

/// The last item of a full page, after which there may be more.
fn last_of<T>(items: &[T], size: u64) -> Option<&T> {
    items.last().filter(|_| items.len() as u64 >= size)
}
