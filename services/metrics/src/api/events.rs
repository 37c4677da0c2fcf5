//! The events that are taken, read into facts. What cannot be read is refused with everything that is wrong.

use async_trait::async_trait;
use upswell_proto::{
    gtype,
    ingestion::v1::{AccountProfileChanged, AccountsMerged, AccountsUnmerged, SubscriptionChanged, VoiceHeard},
    offers::v1::{
        ApprovalChanged, ContactUnsubscribed, HoldoutAssigned, OfferChanged, OrderChanged, TouchChanged,
        VariantAssigned,
    },
    scoring::v1::{Signal as WireSignal, SignalChanged, signal::State as SignalState},
};
use upswell_runtime::{
    db::Tx,
    inbox::{Inbound, Inbox},
    money::{self, Money},
    problem::{Problem, Violations},
};

use super::{
    convert::{date, optional, required, settled, time, word},
    experiments, journeys,
    terms::line,
    voices,
};
use crate::{
    app::{App, Fact},
    domain::{
        journey::{Profile, Signal},
        subscription::Version,
    },
};

/// Applies the events of the other services.
pub struct EventInbox {
    app: App,
}

impl EventInbox {
    /// An inbox over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Inbox for EventInbox {
    /// The sums of everybody are kept under one lock.
    fn is_serial(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        if event.is::<AccountsMerged>() || event.is::<AccountsUnmerged>() {
            // What changed hands is told again under the account that goes on, right after.
            return Ok(());
        }
        Ok(self.app.record(tx, fact(event)?).await?)
    }
}

fn fact(event: &Inbound) -> Result<Fact, Problem> {
    if event.is::<AccountProfileChanged>() {
        profile(event.decode()?)
    } else if event.is::<SubscriptionChanged>() {
        subscription(event.decode()?)
    } else if event.is::<VoiceHeard>() {
        voices::voice(event.decode()?)
    } else if event.is::<SignalChanged>() {
        signal(event.decode()?)
    } else if event.is::<OfferChanged>() {
        journeys::offer(event.decode()?)
    } else if event.is::<OrderChanged>() {
        journeys::order(event.decode()?)
    } else if event.is::<TouchChanged>() {
        journeys::touch(event.decode()?)
    } else if event.is::<ApprovalChanged>() {
        journeys::approval(event.decode()?)
    } else if event.is::<HoldoutAssigned>() {
        journeys::arm(event.decode()?)
    } else if event.is::<ContactUnsubscribed>() {
        voices::unsubscribed(event.decode()?)
    } else if event.is::<VariantAssigned>() {
        experiments::assigned(event.decode()?)
    } else {
        Err(event.unknown())
    }
}

fn profile(wire: AccountProfileChanged) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let AccountProfileChanged { account_id, profile } = wire;
    let account_id = id("account_id", account_id, &mut violations);
    let wire = required("profile", profile, &mut violations, Ok::<_, String>).unwrap_or_default();
    let customer_since = violations.at("profile", |violations| {
        optional("customer_since", wire.customer_since, violations, date)
    });
    let profile = account_id
        .zip(customer_since)
        .map(|(account_id, customer_since)| Profile {
            account_id,
            segment: wire.segment,
            country: wire.country_code,
            customer_since,
        });
    settled(profile, violations).map(Fact::Profile)
}

fn subscription(wire: SubscriptionChanged) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let SubscriptionChanged {
        account_id,
        version_id,
        terms,
        mrr,
        occur_time,
        superseded,
        renewal_mrr: _,
    } = wire;
    let account_id = id("account_id", account_id, &mut violations);
    let version_id = id("version_id", version_id, &mut violations);
    let terms = required("terms", terms, &mut violations, Ok::<_, String>).unwrap_or_default();
    let (subscription_id, days, line) = violations.at("terms", |violations| {
        let subscription_id = id("subscription_id", terms.subscription_id.clone(), violations);
        let effective_on = required("effective_date", terms.effective_date, violations, date);
        let end_on = optional("end_date", terms.end_date, violations, date);
        let days = effective_on.zip(end_on);
        let line = days.and_then(|days| line(&terms, days, violations));
        (subscription_id, days, line)
    });
    let mrr = required("mrr", mrr, &mut violations, not_negative);
    let occurred_at = required("occur_time", occur_time, &mut violations, time);
    let version = (|| {
        let (effective_on, end_on) = days?;
        Some(Version {
            version_id: version_id?,
            subscription_id: subscription_id?,
            effective_on,
            end_on,
            mrr: mrr?,
            occurred_at: occurred_at?,
            superseded,
            order_id: (!terms.order_id.is_empty()).then_some(terms.order_id),
            terms: line?,
        })
    })();
    let (account_id, version) = settled(account_id.zip(version), violations)?;
    Ok(Fact::Version(account_id, version))
}

fn not_negative(wire: gtype::Money) -> Result<Money, String> {
    let mrr = money::from_proto(&wire).map_err(|fault| fault.to_string())?;
    if mrr.is_negative() {
        Err("must not be negative".to_owned())
    } else {
        Ok(mrr)
    }
}

fn signal(wire: SignalChanged) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let signal = required("signal", wire.signal, &mut violations, Ok::<_, String>).unwrap_or_default();
    let signal = violations.at("signal", |violations| {
        let withdrawn = signal.state() == SignalState::Withdrawn;
        let kind = word(signal.kind().as_str_name(), "SIGNAL_KIND_");
        let WireSignal {
            signal_id,
            account_id,
            open_time,
            ..
        } = signal;
        let signal_id = id("signal_id", signal_id, violations);
        let account_id = id("account_id", account_id, violations);
        let opened_at = required("open_time", open_time, violations, time);
        Some(Signal {
            signal_id: signal_id?,
            account_id: account_id?,
            kind,
            opened_at: opened_at?,
            withdrawn,
        })
    });
    settled(signal, violations).map(Fact::Signal)
}

/// An identifier that another service gave: it is kept as it is, and only has to be there.
pub(super) fn id(field: &str, value: String, violations: &mut Violations) -> Option<String> {
    if value.is_empty() {
        violations.add(field, "is required");
        return None;
    }
    Some(value)
}
