//! The enums of the contract and the words of the domain.

use upswell_proto::{
    ingestion::v1 as pb,
    vocabulary::v1::{BillingPeriod, Channel as PbChannel, ContactRole, TouchClass as PbTouchClass},
};
use upswell_runtime::money::Period;

use crate::domain::words::{
    ActionKind, Channel, CompanyEventKind, ComplaintKind, CostKind, LeaveKind, LineKind, ReportKind, Role, Severity,
    Survey, TermsReason, TouchClass, TrialState,
};

/// An enum of the contract with its words.
pub(crate) trait Word: Copy + Sized {
    /// What a message says is expected.
    const EXPECTED: &'static str;
    /// The word of a wire number; None when it is unset or unknown.
    fn from_wire(number: i32) -> Option<Self>;
    /// The wire number of the word.
    fn to_wire(self) -> i32;
}

macro_rules! wire_words {
    ($word:ident, $wire:ty, $expected:literal, { $($variant:ident = $wire_variant:ident),+ $(,)? }) => {
        impl Word for $word {
            const EXPECTED: &'static str = $expected;

            fn from_wire(number: i32) -> Option<Self> {
                match <$wire>::try_from(number).ok()? {
                    <$wire>::Unspecified => None,
                    $(<$wire>::$wire_variant => Some(Self::$variant),)+
                }
            }

            fn to_wire(self) -> i32 {
                match self {
                    $(Self::$variant => <$wire>::$wire_variant.into(),)+
                }
            }
        }
    };
}

wire_words!(Role, ContactRole, "finance, it, business, executive or end_user", {
    Finance = Finance, It = It, Business = Business, Executive = Executive, EndUser = EndUser,
});
wire_words!(Channel, PbChannel, "email, sms, whatsapp, chat, push, in_app, csm_task or sales_task", {
    Email = Email, Sms = Sms, Whatsapp = Whatsapp, Chat = Chat, Push = Push, InApp = InApp, CsmTask = CsmTask,
    SalesTask = SalesTask,
});
wire_words!(TouchClass, PbTouchClass, "commercial, renewal, educational or contractual", {
    Commercial = Commercial, Renewal = Renewal, Educational = Educational, Contractual = Contractual,
});
wire_words!(Period, BillingPeriod, "month, quarter, year, week or day", {
    Month = Month, Quarter = Quarter, Year = Year, Week = Week, Day = Day,
});
wire_words!(LineKind, pb::subscription_terms::Kind, "plan or add_on", { Plan = Plan, AddOn = AddOn });
wire_words!(TermsReason, pb::subscription_terms::Reason, "price, seats, migration, discount or credit", {
    Price = Price, Seats = Seats, Migration = Migration, Discount = Discount, Credit = Credit,
});
wire_words!(Severity, pb::ticket::Severity, "low, normal, high or critical", {
    Low = Low, Normal = Normal, High = High, Critical = Critical,
});
wire_words!(Survey, pb::survey_answer::Survey, "nps or csat", { Nps = Nps, Csat = Csat });
wire_words!(TrialState, pb::trial::State, "running, converted or ended", {
    Running = Running, Converted = Converted, Ended = Ended,
});
wire_words!(
    ActionKind,
    pb::product_action::Kind,
    "locked_action, upgrade_view, webinar, feature_request, plan_question, proof_request or shared_login",
    {
        LockedAction = LockedAction, UpgradeView = UpgradeView, Webinar = Webinar, FeatureRequest = FeatureRequest,
        PlanQuestion = PlanQuestion, ProofRequest = ProofRequest, SharedLogin = SharedLogin,
    }
);
wire_words!(ComplaintKind, pb::complaint::Kind, "duplicated_work, missing_integration, pressure or other", {
    DuplicatedWork = DuplicatedWork, MissingIntegration = MissingIntegration, Pressure = Pressure, Other = Other,
});
wire_words!(CompanyEventKind, pb::company_event::Kind, "hiring, branch, funding, new_market, team or project", {
    Hiring = Hiring, Branch = Branch, Funding = Funding, NewMarket = NewMarket, Team = Team, Project = Project,
});
wire_words!(CostKind, pb::cost::Kind, "serve or acquisition", { Serve = Serve, Acquisition = Acquisition });
wire_words!(LeaveKind, pb::leave_attempt::Kind, "downgrade or cancel", { Downgrade = Downgrade, Cancel = Cancel });
wire_words!(ReportKind, pb::csm_report::Kind, "manual_work, budget_planning or opportunity", {
    ManualWork = ManualWork, BudgetPlanning = BudgetPlanning, Opportunity = Opportunity,
});
