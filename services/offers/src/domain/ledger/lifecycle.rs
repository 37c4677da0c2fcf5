//! The life of one touch: every legal step, decided from the account's rows without changing them.

use jiff::{Timestamp, civil::Date};
use upswell_runtime::ids;
use uuid::Uuid;

use super::{AccountCalendar, CapPolicy, Judgement, Proposal, Row, Standing, displaced, gates, judge, judge_behind};
use crate::domain::vocabulary::{Channel, TouchClass, TouchState};

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Derived from sender and idempotency key.
    pub id: Uuid,
    /// Whose limits it uses.
    pub account_id: String,
    /// What it is about.
    pub class: TouchClass,
    /// A renewal message that proposes expansion.
    pub proposes_expansion: bool,
    /// How it reaches the account.
    pub channel: Channel,
    /// Who makes it.
    pub sender: String,
    /// The sender's own key of it.
    pub idempotency_key: String,
    /// What was asked for under that key.
    pub content: Uuid,
    /// Who is contacted; empty for nobody in particular.
    pub contact_id: String,
    /// The offer that it carries; empty for none.
    pub offer_id: String,
    /// Where it stands.
    pub state: TouchState,
    /// When it is to be made.
    pub planned_at: Timestamp,
    /// When sending began, then when it was made.
    pub actual_at: Option<Timestamp>,
    /// When the place was granted or the touch observed.
    pub recorded_at: Timestamp,
    /// When an unused reservation frees itself.
    pub expires_at: Option<Timestamp>,
    /// The renewal date by which its instant was judged.
    pub renewal_on: Option<Date>,
    /// The limits by which its instant was judged.
    pub policy_version: String,
    /// Why it was released; empty otherwise.
    pub release_reason: String,
}

/// Asks for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// The account.
    pub account_id: String,
    /// What the touch is about.
    pub class: TouchClass,
    /// A renewal message that proposes expansion.
    pub proposes_expansion: bool,
    /// How it will reach the account.
    pub channel: Channel,
    /// Who sends.
    pub sender: String,
    /// The sender's own key.
    pub idempotency_key: String,
    /// When; `None` means now.
    pub planned_at: Option<Timestamp>,
    /// Who is to be contacted; empty for nobody in particular.
    pub contact_id: String,
    /// The offer that it carries; empty for none.
    pub offer_id: String,
}

/// Tells of a touch that another tool made unannounced (C-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observe {
    /// The fact that tells of it, `source/external_id`.
    pub fact_id: String,
    /// The account.
    pub account_id: String,
    /// What it was about.
    pub class: TouchClass,
    /// A renewal message that also proposed expansion.
    pub proposes_expansion: bool,
    /// How it reached the account.
    pub channel: Channel,
    /// Who made it.
    pub sender: String,
    /// Who was contacted; empty when unknown.
    pub contact_id: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// Why a place is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseReason {
    /// No longer wanted; only before sending.
    Cancelled,
    /// Sending failed before anything left.
    NotSent,
    /// It left and came back: nobody was reached (C-5).
    Bounced,
    /// It became illegal when the renewal date moved (C-8) or another touch was made at another time.
    Displaced,
    /// The fact that told of it was corrected: it was never made (I-5). Only of observed touches.
    Superseded,
}

impl ReleaseReason {
    /// The one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::NotSent => "not_sent",
            Self::Bounced => "bounced",
            Self::Displaced => "displaced",
            Self::Superseded => "superseded",
        }
    }
}

/// Why a step is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TouchFault {
    /// The reservation was not used in time.
    #[error("the reservation expired")]
    Expired,
    /// The place was given back.
    #[error("the touch was released: {0}")]
    Released(String),
    /// Too early.
    #[error("sending may not begin before {0}")]
    NotDue(Timestamp),
    /// At this instant the touch would break a rule.
    #[error("the touch may not be made now: {}", rules(.0))]
    Blocked(Judgement),
    /// Sending had not begun, or the place is no longer held.
    #[error("the touch is {0}, not sending")]
    NotSending(TouchState),
    /// Its sending has begun: it may have reached somebody.
    #[error("the touch is being sent and can only be released as not_sent or bounced")]
    Sending,
    /// It was made.
    #[error("the touch was made and can only be released as bounced")]
    Confirmed,
}

/// A touch that came to its actual instant, and what had to make way for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The touch, SENDING or CONFIRMED.
    pub touch: Touch,
    /// Reservations that its actual instant made illegal: what was sent stands before what is planned (C-8).
    pub displaced: Vec<Uuid>,
}

