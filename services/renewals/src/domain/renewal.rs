//! The renewals of one subscription: its contract, its deals with their tasks, and the marks that were told.
//!
//! Whatever happens (an event, a new day, a person's decision), the aggregate is settled as a whole: the contract is
//! followed, the calendar is kept up with, tasks are tended, marks are told. Settling twice changes nothing.

mod people;
mod settle;

use jiff::civil::Date;
use uuid::Uuid;

pub use self::people::DealFault;
use super::{
    contract::{AddOn, Version},
    country::Countries,
    deal::Deal,
    mark::{Mark, MarkRule},
    risk::ChurnRisk,
    task::Task,
};

/// The rules that are configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which marks there are, and when they are reached (SG-6).
    pub marks: Vec<MarkRule>,
    /// How long a renewal may be signed late when the subscription ended with its term.
    pub grace_days: i32,
    /// The risk of an account that was not scored (RN-3).
    pub unknown_churn_risk: ChurnRisk,
    /// Working days and seasons (RN-6).
    pub countries: Countries,
}

/// The renewals of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The subscription, of kind plan.
    pub subscription_id: String,
    /// The account: that under which its terms were told last.
    pub account_id: String,
    /// The versions of its terms.
    pub versions: Vec<Version>,
    /// Versions of the add-ons of the account.
    pub add_ons: Vec<AddOn>,
    /// Its deals by number; at most the last is open.
    pub deals: Vec<Deal>,
    /// The tasks of its deals.
    pub tasks: Vec<Task>,
    /// The marks that were told.
    pub marks: Vec<Mark>,
}

/// What other services have to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a settling tells few things, and most of them are deals"
)]
pub enum News {
    /// A deal was opened, moved to another date or stage, or closed; or, while open, came to another account (I-3).
    Deal {
        /// As it stands now.
        deal: Deal,
        /// Its date before, if it moved (C-8).
        previous_renewal_on: Option<Date>,
    },
    /// A mark was reached.
    Mark(Mark),
}

/// What becomes of a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// As it stands now.
    pub renewal: Renewal,
    /// What to tell, in this order.
    pub news: Vec<News>,
    /// The day on which it has to be looked at again; `None` when only events or people can change it.
    pub check_on: Option<Date>,
}

impl Renewal {
    /// A subscription of which nothing is known yet.
    pub fn new(subscription_id: impl Into<String>, account_id: impl Into<String>) -> Self {
        Self {
            subscription_id: subscription_id.into(),
            account_id: account_id.into(),
            versions: Vec::new(),
            add_ons: Vec::new(),
            deals: Vec::new(),
            tasks: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// The deal that is being worked on.
    pub fn open_deal(&self) -> Option<&Deal> {
        self.deals.last().filter(|deal| deal.is_open())
    }

    fn open_deal_mut(&mut self) -> Option<&mut Deal> {
        self.deals.last_mut().filter(|deal| deal.is_open())
    }

    fn deal(&self, deal_id: Uuid) -> Option<&Deal> {
        self.deals.iter().find(|deal| deal.deal_id == deal_id)
    }

    /// Counts the changes since `before` and says which of them are news: the deals by number, then the marks.
    fn changes_since(&mut self, before: &Self) -> Vec<News> {
        let mut news = Vec::new();
        for deal in &mut self.deals {
            let old = before.deal(deal.deal_id);
            let (at_risk, health) = (deal.at_risk, deal.health);
            let same = |old: &Deal| Deal {
                at_risk,
                health,
                ..old.clone()
            };
            deal.version += i64::from(old.is_none_or(|old| *deal != same(old)));
            let is_news = |old: &Deal| {
                let came = deal.is_open() && old.account_id != deal.account_id;
                came || !old.is_planned_like(deal) || old.history != deal.history
            };
            if old.is_none_or(is_news) {
                let moved = old.map(|old| old.renewal_on).filter(|date| *date != deal.renewal_on);
                news.push(News::Deal {
                    deal: deal.clone(),
                    previous_renewal_on: moved,
                });
            }
        }
        for task in &mut self.tasks {
            let old = before.tasks.iter().find(|old| old.task_id == task.task_id);
            task.version += i64::from(old != Some(task));
        }
        let marks = self.marks.iter().filter(|mark| !before.marks.contains(mark));
        news.extend(marks.copied().map(News::Mark));
        news
    }
}
