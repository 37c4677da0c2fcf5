//! What is known about an account when it is scored.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use upswell_runtime::money::{Money, Period};

use super::series::Series;

/// The facts of one account.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who the account is; `None` while no profile arrived.
    pub profile: Option<Profile>,
    /// Every version of every subscription's terms.
    pub terms: Vec<Terms>,
    /// Sum a day of each usage metric.
    pub usage: BTreeMap<String, Series>,
    /// Active people a day.
    pub active_users: Series,
    /// Logins a day.
    pub logins: Series,
    /// People who used each feature a day.
    pub feature_users: BTreeMap<String, Series>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
    /// NPS answers.
    pub nps: Vec<NpsAnswer>,
    /// Invoices.
    pub invoices: Vec<Invoice>,
    /// Renewal marks that renewals told of.
    pub marks: Vec<Mark>,
    /// People who used each premium feature in a trial a day.
    pub trial_users: BTreeMap<String, Series>,
    /// Uses of each premium feature in a trial a day.
    pub trial_uses: BTreeMap<String, Series>,
    /// Exports to each other tool a day.
    pub exports: BTreeMap<String, Series>,
    /// Limits as the product knows them, by metric; they say more than those of the terms.
    pub plan_limits: Vec<PlanLimit>,
    /// Trials.
    pub trials: Vec<Trial>,
    /// What happened at one instant.
    pub happenings: Vec<Happening>,
    /// People at the account; `None` while it is not known who they are.
    pub people: Option<People>,
}

/// Who the account is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Decides the account's calendar days.
    pub time_zone: TimeZone,
    /// The metric of SG-2; `None` when there is none.
    pub primary_metric: Option<String>,
    /// Segment, e.g. `mid-market`.
    pub segment: String,
    /// Industry; empty when unknown.
    pub industry: String,
    /// ISO 3166-1 alpha-2 country.
    pub country: String,
    /// Enterprise by contract.
    pub enterprise: bool,
    /// When the account became a customer, where known.
    pub customer_since: Option<Date>,
}

/// The terms of one subscription from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The contract line.
    pub subscription_id: String,
    /// Catalogue key of the plan, add-on or module.
    pub product: String,
    /// It is the base plan and nothing beside it.
    pub is_plan: bool,
    /// Monthly amount (§9); `None` where it cannot be said.
    pub monthly: Option<Money>,
    /// How often the price recurs; `None` when it is not known.
    pub period: Option<Period>,
    /// First day on which these terms hold.
    pub effective: Date,
    /// First day on which the subscription no longer exists.
    pub end: Option<Date>,
    /// The day the term renews.
    pub renewal: Option<Date>,
    /// Seats bought; 0 when not sold by seat.
    pub seats: i64,
    /// What the terms include.
    pub limits: Vec<Limit>,
}

/// A quantity that terms limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The usage metric.
    pub metric: String,
    /// The highest total included.
    pub value: i64,
    /// Holds for the standing amount, not for the sum of a calendar month.
    pub standing: bool,
}

/// A support ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What it is about.
    pub topic: String,
    /// The product is down for them.
    pub critical: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was first answered.
    pub replied_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}

impl Ticket {
    /// True while it is open at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.opened_at <= now && self.resolved_at.is_none_or(|resolved| resolved > now)
    }
}

/// An answer to the NPS question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NpsAnswer {
    /// When it was given.
    pub at: Timestamp,
    /// 0 to 10.
    pub score: i32,
}

/// An invoice and whether it was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The day it was issued.
    pub issued: Date,
    /// The day it is due.
    pub due: Date,
    /// What is to be paid.
    pub amount: Money,
    /// It bills an order that Upswell won.
    pub won_by_upswell: bool,
    /// The day it was paid in full.
    pub paid: Option<Date>,
}

impl Invoice {
    /// Due on or before `day`, and not paid by its due day.
    pub fn is_late(&self, day: Date) -> bool {
        self.due <= day && self.paid.is_none_or(|paid| paid > self.due)
    }

    /// Due before `day` and still not paid then.
    pub fn is_overdue(&self, day: Date) -> bool {
        self.due < day && self.paid.is_none_or(|paid| paid > day)
    }
}

/// A mark before a renewal (SG-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The deal.
    pub deal_id: String,
    /// 120, 60 or 30.
    pub days: i32,
    /// The day that renews.
    pub renewal: Date,
    /// The day on which the mark was reached.
    pub reached: Date,
}

