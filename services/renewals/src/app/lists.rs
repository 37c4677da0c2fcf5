//! Questions.

use uuid::Uuid;

use super::App;
use crate::{
    error::RenewalError,
    store::{self, DealFilter, DealKey, ListedDeal, ListedTask, TaskFilter, TaskKey},
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
fn page<K, T>(mut rows: Vec<(K, T)>, size: u32) -> (Vec<T>, Option<K>) {
    let size = size as usize;
    let has_more = rows.len() > size;
    rows.truncate(size);
    let (mut keys, items): (Vec<K>, Vec<T>) = rows.into_iter().unzip();
    (items, keys.pop().filter(|_| has_more))
}
