//! The closed vocabularies of facts, each with its stored word.

use serde::{Serialize, Serializer};

/// Declares an enum of words: `as_str` gives the stored word, `from_word` reads it back, `ALL` lists the variants.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every variant, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The lower-case word, as stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The variant of a word; None for any other word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a fact says, by the name of its body in the contract.
    Kind {
        /// Who the account is.
        AccountProfile = "account_profile",
        /// Who a person is.
        ContactProfile = "contact_profile",
        /// A version of contracted terms.
        Subscription = "subscription",
        /// A count of a metric on a day.
        Usage = "usage",
        /// People and logins on a day.
        Activity = "activity",
        /// Use of a feature on a day.
        FeatureUse = "feature_use",
        /// The state of a ticket.
        Ticket = "ticket",
        /// A survey answer.
        Survey = "survey",
        /// An invoice.
        Invoice = "invoice",
        /// A payment.
        Payment = "payment",
        /// A touch by another tool or a person.
        ExternalTouch = "external_touch",
        /// An inbound answer.
        Reply = "reply",
        /// A plan limit told by the product.
        PlanLimit = "plan_limit",
        /// A trial.
        Trial = "trial",
        /// Use of a premium feature in a trial on a day.
        TrialUse = "trial_use",
        /// Exports to another tool on a day.
        Export = "export",
        /// What a person did or asked.
        Action = "action",
        /// A complaint.
        Complaint = "complaint",
        /// A goal of the account.
        Goal = "goal",
        /// Something that happened to the company.
        CompanyEvent = "company_event",
        /// What the account costs.
        Cost = "cost",
        /// An attempt to pay less or to leave.
        LeaveAttempt = "leave_attempt",
        /// What a customer success manager reports.
        CsmReport = "csm_report",
    }
}

impl Kind {
    /// The number under which it is stored: the tag of the body in the contract, which can never change.
    pub const fn code(self) -> i16 {
        match self {
            Self::AccountProfile => 10,
            Self::ContactProfile => 11,
            Self::Subscription => 12,
            Self::Usage => 13,
            Self::Activity => 14,
            Self::FeatureUse => 15,
            Self::Ticket => 16,
            Self::Survey => 17,
            Self::Invoice => 18,
            Self::Payment => 19,
            Self::ExternalTouch => 20,
            Self::Reply => 21,
            Self::PlanLimit => 22,
            Self::Trial => 23,
            Self::TrialUse => 24,
            Self::Export => 25,
            Self::Action => 26,
            Self::Complaint => 27,
            Self::Goal => 28,
            Self::CompanyEvent => 29,
            Self::Cost => 30,
            Self::LeaveAttempt => 31,
            Self::CsmReport => 32,
        }
    }

    /// The kind of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// True for what says *why now* and has no list of its own in a picture.
    pub const fn is_moment(self) -> bool {
        matches!(
            self,
            Self::PlanLimit
                | Self::Trial
                | Self::Action
                | Self::Complaint
                | Self::Goal
                | Self::CompanyEvent
                | Self::Cost
                | Self::LeaveAttempt
                | Self::CsmReport
        )
    }

    /// True for what happened once, of which there may be any number: neither a state nor a part of one.
    pub const fn happens(self) -> bool {
        matches!(
            self,
            Self::Survey
                | Self::ExternalTouch
                | Self::Reply
                | Self::Action
                | Self::Complaint
                | Self::CompanyEvent
                | Self::Cost
                | Self::LeaveAttempt
                | Self::CsmReport
        )
    }

    /// True for counts by day, which are added up instead of standing by themselves.
    pub const fn is_series(self) -> bool {
        matches!(
            self,
            Self::Usage | Self::Activity | Self::FeatureUse | Self::TrialUse | Self::Export
        )
    }
}

words! {
    /// What a contact answers for.
    Role {
        /// Economics.
        Finance = "finance",
        /// Reliability.
        It = "it",
        /// Value for the business.
        Business = "business",
        /// Direction of the company.
        Executive = "executive",
        /// Daily work.
        EndUser = "end_user",
    }
}

