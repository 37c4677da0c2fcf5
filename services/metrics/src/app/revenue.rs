//! MRR, what moved it, and the rates of a window.

use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    domain::{
        revenue::{Revenue, revenue},
        window::Window,
    },
    error::MetricsError,
    store::{self, ListedMovement, MovementFilter, MovementKey},
};

/// A page of movements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementPage {
    /// The movements.
    pub movements: Vec<ListedMovement>,
    /// The key of the last one when more follow.
    pub last_key: Option<MovementKey>,
}

impl App {
    /// Revenue metrics by currency; an empty segment means all accounts. Errors: INTERNAL `MRR_IDENTITY_BROKEN`.
    #[tracing::instrument(name = "metrics.revenue", skip_all, fields(window.days = window.days()))]
    pub async fn revenue(&self, window: Window, segment: &str) -> Result<Vec<Revenue>, MetricsError> {
        let (ends, sums) = store::revenue_sums_fetch(self.db.reader(), window, segment).await?;
        Ok(revenue(ends, sums)?)
    }

    /// At most `size` movements after the key.
    #[tracing::instrument(name = "metrics.movements", skip_all, fields(window.days = filter.window.days()))]
    pub async fn movements(
        &self,
        filter: &MovementFilter,
        after: Option<MovementKey>,
        size: u32,
    ) -> Result<MovementPage, Problem> {
        let one_more = size.saturating_add(1);
        let mut movements = store::movement_list(self.db.reader(), filter, after, one_more).await?;
        let more = movements.len() > size as usize;
        movements.truncate(size as usize);
        let last_key = movements.last().filter(|_| more).map(|movement| movement.key.clone());
        Ok(MovementPage { movements, last_key })
    }
}
