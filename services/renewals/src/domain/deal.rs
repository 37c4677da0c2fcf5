//! One coming renewal of one subscription, and the steps it may take; see [`super::stage`] for the machine.

use jiff::{Timestamp, civil::Date};
use upswell_runtime::{ids, money::Money};
use uuid::Uuid;

use super::{
    account::days_before,
    contract::{StatedTerms, Term},
    country::Country,
    schedule::{Schedule, Shift},
    stage::Stage,
    words::words,
};

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
    /// The integration that is missing; empty when none in particular.
    pub integration: String,
}

/// How the contract renews (RN-8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenewalTerms {
    /// It goes on by itself unless somebody gives notice in time.
    pub auto_renew: bool,
    /// Days before the renewal until which notice may be given; 0 means no notice period.
    pub notice_days: i32,
    /// Months of the next term; 0 means as long as the term before.
    pub term_months: i32,
}

/// A person's word on when negotiation is to be over (RN-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageMove {
    /// The first day on which it is over.
    pub negotiated_on: Date,
    /// Why.
    pub reason: String,
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
    /// The account of the subscription when the deal was settled last: merges change it (I-3).
    pub account_id: String,
    /// Counts the deals of the subscription, from 1.
    pub number: i32,
    /// The day it renews.
    pub renewal_on: Date,
    /// First day of the term that renews, by which the deal finds its term again.
    pub term_from: Date,
    /// The day on which the renewal date became known.
    pub known_on: Date,
    /// The day to which the stages count down; see [`Schedule`].
    pub anchor_on: Date,
    /// Why it is not the renewal date.
    pub shift: Shift,
    /// A person's word on the stages.
    pub moved: Option<StageMove>,
    /// How the contract renews: what its source or a person said last.
    pub terms: RenewalTerms,
    /// What the source had said by then.
    pub stated: StatedTerms,
    /// When the customer gave notice.
    pub notice_given_on: Option<Date>,
    /// Where it stands.
    pub stage: Stage,
    /// When the stage was entered.
    pub stage_at: Timestamp,
    /// Who is in charge; empty when nobody is.
    pub owner_id: String,
    /// The monthly amount that renews.
    pub mrr: Money,
    /// Monthly amount of the add-ons that renew on the same day (co-termination).
    pub add_ons: Money,
    /// Segment of the account.
    pub segment: String,
    /// Health of the account.
    pub health: Option<i32>,
    /// Money at risk a month (RN-3); nothing once closed.
    pub at_risk: Money,
    /// Why it was lost.
    pub loss: Option<LossReason>,
    /// Stages entered so far, in order.
    pub history: Vec<StageEntry>,
    /// Counts the changes, but not those of health and money at risk alone, which drift from day to day.
    pub version: i64,
}

impl Deal {
    /// Opens the deal of `term`, where its date puts it.
    pub(super) fn open(subscription_id: &str, number: i32, term: &Term, today: Date, now: Timestamp) -> Self {
        Self {
            deal_id: ids::derive("deal", &[subscription_id, &number.to_string()]),
            account_id: String::new(),
            number,
            renewal_on: term.renewal_on,
            term_from: term.from,
            known_on: today,
            anchor_on: term.renewal_on,
            shift: Shift::None,
            moved: None,
            terms: term.stated.over(RenewalTerms::default()),
            stated: term.stated,
            notice_given_on: None,
            stage: Stage::Scheduled,
            stage_at: now,
            owner_id: String::new(),
            mrr: term.mrr,
            add_ons: Money::zero(term.mrr.currency),
            segment: String::new(),
            health: None,
            at_risk: Money::zero(term.mrr.currency),
            loss: None,
            history: Vec::new(),
            version: 0,
        }
    }

    /// When its stages lie.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            renewal_on: self.renewal_on,
            anchor_on: self.anchor_on,
            shift: self.shift,
        }
    }

    /// The last day on which notice may be given, if there is a notice period.
    pub fn notice_on(&self) -> Option<Date> {
        let days = self.terms.notice_days;
        (days > 0).then(|| days_before(self.renewal_on, days))
    }

    /// The plan and what renews together with it; the plan alone where the sum leaves the range.
    pub fn money(&self) -> Money {
        self.mrr.checked_add(self.add_ons).unwrap_or(self.mrr)
    }

    /// How it renews once its source has said `stated`: a person's word stands until the source says something else.
    pub(super) fn terms_with(&self, stated: StatedTerms) -> RenewalTerms {
        if stated == self.stated {
            self.terms
        } else {
            stated.over(self.terms)
        }
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

    /// Takes over what the contract says now. A person's word and a notice were about the date before.
    pub(super) fn follow(&mut self, term: &Term, today: Date) {
        self.term_from = term.from;
        self.mrr = term.mrr;
        self.terms = self.terms_with(term.stated);
        self.stated = term.stated;
        if self.renewal_on != term.renewal_on {
            self.renewal_on = term.renewal_on;
            self.known_on = today;
            self.moved = None;
            self.notice_given_on = None;
        }
    }

    /// Plans the stages anew and enters the one that is due: while the plan stands never an earlier one, and when it
    /// moved the one of the new plan, also backwards.
    pub(super) fn keep_up(&mut self, before: Option<&Self>, country: &Country, today: Date, now: Timestamp) {
        let person = self.moved.as_ref().map(|moved| moved.negotiated_on);
        let schedule = Schedule::of(self.renewal_on, country, self.notice_on(), person);
        self.anchor_on = schedule.anchor_on;
        self.shift = schedule.shift;
        let stage = schedule.stage_on(today);
        let stands = before.is_some_and(|before| before.is_open() && before.is_planned_like(self));
        let last = self.history.last().map(|entry| entry.stage);
        // What was reopened stands nowhere yet.
        let stands = stands && last == Some(self.stage);
        if (stands && stage > self.stage) || (!stands && last != Some(stage)) {
            self.enter(stage, CALENDAR, now);
        }
    }

    /// True when the stages of the two lie on the same days.
    pub(super) fn is_planned_like(&self, other: &Self) -> bool {
        (self.renewal_on, self.anchor_on) == (other.renewal_on, other.anchor_on)
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
            integration: String::new(),
        };
        self.lose(reason, CALENDAR, now);
    }

    /// True when facts closed it, not a person: that is taken back when the facts turn out to be wrong.
    pub(super) fn was_closed_by_facts(&self) -> bool {
        let by_facts = |entry: &StageEntry| [CALENDAR, CONTRACT].contains(&entry.actor.as_str());
        self.stage.is_closed() && self.history.last().is_some_and(by_facts)
    }

    /// Open again, in a stage that [`Deal::keep_up`] is still to find.
    pub(super) fn reopen(&mut self, term: &Term, today: Date) {
        self.loss = None;
        self.follow(term, today);
        self.stage = Stage::Scheduled;
    }
}