/// A limit of the plan as the product knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLimit {
    /// The usage metric.
    pub metric: String,
    /// The highest total included; `None` is unlimited, which is not 0 (C-11).
    pub value: Option<i64>,
    /// Holds for the standing amount.
    pub standing: bool,
    /// From when it is known.
    pub at: Timestamp,
}

/// A trial of a higher plan or of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What is tried.
    pub product: String,
    /// Its first day.
    pub start: Date,
    /// The first day on which it is over.
    pub end: Date,
    /// It neither became a subscription nor was it ended early.
    pub is_running: bool,
}

impl Trial {
    /// True while it runs on `day`.
    pub fn runs_on(&self, day: Date) -> bool {
        self.is_running && self.start <= day && day < self.end
    }
}

/// What happened at the account at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// What it was.
    pub what: What,
    /// What it was about: a feature, plan, goal, area …; empty when unknown.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// Growth in percent, for [`What::Hiring`] where it can be said.
    pub percent: Option<f64>,
    /// The person of ours who reported it; empty when it was nobody.
    pub by: String,
}

/// What can happen at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Somebody tried what the plan does not include.
    LockedAction,
    /// Somebody looked at the page of upgrades.
    UpgradeView,
    /// Somebody attended a webinar.
    Webinar,
    /// Somebody asked for a feature.
    FeatureRequest,
    /// Somebody asked about a higher plan.
    PlanQuestion,
    /// Somebody wants a case to show management.
    ProofRequest,
    /// Several people use one login.
    SharedLogin,
    /// The same work is done twice.
    DuplicatedWork,
    /// An integration is missing.
    MissingIntegration,
    /// A stated goal was reached.
    GoalReached,
    /// The number of people is another one.
    Hiring,
    /// A branch was opened.
    Branch,
    /// Money was raised.
    Funding,
    /// A new market was entered.
    NewMarket,
    /// A new team works in a product's area.
    Team,
    /// A new project was started in a product's area.
    Project,
    /// An attempt to pay less.
    Downgrade,
    /// An attempt to leave.
    Cancel,
    /// A CSM saw work that a higher plan would do.
    ManualWork,
    /// The account plans its budget.
    BudgetPlanning,
    /// A CSM saw something else that speaks for a talk.
    Opportunity,
}

impl What {
    /// What a person of ours may raise.
    pub const RAISABLE: [Self; 6] = [
        Self::ManualWork,
        Self::Opportunity,
        Self::BudgetPlanning,
        Self::ProofRequest,
        Self::Team,
        Self::Project,
    ];

    /// The name under which a raised one is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LockedAction => "locked_action",
            Self::UpgradeView => "upgrade_view",
            Self::Webinar => "webinar",
            Self::FeatureRequest => "feature_request",
            Self::PlanQuestion => "plan_question",
            Self::ProofRequest => "proof_request",
            Self::SharedLogin => "shared_login",
            Self::DuplicatedWork => "duplicated_work",
            Self::MissingIntegration => "missing_integration",
            Self::GoalReached => "goal_reached",
            Self::Hiring => "hiring",
            Self::Branch => "branch",
            Self::Funding => "funding",
            Self::NewMarket => "new_market",
            Self::Team => "team",
            Self::Project => "project",
            Self::Downgrade => "downgrade",
            Self::Cancel => "cancel",
            Self::ManualWork => "manual_work",
            Self::BudgetPlanning => "budget_planning",
            Self::Opportunity => "opportunity",
        }
    }

    /// The raisable one of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::RAISABLE.into_iter().find(|what| what.as_str() == name)
    }

    /// The body of the facts that tell of it, by which ingestion lists them.
    pub const fn body(self) -> &'static str {
        match self {
            Self::LockedAction
            | Self::UpgradeView
            | Self::Webinar
            | Self::FeatureRequest
            | Self::PlanQuestion
            | Self::ProofRequest
            | Self::SharedLogin => "action",
            Self::DuplicatedWork | Self::MissingIntegration => "complaint",
            Self::GoalReached => "goal",
            Self::Hiring | Self::Branch | Self::Funding | Self::NewMarket | Self::Team | Self::Project => {
                "company_event"
            }
            Self::Downgrade | Self::Cancel => "leave_attempt",
            Self::ManualWork | Self::BudgetPlanning | Self::Opportunity => "csm_report",
        }
    }
}

