//! Words of the domain ⇄ enumerations of the contracts.

use upswell_proto::{
    offers::v1::{approval, decline_offer_request, offer, order, terms},
    scoring::v1::{health, signal},
    vocabulary::v1 as pb,
};
use upswell_runtime::money::Period;

use crate::domain::{
    approval::ApprovalState,
    discount::Grantor,
    offer::DeclineReason,
    order::OrderState,
    vocabulary::{Channel, ContactRole, Grade, HealthBand, Motion, OfferState, Owner, SignalKind, TouchClass},
};

/// Both directions, or one of them, from one list of pairs; a word without a wire value does not compile.
macro_rules! pairs {
    ($to:ident, $from:ident, $word:ident, $wire:path { $($left:ident,)+ }) => {
        pairs!(to $to, $word, $wire { $($left,)+ });
        pairs!(from $from, $word, $wire { $($left,)+ });
    };
    (to $to:ident, $word:ident, $wire:path { $($left:ident,)+ }) => {
        /// The wire value of a word.
        pub(crate) const fn $to(word: $word) -> $wire {
            match word { $($word::$left => <$wire>::$left,)+ }
        }
    };
    (from $from:ident, $word:ident, $wire:path { $($left:ident,)+ }) => {
        /// The word of a wire value; none when it is not set or not known.
        pub(crate) fn $from(wire: i32) -> Option<$word> {
            match <$wire>::try_from(wire).ok()? {
                $(<$wire>::$left => Some($word::$left),)+
                <$wire>::Unspecified => None,
            }
        }
    };
}

pairs!(
    class_to_wire,
    class,
    TouchClass,
    pb::TouchClass {
        Commercial,
        Renewal,
        Educational,
        Contractual,
    }
);
pairs!(
    channel_to_wire,
    channel,
    Channel,
    pb::Channel {
        Email,
        Sms,
        Whatsapp,
        Chat,
        Push,
        InApp,
        CsmTask,
        SalesTask,
    }
);
pairs!(to motion_to_wire, Motion, pb::Motion {
    Tier, Feature, Capacity, Adjacent, Complementary,
    Platform, Value, PremiumSupport, Save,
    DowngradeDefence, Trial, Renewal,
});
pairs!(to owner_to_wire, Owner, pb::Owner { ProductLed, CsmLed, SalesLed, });
pairs!(from role, ContactRole, pb::ContactRole {
    Finance, It, Business, Executive, EndUser,
});
pairs!(
    kind_to_wire,
    kind,
    SignalKind,
    pb::SignalKind {
        SpendGrowth,
        VolumeGrowth,
        UsageDrop,
        WeakAdoption,
        TicketCluster,
        RenewalClock,
        LimitApproach,
        SeatsShort,
        TariffSaturation,
        FeatureEmbrace,
        Interest,
        ValueReached,
        PowerUsers,
        WorkflowFriction,
        Initiative,
        CompanyGrowth,
        TrialEnding,
        Promoter,
        ProofRequest,
        BudgetMoment,
        CsmRaised,
        DowngradeAttempt,
        HeavyTrialUse,
        Lifecycle,
    }
);
pairs!(to period_to_wire, Period, pb::BillingPeriod {
    Month, Quarter, Year, Week, Day,
});
pairs!(from grade, Grade, signal::Grade { Low, Normal, High, Exceeded, });
pairs!(from band, HealthBand, health::Band { Red, Yellow, Green, });
pairs!(
    offer_state_to_wire,
    offer_state,
    OfferState,
    offer::State {
        Deferred,
        AwaitingApproval,
        Reserved,
        Sending,
        Sent,
        Accepted,
        Declined,
        Expired,
        Rejected,
        Withdrawn,
    }
);
pairs!(
    approval_state_to_wire,
    approval_state,
    ApprovalState,
    approval::State {
        Pending,
        Approved,
        Consumed,
        Rejected,
        Expired,
        Revoked,
    }
);
pairs!(to grantor_to_wire, Grantor, terms::Grantor { Autopilot, Csm, Lead, });
pairs!(to order_state_to_wire, OrderState, order::State { Placed, Paid, Cancelled, });
pairs!(from decline_reason, DeclineReason, decline_offer_request::Reason {
    Price, Timing, Adoption, NoNeed, Unwanted, Other,
});
