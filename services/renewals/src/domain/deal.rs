//! One coming renewal of one subscription, and the steps it may take; see [`super::stage`] for the machine.

use jiff::{Timestamp, civil::Date};
use upswell_runtime::{ids, money::Money};
use uuid::Uuid;

use super::{account::days_between, contract::Term, stage::Stage, words::words};

/// Who moved a deal because of its date.
pub const CALENDAR: &str = "calendar";
/// Who closed a deal because the contract went on.
pub const CONTRACT: &str = "contract";
/// Detail of the loss of a deal whose subscription ended.
pub const ENDED: &str = "subscription ended";

words! {
    /// Why a renewal was lost (RN-4).
    LossCategory, "loss category" {
        /// Too dear.
        Price = "price",
        /// Something is missing in the product.
        MissingFeature = "missing_feature",
        /// An integration is missing.
        MissingIntegration = "missing_integration",
        /// Not used enough.
        LowAdoption = "low_adoption",
        /// Poor service.
        Service = "service",
        /// Another product was chosen.
        Competitor = "competitor",
        /// The customer closed, merged or has no more need.
        NoNeed = "no_need",
        /// None of these.
        Other = "other",
    }
}

/// A structured reason of a loss (RN-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossReason {
    /// Category.
    pub category: LossCategory,
    /// In the customer's words.
    pub detail: String,
    /// Who won instead; empty when nobody or unknown.
    pub competitor: String,
}

/// When a stage was entered and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageEntry {
    /// The stage.
    pub stage: Stage,
    /// When.
    pub entered_at: Timestamp,
    /// The person, [`CALENDAR`] or [`CONTRACT`].
    pub actor: String,
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// Derived from the subscription and the number, so that it stays when the date moves.
    pub deal_id: Uuid,
    /// Counts the deals of the subscription, from 1.
    pub number: i32,
    /// The day it renews.
    pub renewal_on: Date,
    /// First day of the term that renews, by which the deal finds its term again.
    pub term_from: Date,
    /// The day on which the renewal date became known.
    pub known_on: Date,
    /// Where it stands.
    pub stage: Stage,
    /// When the stage was entered.
    pub stage_at: Timestamp,
    /// Who is in charge; empty when nobody is.
    pub owner_id: String,
    /// The monthly amount that renews.
    pub mrr: Money,
    /// Money at risk a month (RN-3); nothing once closed.
    pub at_risk: Money,
    /// Why it was lost.
    pub loss: Option<LossReason>,
    /// Stages entered so far, in order.
    pub history: Vec<StageEntry>,
    /// Counts the changes, but not those of [`Deal::at_risk`] alone, which drifts from day to day.
    pub version: i64,
}

impl Deal {
    /// Opens the deal of `term`, where its date puts it.
    pub(super) fn open(subscription_id: &str, number: i32, term: &Term, today: Date, now: Timestamp) -> Self {
        let stage = Stage::by_date(days_between(today, term.renewal_on));
        let mut deal = Self {
            deal_id: ids::derive("deal", &[subscription_id, &number.to_string()]),
            number,
            renewal_on: term.renewal_on,
            term_from: term.from,
            known_on: today,
            stage,
            stage_at: now,
            owner_id: String::new(),
            mrr: term.mrr,
            at_risk: Money::zero(term.mrr.currency),
            loss: None,
            history: Vec::new(),
            version: 0,
        };
        deal.enter(stage, CALENDAR, now);
        deal
    }

    /// True until it is renewed or lost.
    pub fn is_open(&self) -> bool {
        !self.stage.is_closed()
    }

    /// What a caller has to know to change it.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    pub(super) fn enter(&mut self, stage: Stage, actor: &str, now: Timestamp) {
        self.stage = stage;
        self.stage_at = now;
        self.history.push(StageEntry {
            stage,
            entered_at: now,
            actor: actor.to_owned(),
        });
    }

    /// Takes over what the contract says now. When the date moved, the stage is the one of the new date, also backwards.
    pub(super) fn follow(&mut self, term: &Term, today: Date, now: Timestamp) {
        self.term_from = term.from;
        self.mrr = term.mrr;
        if self.renewal_on != term.renewal_on {
            self.renewal_on = term.renewal_on;
            self.known_on = today;
            let stage = Stage::by_date(days_between(today, term.renewal_on));
            if stage != self.stage {
                self.enter(stage, CALENDAR, now);
            }
        }
    }

    /// Enters the stage that the date has opened, never an earlier one.
    pub(super) fn keep_up(&mut self, today: Date, now: Timestamp) {
        let stage = Stage::by_date(days_between(today, self.renewal_on));
        if stage > self.stage {
            self.enter(stage, CALENDAR, now);
        }
    }

    pub(super) fn renew(&mut self, actor: &str, now: Timestamp) {
        self.at_risk = Money::zero(self.mrr.currency);
        self.enter(Stage::Renewed, actor, now);
    }

    pub(super) fn lose(&mut self, reason: LossReason, actor: &str, now: Timestamp) {
        self.at_risk = Money::zero(self.mrr.currency);
        self.loss = Some(reason);
        self.enter(Stage::Lost, actor, now);
    }

    /// Lost because the subscription ended.
    pub(super) fn end(&mut self, now: Timestamp) {
        let reason = LossReason {
            category: LossCategory::Other,
            detail: ENDED.to_owned(),
            competitor: String::new(),
        };
        self.lose(reason, CALENDAR, now);
    }

    /// True when it was lost by [`Deal::end`], which is taken back when the end turns out to be wrong.
    pub(super) fn was_ended(&self) -> bool {
        self.stage == Stage::Lost && self.history.last().is_some_and(|entry| entry.actor == CALENDAR)
    }

    pub(super) fn reopen(&mut self, term: &Term, today: Date, now: Timestamp) {
        self.loss = None;
        self.term_from = term.from;
        self.mrr = term.mrr;
        self.renewal_on = term.renewal_on;
        self.known_on = today;
        self.enter(Stage::by_date(days_between(today, term.renewal_on)), CALENDAR, now);
    }
}
