//! Ledger ⇄ contracts.

use jiff::Timestamp;
use prost_types::Timestamp as WireTime;
use upswell_proto::offers::v1 as pb;
use upswell_runtime::{
    problem::{Problem, Violations},
    text,
};
use uuid::Uuid;

use crate::{
    api::{
        convert::{day, instant},
        words::{channel, channel_to_wire, class, class_to_wire},
    },
    app::ledger::Question,
    domain::{
        ledger::{Blocking, Judgement, ReleaseReason, Reserve, Touch},
        vocabulary::{TouchClass, TouchState},
    },
    store::ledger::TouchFilter,
};

/// The longest idempotency key, in characters.
const KEY_MAX: usize = 128;

pub(super) fn touch(touch: &Touch) -> pb::Touch {
    let Touch {
        id,
        account_id,
        class,
        proposes_expansion,
        channel,
        sender,
        idempotency_key: _,
        content: _,
        contact_id,
        offer_id,
        state,
        planned_at,
        actual_at,
        recorded_at,
        expires_at,
        renewal_on,
        policy_version,
        release_reason,
    } = touch.clone();
    pb::Touch {
        touch_id: id.to_string(),
        account_id,
        class: class_to_wire(class).into(),
        proposes_expansion,
        channel: channel_to_wire(channel).into(),
        sender,
        contact_id,
        offer_id,
        state: state_to_wire(state).into(),
        planned_time: Some(instant(planned_at)),
        actual_time: actual_at.map(instant),
        record_time: Some(instant(recorded_at)),
        expire_time: expires_at.map(instant),
        judged_renewal_date: renewal_on.map(day),
        policy_version,
        release_reason,
    }
}

pub(super) fn refusal(judgement: Judgement) -> pb::Refusal {
    let Judgement { blocking, earliest } = judgement;
    pb::Refusal {
        blocking: rules(blocking),
        earliest_time: earliest.map(instant),
    }
}

pub(super) fn allowance(judgement: Judgement) -> pb::GetAllowanceResponse {
    let allowed = judgement.allowed();
    let Judgement { blocking, earliest } = judgement;
    pb::GetAllowanceResponse {
        allowed,
        blocking: rules(blocking),
        earliest_time: earliest.map(instant),
    }
}

fn rules(blocking: Vec<Blocking>) -> Vec<pb::BlockingRule> {
    let rules = blocking.into_iter().map(
        |Blocking {
             rule,
             detail,
             touches,
             earliest,
         }| pb::BlockingRule {
            rule_id: rule.to_owned(),
            detail,
            touch_ids: touches.iter().map(Uuid::to_string).collect(),
            earliest_time: earliest.map(instant),
        },
    );
    rules.collect()
}

pub(super) fn reserve(request: pb::ReserveRequest) -> Result<Reserve, Problem> {
    let pb::ReserveRequest {
        account_id,
        class,
        proposes_expansion,
        channel: channel_wire,
        sender,
        idempotency_key,
        planned_time,
        contact_id,
        offer_id,
    } = request;
    let mut v = Violations::new();
    let account_id = v.take("account_id", text::key(&account_id));
    let class = touch_class(&mut v, class, proposes_expansion);
    let channel = channel(channel_wire);
    if channel.is_none() {
        v.add("channel", "must be set to a known channel");
    }
    let sender = v.take("sender", text::key(&sender));
    let idempotency_key = required(&mut v, "idempotency_key", &idempotency_key);
    let planned_at = optional_time(&mut v, "planned_time", planned_time);
    let contact_id = optional_key(&mut v, "contact_id", &contact_id);
    let offer_id = optional_key(&mut v, "offer_id", &offer_id);
    v.into_result()?;
    // Every None above added a violation, so from here on all are there.
    let (Some(account_id), Some(class), Some(channel), Some(sender), Some(idempotency_key)) =
        (account_id, class, channel, sender, idempotency_key)
    else {
        return Err(Problem::internal("a reservation without a field passed its checks"));
    };
    Ok(Reserve {
        account_id,
        class,
        proposes_expansion,
        channel,
        sender,
        idempotency_key,
        planned_at,
        contact_id,
        offer_id,
    })
}

