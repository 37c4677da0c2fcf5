//! What the programme did: the way from signals to money of a slice, conversion three ways, value and velocity (K-3,
//! K-8, K-9).

use upswell_runtime::money::{Money, MoneyFault};

use super::{funnel::Way, revenue::share, window::Window};

/// Days of a month are 30.4375 (§9), which is 487/16.
const DAYS_PER_MONTH: (i64, i64) = (487, 16);
/// Days of a year.
const DAYS_PER_YEAR: f64 = 365.25;

/// By what the programme is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All in one.
    All,
    /// Segment of the account.
    Segment,
    /// Plan of the account.
    Plan,
    /// Country of the account.
    Country,
    /// Month in which the account came.
    Cohort,
    /// Motion of the offer.
    Motion,
    /// Channel of the offer.
    Channel,
    /// Playbook of the offer.
    Playbook,
    /// Kind of signal.
    Signal,
}

impl Cut {
    /// All of them; the place is the number on the wire.
    pub const ALL: [Self; 9] = [
        Self::All,
        Self::Segment,
        Self::Plan,
        Self::Country,
        Self::Cohort,
        Self::Motion,
        Self::Channel,
        Self::Playbook,
        Self::Signal,
    ];

    /// Its slices are made of accounts, so that each has customers of its own.
    pub const fn is_of_accounts(self) -> bool {
        matches!(
            self,
            Self::All | Self::Segment | Self::Plan | Self::Country | Self::Cohort
        )
    }
}

/// What is counted of a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Its value; empty where it is not known.
    pub value: String,
    /// The steps from its signals to its payments.
    pub way: Way,
    /// Of the offers sent in the window, those accepted by now.
    pub sent_accepted: i64,
    /// Accounts that paid at some time in the window.
    pub customers: i64,
    /// Accounts to which an offer was sent in the window.
    pub accounts_offered: i64,
    /// Of these, accounts that accepted one.
    pub accounts_accepted: i64,
    /// Accounts that pay on the last day; 0 where the slice is not one of accounts.
    pub paying: i64,
    /// Of these, accounts that pay for an add-on.
    pub attached: i64,
    /// Money that its orders moved, by currency.
    pub money: Vec<SliceMoney>,
}

/// Money of a slice in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceMoney {
    /// Expansion MRR in the window.
    pub expansion: Money,
    /// Orders behind it.
    pub orders: i64,
    /// Expansion × days to the end of the window, or until it was gone.
    pub minor_days: i64,
}

impl Slice {
    /// Accounts that accepted, of all customers.
    pub fn of_customers(&self) -> Option<f64> {
        share(self.accounts_accepted, self.customers)
    }

    /// Offers accepted, of those sent.
    pub fn of_offers(&self) -> Option<f64> {
        share(self.sent_accepted, self.way.sent())
    }

    /// The share of customers that would accept in a year like this window.
    pub fn a_year(&self, window: Window) -> Option<f64> {
        self.of_customers()
            .map(|share| share * DAYS_PER_YEAR / f64::from(window.days()))
    }

    /// Paying accounts with an add-on.
    pub fn attach_rate(&self) -> Option<f64> {
        share(self.attached, self.paying)
    }

    /// There is something to tell beside customers.
    pub fn is_active(&self) -> bool {
        self.way.is_active() || !self.money.is_empty()
    }
}

impl SliceMoney {
    /// Nothing yet.
    pub fn nothing(zero: Money) -> Self {
        Self {
            expansion: zero,
            orders: 0,
            minor_days: 0,
        }
    }

    /// Average value of an upsell; `None` without orders. Errors: beyond 64 bits.
    pub fn average(&self) -> Result<Option<Money>, MoneyFault> {
        (self.orders > 0)
            .then(|| self.expansion.ratio(1, self.orders))
            .transpose()
    }

    /// Expansion a month.
    pub fn velocity(&self, window: Window) -> Result<Money, MoneyFault> {
        let (per_month, sixteenths) = DAYS_PER_MONTH;
        self.expansion.ratio(per_month, sixteenths * i64::from(window.days()))
    }

    /// What it earned by the end of the window.
    pub fn earned(&self) -> Result<Money, MoneyFault> {
        let (per_month, sixteenths) = DAYS_PER_MONTH;
        Money::new(self.minor_days, self.expansion.currency).ratio(sixteenths, per_month)
    }
}
