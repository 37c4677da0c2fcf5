//! A fact, parsed: whoever holds one knows that it obeys the contract. Field names are those of the contract, so that
//! differences can be told by path.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_runtime::money::{Money, Period};

use super::{
    moment::{
        CompanyEvent, Complaint, Cost, CsmReport, ExportCount, Goal, LeaveAttempt, PlanLimit, ProductAction, Trial,
        TrialUse,
    },
    price::{Discount, Escalator},
    words::{Channel, Kind, LineKind, Role, Severity, Survey, TermsReason, TouchClass},
};

/// What names a fact once and for all (I-4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey {
    /// The system it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: String,
}

impl FactKey {
    /// `source/external_id`, as events carry it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.source, self.external_id)
    }
}

/// Anything ingested about an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The system that it comes from.
    pub source: String,
    /// Its id in that system.
    pub external_id: String,
    /// The account.
    pub account_id: String,
    /// When it happened.
    pub occur_time: Timestamp,
    /// External id of the fact that it corrects; empty for none.
    pub supersedes_external_id: String,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
}

impl Fact {
    /// What names it.
    pub fn key(&self) -> FactKey {
        FactKey {
            source: self.source.clone(),
            external_id: self.external_id.clone(),
        }
    }

    /// What names the fact that it corrects.
    pub fn corrects(&self) -> Option<FactKey> {
        let external_id = self.supersedes_external_id.clone();
        (!external_id.is_empty()).then(|| FactKey {
            source: self.source.clone(),
            external_id,
        })
    }

    /// The earliest day that it says something about: a calendar day of the account, or of UTC for an instant.
    pub fn first_day(&self) -> Date {
        let utc = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        match &self.body {
            Body::Usage(UsageCount { day, .. })
            | Body::Activity(ActivityCount { day, .. })
            | Body::FeatureUse(FeatureUse { day, .. })
            | Body::TrialUse(TrialUse { day, .. })
            | Body::Export(ExportCount { day, .. }) => *day,
            Body::Trial(trial) => trial.start_date,
            Body::Cost(cost) => cost.start_date,
            Body::Subscription(terms) => terms.effective_date,
            Body::Invoice(invoice) => invoice.issue_date,
            Body::Payment(payment) => payment.pay_date,
            Body::Ticket(ticket) => utc(ticket.open_time),
            _ => utc(self.occur_time),
        }
    }
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Who the account is.
    AccountProfile(AccountProfile),
    /// Who a person is.
    ContactProfile(ContactProfile),
    /// A version of contracted terms.
    Subscription(SubscriptionTerms),
    /// A count of a metric on a day.
    Usage(UsageCount),
    /// People and logins on a day.
    Activity(ActivityCount),
    /// Use of a feature on a day.
    FeatureUse(FeatureUse),
    /// The state of a ticket.
    Ticket(Ticket),
    /// A survey answer.
    Survey(SurveyAnswer),
    /// An invoice.
    Invoice(Invoice),
    /// A payment.
    Payment(Payment),
    /// A touch by another tool or a person.
    ExternalTouch(ExternalTouch),
    /// An inbound answer.
    Reply(Reply),
    /// A plan limit told by the product.
    PlanLimit(PlanLimit),
    /// A trial.
    Trial(Trial),
    /// Use of a premium feature in a trial on a day.
    TrialUse(TrialUse),
    /// Exports to another tool on a day.
    Export(ExportCount),
    /// What a person did or asked.
    Action(ProductAction),
    /// A complaint.
    Complaint(Complaint),
    /// A goal of the account.
    Goal(Goal),
    /// Something that happened to the company.
    CompanyEvent(CompanyEvent),
    /// What the account costs.
    Cost(Cost),
    /// An attempt to pay less or to leave.
    LeaveAttempt(LeaveAttempt),
    /// What a customer success manager reports.
    CsmReport(CsmReport),
}

