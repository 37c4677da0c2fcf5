//! The touch ledger (RN-2). Every call has a deadline and may be repeated: keys and touches make it harmless.

use std::collections::BTreeSet;

use jiff::Timestamp;
use prost_types::Timestamp as WireTime;
use upswell_proto::{
    offers::v1::{
        BeginSendRequest, ConfirmRequest, ReleaseRequest, ReserveRequest, release_request::Reason,
        reserve_response::Outcome, touch_ledger_service_client::TouchLedgerServiceClient,
    },
    vocabulary::v1::TouchClass,
};
use upswell_runtime::{
    client::{ClientSettings, Peers, Traced, call},
    problem::Problem,
};

use crate::{
    NAME,
    domain::contact::{Contact, ContactKind, Place, Step},
};

/// What the ledger says when a contact begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It may be made.
    Sending,
    /// The place expired, was released, or rules stand against it now; with them, the earliest time that they allow.
    Displaced(Vec<String>, Option<Timestamp>),
}

/// The client of the ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    peers: Peers,
    settings: ClientSettings,
}

impl Ledger {
    /// A client of the peer `offers`.
    pub fn new(peers: Peers, settings: ClientSettings) -> Self {
        Self { peers, settings }
    }

    fn client(&self) -> Result<TouchLedgerServiceClient<Traced>, Problem> {
        Ok(TouchLedgerServiceClient::new(self.peers.channel("offers")?))
    }

    /// Asks for the place of a contact, by its key.
    pub async fn reserve(&self, contact: &Contact, now: Timestamp) -> Result<Place, Problem> {
        let contractual = contact.kind == ContactKind::Signature;
        let class = if contractual {
            TouchClass::Contractual
        } else {
            TouchClass::Renewal
        };
        let request = ReserveRequest {
            account_id: contact.account_id.clone(),
            class: class.into(),
            proposes_expansion: contact.proposes_expansion && !contractual,
            channel: contact.channel,
            sender: NAME.to_owned(),
            idempotency_key: contact.key(),
            // A time in the past would be refused; unset means now.
            planned_time: (contact.planned_at > now).then(|| wire(contact.planned_at)),
            contact_id: contact.person_id.clone(),
            offer_id: String::new(),
        };
        let client = self.client()?;
        let ask = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.reserve(request).await }
        };
        let answer = match call(&self.settings, "offers.Reserve", ask).await {
            // The key is the contact's own: its place was granted when the planned time was still ahead, and the answer lost.
            Err(problem) if problem.reason() == "REQUEST_ID_REUSED" => {
                let touch_id = problem.metadata().get("touch_id").cloned();
                return touch_id.map(Place::Granted).ok_or(problem);
            }
            answer => answer?,
        };
        match answer.outcome {
            Some(Outcome::Granted(touch)) => Ok(Place::Granted(touch.touch_id)),
            Some(Outcome::Refused(refusal)) => {
                let rules: BTreeSet<String> = refusal.blocking.into_iter().map(|rule| rule.rule_id).collect();
                Ok(Place::Refused(
                    rules.into_iter().collect(),
                    refusal.earliest_time.as_ref().and_then(read),
                ))
            }
            None => Err(Problem::internal("the ledger neither granted nor refused")),
        }
    }

    /// Says that sending begins.
    pub async fn begin(&self, touch_id: &str) -> Result<Begun, Problem> {
        let request = BeginSendRequest {
            touch_id: touch_id.to_owned(),
        };
        let client = self.client()?;
        let ask = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.begin_send(request).await }
        };
        match call(&self.settings, "offers.BeginSend", ask).await {
            Ok(_) => Ok(Begun::Sending),
            Err(problem) => match problem.reason() {
                "TOUCH_EXPIRED" | "TOUCH_RELEASED" => Ok(Begun::Displaced(Vec::new(), None)),
                "TOUCH_BLOCKED" => {
                    // The place stands as long as nobody gives it back, and would be in the way of the next one.
                    self.release(touch_id, Step::Cancel).await?;
                    let rules = problem.metadata().get("rules").map(String::as_str).unwrap_or_default();
                    let rules = rules
                        .split([',', ' '])
                        .filter(|rule| !rule.is_empty())
                        .map(str::to_owned);
                    let earliest = problem
                        .metadata()
                        .get("earliest_time")
                        .and_then(|time| time.parse().ok());
                    Ok(Begun::Displaced(rules.collect(), earliest))
                }
                _ => Err(problem),
            },
        }
    }

    /// Gives back a place whose answer nobody knows: it is asked for by the same key, which names it, and released.
    pub async fn take_back(&self, contact: &Contact, now: Timestamp) -> Result<(), Problem> {
        match self.reserve(contact, now).await? {
            Place::Granted(touch_id) => self.release(&touch_id, Step::Cancel).await,
            Place::Refused(..) => Ok(()),
        }
    }

    /// Says that the touch was made at an instant, µs since the epoch.
    pub async fn confirm(&self, touch_id: &str, at: i64) -> Result<(), Problem> {
        let request = ConfirmRequest {
            touch_id: touch_id.to_owned(),
            actual_time: Some(wire(upswell_runtime::db::from_micros(at))),
        };
        let client = self.client()?;
        let ask = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.confirm(request).await }
        };
        call(&self.settings, "offers.Confirm", ask).await.map(|_| ())
    }

    /// Gives the place back.
    pub async fn release(&self, touch_id: &str, step: Step) -> Result<(), Problem> {
        let reason = match step {
            Step::Reserve | Step::TakeBack | Step::Confirm(_) | Step::Cancel => Reason::Cancelled,
            Step::NotSent => Reason::NotSent,
            Step::Bounced => Reason::Bounced,
        };
        let request = ReleaseRequest {
            touch_id: touch_id.to_owned(),
            reason: reason.into(),
        };
        let client = self.client()?;
        let ask = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.release(request).await }
        };
        match call(&self.settings, "offers.Release", ask).await {
            // It freed itself meanwhile.
            Err(problem) if problem.reason() == "TOUCH_EXPIRED" => Ok(()),
            answer => answer.map(|_| ()),
        }
    }
}

fn wire(instant: Timestamp) -> WireTime {
    let micros = instant.as_microsecond();
    // The remainder is below 10⁹, so the cast cannot truncate.
    WireTime {
        seconds: micros.div_euclid(1_000_000),
        nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
    }
}

fn read(wire: &WireTime) -> Option<Timestamp> {
    Timestamp::new(wire.seconds, wire.nanos).ok()
}
