//! Settles every renewal that is due: because an event concerned it, or because its day has come.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{
    db::Tx,
    jobs::Job,
    outbox::{self, NewEvent},
    problem::Problem,
    telemetry::TraceContext,
};

use super::App;
use crate::{
    NAME,
    api::events,
    domain::{account::Account, renewal::Decision},
    store::{self, Picture, Settled},
};

/// Renewals in one transaction.
const BATCH: u64 = 200;
/// How often the calendar is looked at; its days begin on the hour almost everywhere.
const PERIOD: Duration = Duration::from_secs(60);

/// The job; see [`crate::domain::renewal`] for what settling means.
pub struct SettleRenewals {
    app: App,
}

impl SettleRenewals {
    /// The job over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Job for SettleRenewals {
    fn name(&self) -> &'static str {
        "renewals.settle"
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn event_driven(&self) -> bool {
        true
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let mut total = 0;
        loop {
            // A look without the write lock first: mostly nothing is due.
            let due = store::subscriptions_due_fetch(self.app.db.reader(), now, BATCH).await?;
            if due.is_empty() {
                return Ok(total);
            }
            total += self.app.settle(&due, now).await?;
        }
    }
}

impl App {
    async fn settle(&self, subscription_ids: &[String], now: Timestamp) -> Result<usize, Problem> {
        let tx = self.db.begin().await?;
        store::subscriptions_lock(&tx, subscription_ids).await?;
        let pictures = store::pictures_load(&*tx, subscription_ids).await?;
        let count = pictures.len();
        let mut settled = Vec::with_capacity(count);
        let mut news = Vec::new();
        for picture in pictures {
            let (one, events) = self.settle_one(picture, now);
            settled.push(one);
            news.extend(events);
        }
        self.save(&tx, &settled, news).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Decides about one renewal, in a span that hangs on the work which asked for it.
    fn settle_one(&self, picture: Picture, now: Timestamp) -> (Settled, Vec<NewEvent>) {
        let Picture {
            renewal,
            account,
            trace,
        } = picture;
        let span = tracing::info_span!(
            "renewals.settle",
            upswell.service = NAME,
            account.id = renewal.account_id,
            subscription.id = renewal.subscription_id,
        );
        TraceContext::adopt(&trace, &span, self.trace_mode);
        span.in_scope(|| {
            let decision = renewal.settled(&account, &self.rules.policy, now);
            let events = events::of(&decision, now);
            (settled(renewal, decision, &account), events)
        })
    }

    /// Writes decisions and what is told of them.
    pub(super) async fn save(&self, tx: &Tx, settled: &[Settled], news: Vec<NewEvent>) -> Result<(), Problem> {
        store::settled_save(tx, settled).await?;
        let changed = settled.iter().filter(|one| one.before.deals != one.after.deals);
        let accounts: BTreeSet<&str> = changed
            .flat_map(|one| one.came_from().chain([one.after.account_id.as_str()]))
            .collect();
        store::care_due(tx, &accounts).await?;
        outbox::append(tx, NAME, &events::routes(), news).await
    }
}

pub(super) fn settled(before: crate::domain::renewal::Renewal, decision: Decision, account: &Account) -> Settled {
    let Decision {
        renewal,
        news: _,
        check_on,
    } = decision;
    Settled {
        before,
        after: renewal,
        check_at: check_on.and_then(|day| account.start_of(day)),
    }
}