impl Body {
    /// Which body it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::AccountProfile(_) => Kind::AccountProfile,
            Self::ContactProfile(_) => Kind::ContactProfile,
            Self::Subscription(_) => Kind::Subscription,
            Self::Usage(_) => Kind::Usage,
            Self::Activity(_) => Kind::Activity,
            Self::FeatureUse(_) => Kind::FeatureUse,
            Self::Ticket(_) => Kind::Ticket,
            Self::Survey(_) => Kind::Survey,
            Self::Invoice(_) => Kind::Invoice,
            Self::Payment(_) => Kind::Payment,
            Self::ExternalTouch(_) => Kind::ExternalTouch,
            Self::Reply(_) => Kind::Reply,
            Self::PlanLimit(_) => Kind::PlanLimit,
            Self::Trial(_) => Kind::Trial,
            Self::TrialUse(_) => Kind::TrialUse,
            Self::Export(_) => Kind::Export,
            Self::Action(_) => Kind::Action,
            Self::Complaint(_) => Kind::Complaint,
            Self::Goal(_) => Kind::Goal,
            Self::CompanyEvent(_) => Kind::CompanyEvent,
            Self::Cost(_) => Kind::Cost,
            Self::LeaveAttempt(_) => Kind::LeaveAttempt,
            Self::CsmReport(_) => Kind::CsmReport,
        }
    }

    /// The metric, feature or object that it is about; empty for bodies that have none.
    pub fn name(&self) -> &str {
        match self {
            Self::AccountProfile(_) | Self::Activity(_) | Self::ExternalTouch(_) => "",
            Self::PlanLimit(limit) => &limit.metric,
            Self::Trial(trial) => &trial.trial_id,
            Self::TrialUse(used) => &used.feature,
            Self::Export(export) => &export.tool,
            Self::Action(action) => action.kind.as_str(),
            Self::Complaint(complaint) => complaint.kind.as_str(),
            Self::Goal(goal) => &goal.goal_id,
            Self::CompanyEvent(event) => event.kind.as_str(),
            Self::Cost(cost) => cost.kind.as_str(),
            Self::LeaveAttempt(attempt) => attempt.kind.as_str(),
            Self::CsmReport(report) => report.kind.as_str(),
            Self::ContactProfile(contact) => &contact.contact_id,
            Self::Subscription(terms) => &terms.subscription_id,
            Self::Usage(usage) => &usage.metric,
            Self::FeatureUse(feature) => &feature.feature,
            Self::Ticket(ticket) => &ticket.ticket_id,
            Self::Survey(answer) => answer.survey.as_str(),
            Self::Invoice(invoice) => &invoice.invoice_id,
            Self::Payment(payment) => &payment.invoice_id,
            Self::Reply(reply) => &reply.offer_id,
        }
    }
}

/// Who the account is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountProfile {
    /// The company's name.
    pub display_name: String,
    /// Segment.
    pub segment: String,
    /// Industry; empty when unknown.
    pub industry: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// IANA time zone, known to the time zone database.
    pub time_zone: String,
    /// BCP 47.
    pub language_code: String,
    /// Enterprise by contract.
    pub enterprise: bool,
    /// Customer success manager; empty when none.
    pub csm_id: String,
    /// When the account became a customer.
    pub customer_since: Option<Date>,
    /// The metric that stands for its volume; empty when none.
    pub primary_metric: String,
}

impl AccountProfile {
    /// What is told of an account of which a profile was known that is not its own any more: nothing, in UTC.
    pub fn unknown() -> Self {
        Self {
            display_name: String::new(),
            segment: String::new(),
            industry: String::new(),
            country_code: String::new(),
            time_zone: "UTC".to_owned(),
            language_code: String::new(),
            enterprise: false,
            csm_id: String::new(),
            customer_since: None,
            primary_metric: String::new(),
        }
    }
}

/// Who a person at the account is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactProfile {
    /// The person.
    pub contact_id: String,
    /// First name; may be empty.
    pub first_name: String,
    /// What the person answers for.
    pub role: Role,
    /// Holds a budget.
    pub budget_holder: bool,
    /// Decides about the renewal.
    pub renewal_decision_maker: bool,
    /// Speaks for the product.
    pub champion: bool,
    /// Addresses.
    pub points: Vec<ContactPoint>,
    /// BCP 47; empty means the account's.
    pub language_code: String,
}

