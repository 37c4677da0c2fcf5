//! Forecast, reasons for losses, and the calendar of an account.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use super::App;
use crate::{
    domain::{
        contact::Contact,
        forecast::{self, Line},
        losses::{self, Quarter},
    },
    error::RenewalError,
    store::{self, ContactFilter, DealFilter, ListedDeal, ListedReview, ListedTask, ReviewFilter, TaskFilter},
};

/// Entries of each kind in the calendar of one account.
const ENTRIES: u64 = 1_000;

/// What the calendar of an account is made of.
#[derive(Clone, Debug, Default)]
pub struct AccountCalendar {
    /// Open and closed deals.
    pub deals: Vec<ListedDeal>,
    /// Tasks that are not cancelled.
    pub tasks: Vec<ListedTask>,
    /// Reviews.
    pub reviews: Vec<ListedReview>,
    /// Contacts.
    pub contacts: Vec<Contact>,
}

impl App {
    /// The forecast of `months` from the month of `from` on (RN-7).
    pub async fn forecast(
        &self,
        from: Option<Date>,
        months: i32,
        segment: Option<&str>,
    ) -> Result<Vec<Line>, RenewalError> {
        let from = from.unwrap_or_else(|| self.utc_today()).first_of_month();
        let to = from.saturating_add(months.months());
        let mut prospects = Vec::new();
        let unknown = self.rules.policy.unknown_churn_risk;
        store::prospects_each(self.db.reader(), (from, to), segment, unknown, |prospect| {
            prospects.push(prospect)
        })
        .await?;
        Ok(forecast::forecast(prospects, self.rules.worst_factor))
    }

    /// Losses of `quarters` from the quarter of `from` on (RN-4).
    pub async fn losses(&self, from: Option<Date>, quarters: i32) -> Result<Vec<Quarter>, RenewalError> {
        let from = losses::quarter_of(from.unwrap_or_else(|| self.utc_today()));
        let to = from.saturating_add((3 * quarters).months());
        let losses = store::losses_fetch(self.db.reader(), from, to).await?;
        Ok(losses::analyse(&losses, self.rules.signal))
    }

    /// What the calendar of an account is made of (C-17).
    pub async fn account_calendar(&self, account_id: &str) -> Result<AccountCalendar, RenewalError> {
        let db = self.db.reader();
        let account_id = Some(account_id.to_owned());
        let deals = DealFilter {
            account_id: account_id.clone(),
            include_closed: true,
        };
        let tasks = TaskFilter {
            account_id: account_id.clone(),
            include_closed: true,
            ..TaskFilter::default()
        };
        let reviews = ReviewFilter {
            account_id: account_id.clone(),
            include_closed: true,
            owner_id: None,
        };
        let contacts = ContactFilter {
            account_id,
            include_closed: true,
            deal_id: None,
        };
        Ok(AccountCalendar {
            deals: items(store::deal_list(db, &deals, None, ENTRIES).await?),
            tasks: items(store::task_list(db, &tasks, None, ENTRIES).await?),
            reviews: items(store::review_list(db, &reviews, None, ENTRIES).await?),
            contacts: items(store::contact_list(db, &contacts, None, ENTRIES).await?),
        })
    }

    /// The day of UTC.
    pub fn utc_today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.clock.now()).date()
    }
}

fn items<K, T>(rows: Vec<(K, T)>) -> Vec<T> {
    rows.into_iter().map(|(_, item)| item).collect()
}
