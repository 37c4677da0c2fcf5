//! Questions.

use uuid::Uuid;

use super::App;
use crate::{
    domain::care::{Care, ReviewFault},
    error::RenewalError,
    store::{
        self, DayKey, DealFilter, DealKey, ListedDeal, ListedReview, ListedTask, ReviewFilter, TaskFilter, TaskKey,
    },
};

impl App {
    /// One deal.
    pub async fn deal(&self, deal_id: Uuid) -> Result<ListedDeal, RenewalError> {
        let found = store::deal_fetch(self.db.reader(), &deal_id.to_string()).await?;
        found.ok_or_else(|| RenewalError::DealNotFound(deal_id.to_string()))
    }

    /// A page of deals by money at risk (RN-3), and the key of its last one if there are more.
    pub async fn deals(
        &self,
        filter: &DealFilter,
        after: Option<&DealKey>,
        size: u32,
    ) -> Result<(Vec<ListedDeal>, Option<DealKey>), RenewalError> {
        Ok(page(
            store::deal_list(self.db.reader(), filter, after, u64::from(size) + 1).await?,
            size,
        ))
    }

    /// One task.
    pub async fn task(&self, task_id: Uuid) -> Result<ListedTask, RenewalError> {
        let found = store::task_fetch(self.db.reader(), &task_id.to_string()).await?;
        found.ok_or_else(|| RenewalError::TaskNotFound(task_id.to_string()))
    }

    /// The customer success manager of an account; empty when nobody is in charge, or nobody knows it.
    pub async fn account_owner(&self, account_id: &str) -> Result<String, RenewalError> {
        Ok(store::account_fetch(self.db.reader(), account_id).await?.owner_id)
    }

    /// The customer success manager of the account that a review or an onboarding plan belongs to, as above.
    pub async fn care_owner(&self, subject_id: Uuid) -> Result<String, RenewalError> {
        match store::care_account_fetch(self.db.reader(), &subject_id.to_string()).await? {
            Some(account_id) => self.account_owner(&account_id).await,
            None => Ok(String::new()),
        }
    }

    /// A page of reviews by day, and the key of its last one if there are more.
    pub async fn reviews(
        &self,
        filter: &ReviewFilter,
        after: Option<&DayKey>,
        size: u32,
    ) -> Result<(Vec<ListedReview>, Option<DayKey>), RenewalError> {
        let rows = store::review_list(self.db.reader(), filter, after, u64::from(size) + 1).await?;
        Ok(page(rows, size))
    }

    /// One review.
    pub async fn review(&self, review_id: Uuid) -> Result<ListedReview, RenewalError> {
        let db = self.db.reader();
        let ids: Vec<String> = store::care_account_fetch(db, &review_id.to_string())
            .await?
            .into_iter()
            .collect();
        let picture = store::care_load(db, &ids).await?.pop();
        let found = picture.and_then(|picture| {
            let review = picture
                .care
                .reviews
                .into_iter()
                .find(|review| review.review_id == review_id)?;
            Some(ListedReview {
                account_id: picture.care.account_id,
                account: picture.account,
                review,
            })
        });
        let fault = ReviewFault::NoReview;
        found.ok_or_else(|| RenewalError::Review {
            id: review_id.to_string(),
            fault,
        })
    }

    /// A page of onboarding plans by first day, and the key of its last one if there are more.
    pub async fn plans(
        &self,
        owner_id: Option<&str>,
        include_finished: bool,
        after: Option<&DayKey>,
        size: u32,
    ) -> Result<(Vec<Care>, Option<DayKey>), RenewalError> {
        let limit = u64::from(size) + 1;
        Ok(page(
            store::plan_list(self.db.reader(), owner_id, include_finished, after, limit).await?,
            size,
        ))
    }

    /// A page of tasks by due day, and the key of its last one if there are more.
    pub async fn tasks(
        &self,
        filter: &TaskFilter,
        after: Option<&TaskKey>,
        size: u32,
    ) -> Result<(Vec<ListedTask>, Option<TaskKey>), RenewalError> {
        Ok(page(
            store::task_list(self.db.reader(), filter, after, u64::from(size) + 1).await?,
            size,
        ))
    }
}

/// Cuts off the one row too many that says that there are more.
pub(super) fn page<K, T>(mut rows: Vec<(K, T)>, size: u32) -> (Vec<T>, Option<K>) {
    let size = size as usize;
    let has_more = rows.len() > size;
    rows.truncate(size);
    let (mut keys, items): (Vec<K>, Vec<T>) = rows.into_iter().unzip();
    (items, keys.pop().filter(|_| has_more))
}