pub(super) fn question(request: pb::GetAllowanceRequest) -> Result<Question, Problem> {
    let pb::GetAllowanceRequest {
        account_id,
        class,
        proposes_expansion,
        planned_time,
        contact_id,
        channel,
        sender,
    } = request;
    let mut v = Violations::new();
    let account_id = v.take("account_id", text::key(&account_id));
    let class = touch_class(&mut v, class, proposes_expansion);
    let planned_at = optional_time(&mut v, "planned_time", planned_time);
    let channel = self::channel(channel);
    if channel.is_none() && !contact_id.is_empty() {
        v.add("channel", "must be set to a known channel");
    }
    let addressee = channel
        .filter(|_| !contact_id.is_empty())
        .map(|channel| (contact_id, channel));
    v.into_result()?;
    let (Some(account_id), Some(class)) = (account_id, class) else {
        return Err(Problem::internal("a question without a field passed its checks"));
    };
    Ok(Question {
        account_id,
        class,
        proposes_expansion,
        sender,
        addressee,
        planned_at,
    })
}

pub(super) fn filter(request: &pb::ListTouchesRequest) -> Result<TouchFilter, Problem> {
    let pb::ListTouchesRequest {
        account_id,
        start_time,
        end_time,
        page_size: _,
        page_token: _,
    } = request;
    let mut v = Violations::new();
    let account_id = optional_key(&mut v, "account_id", account_id);
    let start = optional_time(&mut v, "start_time", *start_time);
    let end = optional_time(&mut v, "end_time", *end_time);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        v.add("end_time", "must be after start_time");
    }
    v.into_result()?;
    Ok(TouchFilter { account_id, start, end })
}

pub(super) fn touch_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| Problem::invalid_field("touch_id", "must be a UUID"))
}

pub(super) fn actual_time(time: Option<WireTime>) -> Result<Option<Timestamp>, Problem> {
    let mut v = Violations::new();
    let actual_at = optional_time(&mut v, "actual_time", time);
    v.into_result()?;
    Ok(actual_at)
}

pub(super) fn release_reason(reason: i32) -> Result<ReleaseReason, Problem> {
    use pb::release_request::Reason;
    match Reason::try_from(reason) {
        Ok(Reason::Cancelled) => Ok(ReleaseReason::Cancelled),
        Ok(Reason::NotSent) => Ok(ReleaseReason::NotSent),
        Ok(Reason::Bounced) => Ok(ReleaseReason::Bounced),
        Ok(Reason::Unspecified) | Err(_) => Err(Problem::invalid_field("reason", "must be set to a known reason")),
    }
}

/// The page key of a touch.
pub(super) fn page_key(touch: &Touch) -> String {
    format!("{}/{}", touch.planned_at.as_microsecond(), touch.id)
}

/// The touch after which a page begins. The token was made by us, so a fault is not the caller's.
pub(super) fn page_after(key: &str) -> Result<(Timestamp, Uuid), Problem> {
    let parsed = key.split_once('/').and_then(|(micros, id)| {
        let at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
        Some((at, Uuid::parse_str(id).ok()?))
    });
    parsed.ok_or_else(|| Problem::internal("a page token of ours cannot be read"))
}

const fn state_to_wire(state: TouchState) -> pb::touch::State {
    match state {
        TouchState::Reserved => pb::touch::State::Reserved,
        TouchState::Sending => pb::touch::State::Sending,
        TouchState::Confirmed => pb::touch::State::Confirmed,
        TouchState::Released => pb::touch::State::Released,
        TouchState::Expired => pb::touch::State::Expired,
        TouchState::Observed => pb::touch::State::Observed,
    }
}

fn touch_class(v: &mut Violations, wire: i32, proposes_expansion: bool) -> Option<TouchClass> {
    let found = class(wire);
    match found {
        None => v.add("class", "must be set to a known class"),
        Some(TouchClass::Renewal) => {}
        Some(other) if proposes_expansion => {
            v.add("proposes_expansion", format!("is for class renewal, not for {other}"));
        }
        Some(_) => {}
    }
    found
}

fn required(v: &mut Violations, field: &str, value: &str) -> Option<String> {
    let cleaned = v.take(field, text::clean(value, KEY_MAX))?;
    if cleaned.is_empty() {
        v.add(field, "must not be empty");
        return None;
    }
    Some(cleaned)
}

fn optional_key(v: &mut Violations, field: &str, value: &str) -> String {
    if value.is_empty() {
        String::new()
    } else {
        v.take(field, text::key(value)).unwrap_or_default()
    }
}

/// Instants are kept to the microsecond; what is finer is cut off.
fn optional_time(v: &mut Violations, field: &str, time: Option<WireTime>) -> Option<Timestamp> {
    let WireTime { seconds, nanos } = time?;
    let valid = (0..1_000_000_000).contains(&nanos);
    let at = valid
        .then(|| Timestamp::new(seconds, nanos / 1000 * 1000).ok())
        .flatten();
    if at.is_none() {
        v.add(field, "must be an instant between the years 1 and 9999");
    }
    at
}