/// Who is known at the account (SC-8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Somebody holds a budget.
    pub has_budget_holder: bool,
    /// Somebody speaks for the product inside the account.
    pub has_champion: bool,
    /// An executive is known.
    pub has_sponsor: bool,
}

impl Facts {
    /// The account's calendar: its time zone, or UTC while no profile arrived.
    pub fn time_zone(&self) -> TimeZone {
        self.profile
            .as_ref()
            .map_or(TimeZone::UTC, |profile| profile.time_zone.clone())
    }

    /// The terms in force on `day`: of each subscription the newest version that began, unless it ended.
    pub fn terms_on(&self, day: Date) -> Vec<&Terms> {
        let mut newest: BTreeMap<&str, &Terms> = BTreeMap::new();
        for terms in self.terms.iter().filter(|terms| terms.effective <= day) {
            let known = newest.entry(&terms.subscription_id).or_insert(terms);
            if known.effective <= terms.effective {
                *known = terms;
            }
        }
        newest
            .into_values()
            .filter(|terms| terms.end.is_none_or(|end| day < end))
            .collect()
    }

    /// Adds the counts of earlier days to the usage that is known.
    pub fn extend_usage(&mut self, earlier: BTreeMap<String, Series>) {
        for (metric, series) in earlier {
            if let Some(known) = self.usage.get_mut(&metric) {
                known.extend(series);
            }
        }
    }

    /// The monthly amount of the terms in force on `day`, in the currency of the largest; `None` without any.
    pub fn monthly_on(&self, day: Date) -> Option<Money> {
        let amounts: Vec<Money> = self.terms_on(day).iter().filter_map(|terms| terms.monthly).collect();
        let currency = amounts.iter().max_by_key(|amount| amount.minor)?.currency;
        Money::sum(
            currency,
            amounts.into_iter().filter(|amount| amount.currency == currency),
        )
        .ok()
    }

    /// The base plan in force on `day`.
    pub fn plan_on(&self, day: Date) -> Option<&Terms> {
        self.terms_on(day).into_iter().find(|terms| terms.is_plan)
    }

    /// The day since when the account is a customer: as its profile says, else the first sign of life, because terms may
    /// be known only since they were renewed last.
    pub fn customer_since(&self) -> Option<Date> {
        let told = self.profile.as_ref().and_then(|profile| profile.customer_since);
        let counted = self.usage.values().chain([&self.active_users, &self.logins]);
        let signs = counted
            .filter_map(Series::earliest)
            .chain(self.invoices.iter().map(|invoice| invoice.issued))
            .chain(self.terms.iter().map(|terms| terms.effective));
        told.or_else(|| signs.min())
    }

    /// What happened in the `days` days of 24 hours before `now`, of these sorts.
    pub fn happened(&self, whats: &[What], now: Timestamp, days: i32) -> Vec<&Happening> {
        let span = SignedDuration::from_hours(i64::from(days) * 24);
        let start = now.saturating_sub(span).unwrap_or(Timestamp::MIN);
        let recent = |found: &&Happening| start < found.at && found.at <= now && whats.contains(&found.what);
        self.happenings.iter().filter(recent).collect()
    }

    /// The last NPS answer by `now`.
    pub fn last_nps(&self, now: Timestamp) -> Option<NpsAnswer> {
        self.nps
            .iter()
            .filter(|answer| answer.at <= now)
            .max_by_key(|answer| answer.at)
            .copied()
    }

    /// The metric that stands for volume: the primary one, or active people where it has no facts (I-2). With the
    /// name of the series that ingestion keeps it under.
    pub fn volume(&self) -> Option<(&str, &Series, String)> {
        let primary = self
            .profile
            .as_ref()
            .and_then(|profile| profile.primary_metric.as_deref());
        if let Some(metric) = primary
            && let Some(series) = self.usage.get(metric)
        {
            return Some((metric, series, format!("usage/{metric}")));
        }
        let people = (ACTIVE_USERS, &self.active_users, format!("activity/{ACTIVE_USERS}"));
        (!self.active_users.is_empty()).then_some(people)
    }
}

/// Subject of signals that stand on active people because usage is missing.
pub const ACTIVE_USERS: &str = "active_users";