/// One address of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactPoint {
    /// The channel, never a task.
    pub channel: Channel,
    /// Address on it.
    pub address: String,
    /// The person agreed.
    pub consent: bool,
}

/// The terms of one contracted recurring price from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriptionTerms {
    /// The contract line.
    pub subscription_id: String,
    /// Catalogue key.
    pub product: String,
    /// Plan or add-on.
    pub kind: LineKind,
    /// Price of one unit for one period.
    pub unit_price: Money,
    /// Units, 1 or more.
    pub quantity: i64,
    /// How often the price recurs.
    pub period: Period,
    /// First day on which the terms hold.
    pub effective_date: Date,
    /// First day on which the subscription no longer exists.
    pub end_date: Option<Date>,
    /// The day the term renews.
    pub renewal_date: Option<Date>,
    /// Limits granted.
    pub limits: Vec<Limit>,
    /// The Upswell order fulfilled; empty when none.
    pub order_id: String,
    /// Seats; 0 when not sold by seat.
    pub seats: i64,
    /// What is taken off, one after the other.
    pub discounts: Vec<Discount>,
    /// How the price rises.
    pub escalator: Option<Escalator>,
    /// It renews by itself; None when the source does not know.
    pub auto_renew: Option<bool>,
    /// Days of notice; None when the source does not know.
    pub notice_days: Option<i32>,
    /// Months of the next term; None: as long as this one.
    pub term_months: Option<i32>,
    /// The source's word for why these terms came.
    pub reason: Option<TermsReason>,
}

/// A limited quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// The metric.
    pub metric: String,
    /// The highest total included.
    pub value: i64,
    /// For the standing amount instead of the month's sum.
    pub standing: bool,
}

/// How much of a metric was used on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageCount {
    /// The metric.
    pub metric: String,
    /// The account's calendar day.
    pub day: Date,
    /// The amount.
    pub value: i64,
}

/// How many people worked on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActivityCount {
    /// The account's calendar day.
    pub day: Date,
    /// Active people.
    pub active_users: i64,
    /// Logins.
    pub logins: i64,
}

/// How much a feature was used on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureUse {
    /// The feature.
    pub feature: String,
    /// The account's calendar day.
    pub day: Date,
    /// People who used it.
    pub users: i64,
    /// Times it was used.
    pub uses: i64,
}

/// The state of a support ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// The ticket.
    pub ticket_id: String,
    /// What it is about.
    pub topic: String,
    /// How bad it is.
    pub severity: Severity,
    /// When it was opened.
    pub open_time: Timestamp,
    /// When it was first answered.
    pub first_reply_time: Option<Timestamp>,
    /// When it was resolved.
    pub resolve_time: Option<Timestamp>,
}

/// An answer to a survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SurveyAnswer {
    /// The survey.
    pub survey: Survey,
    /// NPS 0 to 10, CSAT 1 to 5.
    pub score: i32,
    /// Who answered; empty when unknown.
    pub contact_id: String,
}

/// An invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invoice {
    /// The invoice.
    pub invoice_id: String,
    /// What is to be paid.
    pub amount: Money,
    /// When it was issued.
    pub issue_date: Date,
    /// When it is due.
    pub due_date: Date,
    /// The Upswell order billed; empty when none.
    pub order_id: String,
}

/// A payment of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The invoice.
    pub invoice_id: String,
    /// What was paid.
    pub amount: Money,
    /// When.
    pub pay_date: Date,
    /// The Upswell order paid; empty when none.
    pub order_id: String,
}

/// A touch by another tool or a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExternalTouch {
    /// What it was about.
    pub class: TouchClass,
    /// How it reached the account.
    pub channel: Channel,
    /// Who was contacted; empty when unknown.
    pub contact_id: String,
    /// Who made it.
    pub sender: String,
    /// A renewal touch that also proposed expansion.
    pub proposes_expansion: bool,
}

/// An inbound answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The offer answered; empty when none is named.
    pub offer_id: String,
    /// Who answered; empty when unknown.
    pub contact_id: String,
    /// How the answer came.
    pub channel: Channel,
    /// The words.
    pub text: String,
}