words! {
    /// How people are reached (T-2).
    Channel {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// The customer's chat.
        Chat = "chat",
        /// Push notification.
        Push = "push",
        /// In the product.
        InApp = "in_app",
        /// A task for the CSM.
        CsmTask = "csm_task",
        /// A task for sales.
        SalesTask = "sales_task",
    }
}

impl Channel {
    /// True for tasks of our own people: nobody has an address there.
    pub const fn is_task(self) -> bool {
        matches!(self, Self::CsmTask | Self::SalesTask)
    }
}

words! {
    /// Class of a touch (C-1…C-4, C-19).
    TouchClass {
        /// Proposes to buy more.
        Commercial = "commercial",
        /// Belongs to a renewal.
        Renewal = "renewal",
        /// Teaches or helps.
        Educational = "educational",
        /// Signature, invoice.
        Contractual = "contractual",
    }
}

words! {
    /// Why terms came.
    TermsReason {
        /// Another price.
        Price = "price",
        /// Another number of units.
        Seats = "seats",
        /// Another product in the place of one.
        Migration = "migration",
        /// A discount came or grew.
        Discount = "discount",
        /// A credit note or a correction of what was billed.
        Credit = "credit",
    }
}

words! {
    /// Kind of a contract line.
    LineKind {
        /// The base plan.
        Plan = "plan",
        /// Anything beside it.
        AddOn = "add_on",
    }
}

words! {
    /// How bad a ticket is.
    Severity {
        /// A question.
        Low = "low",
        /// Work is hampered.
        Normal = "normal",
        /// Important work is stopped.
        High = "high",
        /// The product is down for them.
        Critical = "critical",
    }
}

words! {
    /// Surveys.
    Survey {
        /// Net promoter score, 0 to 10.
        Nps = "nps",
        /// Customer satisfaction, 1 to 5.
        Csat = "csat",
    }
}

words! {
    /// How a trial stands.
    TrialState {
        /// It runs, or will.
        Running = "running",
        /// It became a subscription.
        Converted = "converted",
        /// It ended without one.
        Ended = "ended",
    }
}

words! {
    /// What a person did or asked.
    ActionKind {
        /// Tried what the plan does not include.
        LockedAction = "locked_action",
        /// Looked at the page of upgrades.
        UpgradeView = "upgrade_view",
        /// Attended a webinar.
        Webinar = "webinar",
        /// Asked for a feature.
        FeatureRequest = "feature_request",
        /// Asked about a higher plan.
        PlanQuestion = "plan_question",
        /// Wants a case to show.
        ProofRequest = "proof_request",
        /// Several people use one login.
        SharedLogin = "shared_login",
    }
}

words! {
    /// What is complained about.
    ComplaintKind {
        /// Work done twice.
        DuplicatedWork = "duplicated_work",
        /// An integration is missing.
        MissingIntegration = "missing_integration",
        /// Too many messages.
        Pressure = "pressure",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// What happened to a company.
    CompanyEventKind {
        /// Another number of people.
        Hiring = "hiring",
        /// A branch.
        Branch = "branch",
        /// Money raised.
        Funding = "funding",
        /// A new market.
        NewMarket = "new_market",
        /// A new team.
        Team = "team",
        /// A new project.
        Project = "project",
    }
}

words! {
    /// What is spent on an account.
    CostKind {
        /// To serve it.
        Serve = "serve",
        /// To win it.
        Acquisition = "acquisition",
    }
}

words! {
    /// Ways to pay less.
    LeaveKind {
        /// A smaller contract.
        Downgrade = "downgrade",
        /// None.
        Cancel = "cancel",
    }
}

words! {
    /// What a customer success manager reports.
    ReportKind {
        /// Work by hand that a higher plan automates.
        ManualWork = "manual_work",
        /// The budget is planned.
        BudgetPlanning = "budget_planning",
        /// Something else that speaks for a talk.
        Opportunity = "opportunity",
    }
}
