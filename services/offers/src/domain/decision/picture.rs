//! Everything that one decision knows about an account. Nothing else may influence it; so it is kept with the decision, which
//! can be made again from it (C-16).

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use upswell_runtime::money::Money;
use uuid::Uuid;

use crate::domain::{
    conversion::Learned,
    ledger::{AccountCalendar, Hold, Row},
    vocabulary::{
        Channel, ContactRole, Grade, HealthBand, Motion, OfferState, SignalKind, SubscriptionKind, TouchClass,
    },
};

/// An account as it stands at the moment of a decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountPicture {
    /// The account.
    pub account_id: String,
    /// Who it is.
    pub profile: Profile,
    /// Its people, in any order.
    pub contacts: Vec<Contact>,
    /// What it subscribes to now.
    pub subscriptions: Vec<SubscriptionView>,
    /// Its monthly revenue; none while nothing is subscribed. Its currency is the one that offers are made in.
    pub mrr: Option<Money>,
    /// Its newest score; none before the first.
    pub score: Option<ScoreView>,
    /// Critical tickets that are open now; newer than the score (SC-9).
    pub problems: Problems,
    /// Its open signals, in any order.
    pub signals: Vec<SignalView>,
    /// All offers it ever had, in any order.
    pub offers: Vec<OfferHistory>,
    /// Its counting touches in the ledger.
    pub ledger_rows: Vec<Row>,
    /// Time zone and renewals that the limits are judged by.
    pub calendar: AccountCalendar,
    /// The suppression in force; none when it may be contacted (C-10).
    pub suppressed: Option<Suppressed>,
    /// The holds on it, those to come among them (C-17).
    pub holds: Vec<Hold>,
    /// It is in the control group (C-12).
    pub holdout: bool,
    /// What the programme as a whole had learned.
    #[serde(default)]
    pub programme: Programme,
}

/// What other accounts taught, as far as it bears on this one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Programme {
    /// What became of offers, by motion (M-1).
    pub learned: BTreeMap<Motion, Learned>,
    /// Playbooks that are paused, with the reason (C-15).
    pub paused: BTreeMap<String, String>,
}

/// Who an account is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    /// The company's name.
    pub display_name: String,
    /// Segment, e.g. `mid-market`.
    pub segment: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Decides its calendar days.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub time_zone: TimeZone,
    /// BCP 47.
    pub language: String,
    /// Enterprise by contract; by plan and by revenue is decided here (I-1).
    pub enterprise: bool,
    /// Its customer success manager; none when nobody is assigned.
    pub csm_id: Option<String>,
    /// When it became a customer; none when unknown.
    pub customer_since: Option<Date>,
}

/// A person at the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person.
    pub id: String,
    /// Used in the greeting; none when unknown (T-1).
    pub first_name: Option<String>,
    /// What the person answers for.
    pub role: ContactRole,
    /// Holds a budget.
    pub budget_holder: bool,
    /// Decides about the renewal.
    pub renewal_decision_maker: bool,
    /// Speaks for the product inside the account.
    pub champion: bool,
    /// Where the person may be reached.
    pub points: Vec<ContactPoint>,
    /// BCP 47; none means the account's.
    pub language: Option<String>,
}

/// One address of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    /// The channel.
    pub channel: Channel,
    /// The address on it.
    pub address: String,
    /// The person agreed and did not opt out (C-10).
    pub consent: bool,
}

/// A contract line in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubscriptionView {
    /// Catalogue key.
    pub product: String,
    /// Plan or add-on.
    pub kind: SubscriptionKind,
    /// Units.
    pub quantity: i64,
    /// Monthly revenue of all units.
    pub mrr: Money,
    /// Limits that it grants, by metric.
    pub limits: BTreeMap<String, i64>,
}

/// The numbers of scoring (SC-1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreView {
    /// 0 to 100.
    pub health: i32,
    /// Band of the health.
    pub band: HealthBand,
    /// Health now minus a week before; none when unknown (SC-3).
    pub health_change: Option<i32>,
    /// 0 to 1, up is bad.
    pub churn_risk: f64,
    /// 0 to 1, up is good.
    pub propensity: f64,
    /// What computed the two.
    pub model_version: String,
}

/// Problems of the account that are open now (SC-9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// Critical tickets that are not resolved.
    pub open_critical: u32,
    /// When the oldest of them was opened.
    pub oldest_critical_at: Option<Timestamp>,
}

/// An open signal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignalView {
    /// The signal.
    pub id: String,
    /// What kind it is.
    pub kind: SignalKind,
    /// Metric, topic, feature or mark.
    pub subject: String,
    /// How pressing it is.
    pub grade: Grade,
    /// 0 to 1.
    pub strength: f64,
    /// When it opened.
    pub opened_at: Timestamp,
    /// The facts behind it.
    pub evidence: Vec<Evidence>,
}

/// One figure behind a signal (SG-R1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The name by which messages ask for it.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What it was compared with; none without a baseline.
    pub baseline: Option<f64>,
}

/// An offer that the account had, as far as it matters for the next one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfferHistory {
    /// The offer.
    pub id: Uuid,
    /// Its playbook.
    pub playbook: String,
    /// Its motion.
    pub motion: Motion,
    /// Its subject.
    pub subject: String,
    /// Its class.
    pub class: TouchClass,
    /// It proposes expansion although its class is renewal.
    pub proposes_expansion: bool,
    /// Where it is in its life.
    pub state: OfferState,
    /// The signals behind it.
    pub signal_ids: Vec<String>,
    /// When it was sent; none until then.
    pub sent_at: Option<Timestamp>,
    /// When it came into its state.
    pub state_at: Timestamp,
    /// Earliest legal time while deferred.
    pub deferred_until: Option<Timestamp>,
}

/// A suppression in force (C-10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Why, for a person.
    pub reason: String,
    /// When it ends by itself; none means never.
    pub until: Option<Timestamp>,
}
