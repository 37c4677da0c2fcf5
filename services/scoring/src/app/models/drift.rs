//! Watches whether the accounts of today are still like those that the models in use learnt from (SC-5). Once a day a
//! sample of the accounts is looked at; several replicas that do it at once write the same.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use upswell_runtime::{jobs::Job, problem::Problem};

use super::{Drift, Made, ModelApp};
use crate::{
    domain::{
        model::{
            drift::{Moved, moved},
            history::{History, Kind, LOOK_BACK, day_number, point},
        },
        moment::Moment,
    },
    store,
};

/// Accounts read from the store at once.
const PAGE: u64 = 5_000;

/// Looks for drift.
pub struct WatchDrift(ModelApp);

impl WatchDrift {
    /// The job over the use cases.
    pub fn new(app: ModelApp) -> Self {
        Self(app)
    }
}

#[async_trait]
impl Job for WatchDrift {
    fn name(&self) -> &'static str {
        "scoring.watch_drift"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
        let due = store::models_in_use(self.0.0.db.reader()).await?;
        let is_due = |model: &&store::InUse| {
            model
                .drift
                .as_ref()
                .is_none_or(|drift| day(drift.checked_at) < day(now))
        };
        let kinds: Vec<Kind> = due.iter().filter(is_due).map(|model| model.kind).collect();
        if kinds.is_empty() {
            return Ok(0);
        }
        let rows = self.0.sample(now).await?;
        for kind in &kinds {
            if let Some(made) = store::model_fetch_in_use(self.0.0.db.reader(), *kind).await? {
                self.0.note_drift(made, &rows, now).await?;
            }
        }
        Ok(kinds.len())
    }
}

impl ModelApp {
    /// The features of a sample of the paying accounts, spread evenly over the order of their ids.
    async fn sample(&self, now: Timestamp) -> Result<Vec<BTreeMap<String, f64>>, Problem> {
        let reader = self.0.db.reader();
        let most = u64::from(self.0.settings.drift_accounts);
        let step = store::accounts_count(reader).await?.div_ceil(most).max(1);
        let (mut after, mut seen, mut chosen) = (String::new(), 0_u64, Vec::new());
        loop {
            let ids = store::accounts_list_ids(reader, &after, PAGE).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            for id in ids {
                if seen.is_multiple_of(step) {
                    chosen.push(id);
                }
                seen += 1;
            }
        }
        let mut rows = Vec::new();
        for batch in chosen.chunks(self.0.batch_size) {
            let facts = self.0.ingestion.facts(batch.to_vec(), now, LOOK_BACK + 3).await?;
            for (account_id, facts) in &facts {
                let history = History::of(account_id, facts);
                let day = day_number(Moment::at(now, &facts.time_zone()).as_of);
                if history.is_customer(day) {
                    rows.push(point(&history, day).into_iter().collect());
                }
            }
        }
        Ok(rows)
    }

    async fn note_drift(&self, made: Made, rows: &[BTreeMap<String, f64>], now: Timestamp) -> Result<(), Problem> {
        let settings = &self.0.settings;
        let accounts = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let is_enough = accounts >= settings.drift_least;
        let Moved {
            predictions,
            feature,
            feature_name,
        } = if is_enough {
            moved(&made.model, rows)
        } else {
            Moved::default()
        };
        let drift = Drift {
            predictions,
            feature,
            feature_name,
            checked_at: now,
            accounts,
            is_alarming: predictions.max(feature) >= settings.drift_alarm,
            is_set_aside: predictions >= settings.drift_fallback,
        };
        let was = |known: fn(&Drift) -> bool| made.drift.as_ref().is_some_and(known);
        let is_news = (drift.is_alarming && !was(|drift| drift.is_alarming))
            || (drift.is_set_aside && !was(|drift| drift.is_set_aside));
        if is_news {
            tracing::warn!(
                model.id = made.model_id,
                drift.predictions = drift.predictions,
                drift.feature = drift.feature,
                drift.feature_name = drift.feature_name,
                drift.is_set_aside = drift.is_set_aside,
                "the accounts have moved away from those that the model in use learnt from"
            );
        }
        let tx = self.0.db.begin().await?;
        store::model_note_drift(&tx, &made.model_id, &drift).await?;
        tx.commit().await
    }
}