impl Reserve {
    /// The touch that this asks for.
    pub fn touch_id(&self) -> Uuid {
        ids::derive("touch", &[&self.sender, &self.idempotency_key])
    }

    /// Names everything that was asked for, so that a key used for something else is noticed.
    pub fn content(&self) -> Uuid {
        let planned = self.planned_at.map(|at| at.to_string()).unwrap_or_default();
        let expansion = if self.proposes_expansion { "expansion" } else { "" };
        let Self {
            account_id,
            class,
            channel,
            contact_id,
            offer_id,
            ..
        } = self;
        let parts = [
            account_id,
            class.as_str(),
            expansion,
            channel.as_str(),
            &planned,
            contact_id,
            offer_id,
        ];
        ids::derive("touch-content", &parts)
    }

    /// Grants the place or says why not. `now` is the account's time, which never runs backwards; a planned instant
    /// before it means now.
    pub fn decide(
        &self,
        policy: &CapPolicy,
        standing: &Standing,
        rows: &[Row],
        now: Timestamp,
    ) -> Result<Touch, Judgement> {
        let planned_at = self.planned_at.unwrap_or(now).max(now);
        let proposal = Proposal {
            class: self.class,
            proposes_expansion: self.proposes_expansion,
            at: planned_at,
        };
        let gates = gates(standing, self.class, self.proposes_expansion, &self.sender);
        let judgement = judge_behind(policy, &standing.calendar, rows, &proposal, &gates);
        if !judgement.allowed() {
            return Err(judgement);
        }
        Ok(Touch {
            id: self.touch_id(),
            account_id: self.account_id.clone(),
            class: self.class,
            proposes_expansion: self.proposes_expansion,
            channel: self.channel,
            sender: self.sender.clone(),
            idempotency_key: self.idempotency_key.clone(),
            content: self.content(),
            contact_id: self.contact_id.clone(),
            offer_id: self.offer_id.clone(),
            state: TouchState::Reserved,
            planned_at,
            actual_at: None,
            recorded_at: now,
            expires_at: planned_at.saturating_add(policy.reservation_ttl).ok(),
            renewal_on: standing.calendar.renewal(),
            policy_version: policy.version.clone(),
            release_reason: String::new(),
        })
    }
}

impl Observe {
    /// The touch that this tells of.
    pub fn touch_id(&self) -> Uuid {
        ids::derive("observed-touch", &[&self.fact_id])
    }

    /// The row, OBSERVED: it counts, and nothing is asked of it.
    pub fn touch(&self, policy: &CapPolicy, calendar: &AccountCalendar, now: Timestamp) -> Touch {
        let id = self.touch_id();
        Touch {
            id,
            account_id: self.account_id.clone(),
            class: self.class,
            proposes_expansion: self.proposes_expansion,
            channel: self.channel,
            sender: self.sender.clone(),
            idempotency_key: format!("observed/{id}"),
            content: id,
            contact_id: self.contact_id.clone(),
            offer_id: String::new(),
            state: TouchState::Observed,
            planned_at: self.made_at,
            actual_at: Some(self.made_at),
            recorded_at: now,
            expires_at: None,
            renewal_on: calendar.renewal(),
            policy_version: policy.version.clone(),
            release_reason: String::new(),
        }
    }
}

impl Touch {
    /// The instant at which it counts.
    pub fn counts_at(&self) -> Timestamp {
        self.actual_at.unwrap_or(self.planned_at)
    }

    /// The touch as the rules see it.
    pub fn row(&self) -> Row {
        Row {
            touch_id: self.id,
            class: self.class,
            proposes_expansion: self.proposes_expansion,
            at: self.counts_at(),
            state: self.state,
        }
    }

