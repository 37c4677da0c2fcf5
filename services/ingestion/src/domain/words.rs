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
        }
    }

    /// The kind of a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// True for counts by day, which are added up instead of standing by themselves.
    pub const fn is_series(self) -> bool {
        matches!(self, Self::Usage | Self::Activity | Self::FeatureUse)
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
