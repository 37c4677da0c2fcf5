//! Which signal leads to which motion, audience, channel, message, owner and guards (M-7). Data, not code.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    decision::Timing,
    discount::Deal,
    message::{Language, Template},
    variants::VariantTest,
    vocabulary::{Channel, ContactRole, Grade, HealthBand, Motion, Owner, SignalKind, TouchClass},
};

pub mod facts;
mod rollout;
#[cfg(test)]
mod tests;

pub use self::rollout::{Rollout, Stage};

/// One playbook. Everything that can be checked without an account was checked when it was loaded.
#[derive(Debug)]
pub struct Playbook {
    /// Its key.
    pub key: String,
    /// Its version, counted by its author.
    pub version: i64,
    /// The signals that start it.
    pub signals: BTreeSet<SignalKind>,
    /// Only signals of these subjects; empty means all.
    pub subjects: BTreeSet<String>,
    /// Kind of expansion or help.
    pub motion: Motion,
    /// Class of its touches.
    pub class: TouchClass,
    /// When its offers are decided.
    pub timing: Timing,
    /// What it sells.
    pub proposal: Proposal,
    /// At which price beside that of the list (M-4, M-6).
    pub deal: Deal,
    /// Who drives it; none means by size and segment (M-3).
    pub owner: Option<Owner>,
    /// Channels in order of preference, by owner. An owner without channels cannot use this playbook.
    pub channels: BTreeMap<Owner, Vec<Channel>>,
    /// Whom it talks to.
    pub audience: Audience,
    /// What must hold besides the general rules.
    pub guards: Guards,
    /// Who gets it yet (C-13).
    pub rollout: Rollout,
    /// Its signals are used up when it is sent (SG-R3).
    pub consumes_signals: bool,
    /// Days that an offer stays open for an answer (SG-R3).
    pub validity_days: i64,
    /// The test of its variants; none when there is nothing to test (T-7).
    pub test: Option<VariantTest>,
    /// What it says; the first that fits is used.
    pub messages: Vec<MessageFrame>,
}

/// What a playbook sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// Nothing: help.
    Nothing,
    /// This add-on or plan.
    Product {
        /// Catalogue key.
        product: String,
        /// How many.
        units: Units,
    },
    /// The add-on of its motion that adds the signal's metric or stands next to the signal's feature.
    BySubject {
        /// How many.
        units: Units,
    },
    /// The plan above the account's.
    NextPlan,
}

/// How many units are proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Units {
    /// Always so many.
    Fixed(i64),
    /// As many as cover a figure of the signal: the figure divided by `per`, rounded up, at least one.
    Cover {
        /// Name of the evidence.
        fact: String,
        /// What one unit covers.
        per: i64,
    },
}

/// Whom a playbook talks to (T-3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Roles in order of preference.
    pub roles: Vec<ContactRole>,
    /// The person must be one of these; empty means anybody of the roles.
    pub any_of: BTreeSet<Standing>,
}

super::vocabulary::words! {
    /// What a person is at the account besides the role.
    Standing, "standing" {
        /// Holds a budget.
        BudgetHolder = "budget_holder",
        /// Decides about the renewal.
        RenewalDecisionMaker = "renewal_decision_maker",
        /// Speaks for the product inside the account.
        Champion = "champion",
    }
}

super::vocabulary::words! {
    /// The argument that a message makes (T-3). Each is for those whom it concerns.
    Claim, "claim" {
        /// What it costs and brings.
        Economics = "economics",
        /// That it works, and is safe.
        Reliability = "reliability",
        /// What the business gets done.
        Value = "value",
        /// The account's own figures and nothing else: concerns everybody.
        Figures = "figures",
    }
}

impl Claim {
    /// Whether it may be made to somebody who answers for this: finance gets economics, IT gets reliability, business
    /// gets value (T-3). The technology text never reaches the CFO (C-18).
    pub const fn is_for(self, role: ContactRole) -> bool {
        match self {
            Self::Economics => matches!(
                role,
                ContactRole::Finance | ContactRole::Executive | ContactRole::Business
            ),
            Self::Reliability => matches!(role, ContactRole::It | ContactRole::EndUser),
            Self::Value => matches!(
                role,
                ContactRole::Business | ContactRole::Executive | ContactRole::EndUser
            ),
            Self::Figures => true,
        }
    }
}

/// What must hold for a playbook besides the general rules. `None` means that it does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guards {
    /// The best signal presses at least so much.
    pub min_grade: Option<Grade>,
    /// Health is at least in this band.
    pub min_health_band: Option<HealthBand>,
    /// Propensity to expand is at least this, 0 to 1.
    pub min_propensity: Option<f64>,
    /// No critical ticket is open for longer than this many days (SG-5).
    pub max_critical_ticket_age_days: Option<i64>,
    /// The account is a customer for at least so many days (SC-10).
    pub min_customer_days: Option<i64>,
    /// Another playbook came first, for the same subject.
    pub after: Option<After>,
}

/// Another playbook has to come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Its key.
    pub playbook: String,
    /// Days since it was sent.
    pub days: i64,
}

/// A message with the circumstances that it is written for. An empty set means any.
#[derive(Debug)]
pub struct MessageFrame {
    /// All of these kinds of signal are open.
    pub signals: BTreeSet<SignalKind>,
    /// One of these drives the offer.
    pub owners: BTreeSet<Owner>,
    /// The person has one of these roles (T-3).
    pub roles: BTreeSet<ContactRole>,
    /// The argument that it makes; none for words to people of ours and for help.
    pub claim: Option<Claim>,
    /// Only in this arm of the playbook's test; none means in all (T-7).
    pub variant: Option<String>,
    /// Every fact that the words use; without each of them it cannot be sent (T-1).
    pub facts: BTreeSet<String>,
    /// The words by language.
    pub texts: BTreeMap<Language, Template>,
}

impl Playbook {
    /// Whether a touch of it asks for money, so that all commercial rules hold (C-1).
    pub fn is_commercial(&self) -> bool {
        self.class == TouchClass::Commercial || self.proposes_expansion()
    }

    /// A renewal message that proposes expansion (C-1).
    pub fn proposes_expansion(&self) -> bool {
        self.class == TouchClass::Renewal && self.proposal != Proposal::Nothing
    }

    /// Whether a signal starts it.
    pub fn wants(&self, kind: SignalKind, subject: &str) -> bool {
        self.signals.contains(&kind) && (self.subjects.is_empty() || self.subjects.contains(subject))
    }
}

impl MessageFrame {
    /// Whether it is written for these circumstances; `role` is none for a task about the account.
    pub fn fits(
        &self,
        signals: &BTreeSet<SignalKind>,
        owner: Owner,
        role: Option<ContactRole>,
        arm: Option<&str>,
    ) -> bool {
        self.signals.is_subset(signals)
            && self.variant.as_deref().is_none_or(|variant| arm == Some(variant))
            && (self.owners.is_empty() || self.owners.contains(&owner))
            && (self.roles.is_empty() || role.is_none_or(|role| self.roles.contains(&role)))
    }
}