    /// Sending begins at `now`. The instant is judged anew among those of the other `rows` that were made or are being
    /// made: the grant was for the planned one, and other tools may have made touches since. Reservations which it makes
    /// illegal give way, as the next place, a whole window after the planned instant, does when sending begins a moment
    /// late. `None` when it began before.
    pub fn begin(
        &self,
        policy: &CapPolicy,
        standing: &Standing,
        rows: &[Row],
        now: Timestamp,
    ) -> Result<Option<Moved>, TouchFault> {
        match self.state {
            TouchState::Sending | TouchState::Confirmed | TouchState::Observed => return Ok(None),
            TouchState::Released => return Err(TouchFault::Released(self.release_reason.clone())),
            TouchState::Expired => return Err(TouchFault::Expired),
            TouchState::Reserved => {}
        }
        if self.is_over(now) {
            return Err(TouchFault::Expired);
        }
        let due = self
            .planned_at
            .saturating_sub(policy.early_tolerance)
            .unwrap_or(Timestamp::MIN);
        if now < due {
            return Err(TouchFault::NotDue(due));
        }
        let gates = gates(standing, self.class, self.proposes_expansion, &self.sender);
        let (calendar, mut rows) = (&standing.calendar, self.others(rows));
        let begun: Vec<Row> = rows
            .iter()
            .filter(|row| row.state != TouchState::Reserved)
            .cloned()
            .collect();
        let judgement = judge_behind(policy, calendar, &begun, &self.proposal(now), &gates);
        if !judgement.allowed() {
            return Err(TouchFault::Blocked(judgement));
        }
        let touch = Self {
            state: TouchState::Sending,
            actual_at: Some(now),
            expires_at: None,
            renewal_on: calendar.renewal(),
            policy_version: policy.version.clone(),
            ..self.clone()
        };
        rows.push(touch.row());
        let displaced = displaced(policy, calendar, &rows, self.id);
        Ok(Some(Moved { touch, displaced }))
    }

    /// The touch was made at `actual_at`, which lies between the beginning of sending and `now`. Reservations which
    /// that makes illegal give way. Where it would stand against touches whose own sending has begun, and which were
    /// judged by the instant known until now, that instant stays. `None` when it was confirmed before.
    pub fn confirm(
        &self,
        policy: &CapPolicy,
        calendar: &AccountCalendar,
        rows: &[Row],
        actual_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Moved>, TouchFault> {
        match self.state {
            TouchState::Confirmed => return Ok(None),
            TouchState::Sending => {}
            other => return Err(TouchFault::NotSending(other)),
        }
        let began_at = self.counts_at();
        let made_at = actual_at.unwrap_or(now).min(now).max(began_at);
        let others = self.others(rows);
        let begun: Vec<Row> = others
            .iter()
            .filter(|row| matches!(row.state, TouchState::Sending | TouchState::Confirmed))
            .cloned()
            .collect();
        let fits = made_at == began_at || judge(policy, calendar, &begun, &self.proposal(made_at)).allowed();
        let actual_at = if fits { made_at } else { began_at };
        let touch = Self {
            state: TouchState::Confirmed,
            actual_at: Some(actual_at),
            ..self.clone()
        };
        let mut rows = others;
        rows.push(touch.row());
        let displaced = if actual_at == began_at {
            Vec::new()
        } else {
            displaced(policy, calendar, &rows, self.id)
        };
        Ok(Some(Moved { touch, displaced }))
    }

    /// Gives the place back. `None` when it is free already.
    pub fn release(&self, reason: ReleaseReason) -> Result<Option<Self>, TouchFault> {
        match (self.state, reason) {
            (TouchState::Released | TouchState::Expired, _) => return Ok(None),
            (TouchState::Observed, ReleaseReason::Superseded) => {}
            (_, ReleaseReason::Superseded) => return Err(TouchFault::Confirmed),
            (TouchState::Reserved, _) | (_, ReleaseReason::Bounced) => {}
            (TouchState::Sending, ReleaseReason::NotSent) => {}
            (TouchState::Sending, _) => return Err(TouchFault::Sending),
            (TouchState::Confirmed | TouchState::Observed, _) => return Err(TouchFault::Confirmed),
        }
        let release_reason = reason.as_str().to_owned();
        Ok(Some(Self {
            state: TouchState::Released,
            expires_at: None,
            release_reason,
            ..self.clone()
        }))
    }

    /// Whether it is a reservation whose time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.state == TouchState::Reserved && self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// The reservation, freed because its time is over.
    pub fn expire(&self, now: Timestamp) -> Option<Self> {
        self.is_over(now).then(|| Self {
            state: TouchState::Expired,
            ..self.clone()
        })
    }

    fn proposal(&self, at: Timestamp) -> Proposal {
        Proposal {
            class: self.class,
            proposes_expansion: self.proposes_expansion,
            at,
        }
    }

    fn others(&self, rows: &[Row]) -> Vec<Row> {
        rows.iter().filter(|row| row.touch_id != self.id).cloned().collect()
    }
}

fn rules(judgement: &Judgement) -> String {
    let rules = judgement
        .blocking
        .iter()
        .map(|blocking| format!("{} ({})", blocking.rule, blocking.detail));
    rules.collect::<Vec<_>>().join("; ")
}
