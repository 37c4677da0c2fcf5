//! The closed sets of words that the domain speaks; each has one spelling in code, database and files.

/// A word that is not in its set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {set} `{word}`, expected one of {expected}")]
pub struct UnknownWord {
    /// The set, e.g. `channel`.
    pub set: &'static str,
    /// The word that was given.
    pub word: String,
    /// The words there are.
    pub expected: String,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $set:literal { $($(#[$word_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$word_meta])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every word of the set, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The one spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::vocabulary::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| $crate::domain::vocabulary::UnknownWord {
                    set: $set,
                    word: word.to_owned(),
                    expected: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What one touch is about; the limits depend on it (C-1…C-4, C-19).
    TouchClass, "touch class" {
        /// Proposes to buy more.
        Commercial = "commercial",
        /// Belongs to a coming renewal.
        Renewal = "renewal",
        /// Teaches or helps, sells nothing.
        Educational = "educational",
        /// Signature, invoice: exempt (C-4).
        Contractual = "contractual",
    }
}

words! {
    /// The way a touch reaches people (T-2).
    Channel, "channel" {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// WhatsApp message.
        Whatsapp = "whatsapp",
        /// Message in the customer's chat.
        Chat = "chat",
        /// Push notification.
        Push = "push",
        /// Banner, tooltip or modal in the product.
        InApp = "in_app",
        /// Task for the account's CSM, usually a call.
        CsmTask = "csm_task",
        /// Task for sales.
        SalesTask = "sales_task",
    }
}

impl Channel {
    /// A task is done by a person of ours: it needs no address and no consent of a contact.
    pub const fn is_task(self) -> bool {
        matches!(self, Self::CsmTask | Self::SalesTask)
    }
}

words! {
    /// The kind of expansion or help that an offer brings.
    Motion, "motion" {
        /// A higher plan.
        Tier = "tier",
        /// One capability more.
        Feature = "feature",
        /// More of a limited quantity.
        Capacity = "capacity",
        /// A module next to what is used.
        Adjacent = "adjacent",
        /// A product that completes the one in use.
        Complementary = "complementary",
        /// The whole platform.
        Platform = "platform",
        /// Help without a price.
        Value = "value",
        /// A better support level.
        PremiumSupport = "premium_support",
        /// Keeping an account that is leaving.
        Save = "save",
        /// Keeping the plan of an account that wants a smaller one.
        DowngradeDefence = "downgrade_defence",
        /// A trial of a higher plan.
        Trial = "trial",
        /// The package that accompanies a renewal.
        Renewal = "renewal",
    }
}

words! {
    /// Who drives an offer (M-3).
    Owner, "owner" {
        /// The product itself: self-service.
        ProductLed = "product_led",
        /// The customer success manager.
        CsmLed = "csm_led",
        /// Sales.
        SalesLed = "sales_led",
    }
}

words! {
    /// What a contact answers for; decides which argument reaches them (T-3).
    ContactRole, "contact role" {
        /// Economics.
        Finance = "finance",
        /// Reliability.
        It = "it",
        /// Value for the business.
        Business = "business",
        /// Direction of the company.
        Executive = "executive",
        /// Daily work with the product.
        EndUser = "end_user",
    }
}

words! {
    /// A typed observation "why now" (SG-1…SG-24).
    SignalKind, "signal kind" {
        /// SG-1.
        SpendGrowth = "spend_growth",
        /// SG-2.
        VolumeGrowth = "volume_growth",
        /// SG-3.
        UsageDrop = "usage_drop",
        /// SG-4.
        WeakAdoption = "weak_adoption",
        /// SG-5.
        TicketCluster = "ticket_cluster",
        /// SG-6.
        RenewalClock = "renewal_clock",
        /// SG-7.
        LimitApproach = "limit_approach",
        /// SG-8.
        SeatsShort = "seats_short",
        /// SG-9.
        TariffSaturation = "tariff_saturation",
        /// SG-10.
        FeatureEmbrace = "feature_embrace",
        /// SG-11.
        Interest = "interest",
        /// SG-12.
        ValueReached = "value_reached",
        /// SG-13.
        PowerUsers = "power_users",
        /// SG-14.
        WorkflowFriction = "workflow_friction",
        /// SG-15.
        Initiative = "initiative",
        /// SG-16.
        CompanyGrowth = "company_growth",
        /// SG-17.
        TrialEnding = "trial_ending",
        /// SG-18.
        Promoter = "promoter",
        /// SG-19.
        ProofRequest = "proof_request",
        /// SG-20.
        BudgetMoment = "budget_moment",
        /// SG-21.
        CsmRaised = "csm_raised",
        /// SG-22.
        DowngradeAttempt = "downgrade_attempt",
        /// SG-23.
        HeavyTrialUse = "heavy_trial_use",
        /// SG-24.
        Lifecycle = "lifecycle",
    }
}

words! {
    /// How pressing a signal is.
    Grade, "grade" {
        /// Can wait.
        Low = "low",
        /// The ordinary case.
        Normal = "normal",
        /// Soon.
        High = "high",
        /// Already over the limit.
        Exceeded = "exceeded",
    }
}

words! {
    /// Band of health (SC-2), the worst first.
    HealthBand, "health band" {
        /// Struggling.
        Red = "red",
        /// In between.
        Yellow = "yellow",
        /// Well.
        Green = "green",
    }
}

words! {
    /// The life of an offer; the legal transitions are in [`super::offer`].
    OfferState, "offer state" {
        /// May not be sent yet; competes again at its earliest legal time (C-9).
        Deferred = "deferred",
        /// Won its slot and waits for the CSM (C-14).
        AwaitingApproval = "awaiting_approval",
        /// Has its place in the ledger.
        Reserved = "reserved",
        /// Is with the channel.
        Sending = "sending",
        /// Delivered; open for an answer.
        Sent = "sent",
        /// Accepted; there is an order.
        Accepted = "accepted",
        /// Declined.
        Declined = "declined",
        /// Nobody answered in time (SG-R3).
        Expired = "expired",
        /// Rejected by the approver, or the approval expired: not sent.
        Rejected = "rejected",
        /// Its reason ceased to hold before it was sent.
        Withdrawn = "withdrawn",
    }
}

words! {
    /// The life of a touch in the ledger (C-6).
    TouchState, "touch state" {
        /// Granted; frees itself when it expires.
        Reserved = "reserved",
        /// Sending has begun; counts whatever happens.
        Sending = "sending",
        /// Made.
        Confirmed = "confirmed",
        /// Given back; does not count.
        Released = "released",
        /// Freed itself; does not count.
        Expired = "expired",
        /// Made by another tool, unannounced; counts.
        Observed = "observed",
    }
}

impl TouchState {
    /// Whether a touch in this state uses its place in the limits.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Reserved | Self::Sending | Self::Confirmed | Self::Observed)
    }
}

words! {
    /// What kind of contract line a subscription is.
    SubscriptionKind, "subscription kind" {
        /// The base plan.
        Plan = "plan",
        /// Anything beside the plan.
        AddOn = "add_on",
    }
}
