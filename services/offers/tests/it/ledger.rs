//! The ledger over a real store.

mod coalesced;
mod faults;
mod merges;
pub(crate) mod oracle;
mod senders;
mod steps;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date};
use sea_orm::{ConnectionTrait as _, Statement};
use upswell_offers::{
    Migrator,
    app::ledger::{Cause, Ledger, LedgerCtx, recheck_in},
    domain::{
        ledger::{CapPolicy, Reserve, Touch},
        vocabulary::{Channel, TouchClass},
    },
    store::{
        accounts::account_save,
        copies::deal_save,
        entities::{account, deal},
        ledger::{TouchFilter, touch_log_list},
    },
};
use upswell_runtime::{clock::Clock, db::epoch_day, outbox::Routes, testing::TempDb};

pub(crate) const START: &str = "2026-10-12T05:00:00Z";

/// A ledger over a store of its own, with a clock to turn.
pub(crate) struct World {
    pub(crate) store: TempDb,
    pub(crate) ctx: Arc<LedgerCtx>,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store = TempDb::open::<Migrator>().await.unwrap();
        let routes = Routes::new().to("upswell.offers.v1.TouchChanged", &["metrics", "ingestion"]);
        let ctx = Arc::new(LedgerCtx {
            policy: CapPolicy::default(),
            routes,
            holdout_epoch: 1,
        });
        let clock = upswell_runtime::testing::clock_at(START);
        let ledger = Ledger::new(store.db.clone(), Arc::clone(&ctx), clock.clone());
        Self {
            store,
            ctx,
            clock,
            ledger,
        }
    }

    /// A world with the account `acme` in UTC.
    pub(crate) async fn with_acme() -> Self {
        let world = Self::new().await;
        world.account("acme", "UTC", None).await;
        world
    }

    pub(crate) async fn account(&self, account_id: &str, time_zone: &str, renewal: Option<Date>) {
        let account = account::Model {
            account_id: account_id.to_owned(),
            display_name: "Acme".to_owned(),
            segment: "mid-market".to_owned(),
            industry: String::new(),
            country: "KZ".to_owned(),
            time_zone: time_zone.to_owned(),
            language: "ru".to_owned(),
            enterprise: false,
            csm_id: String::new(),
            next_slot_at: 0,
            decide_now: false,
            customer_since_on: None,
        };
        let tx = self.store.db.begin().await.unwrap();
        account_save(&tx, account).await.unwrap();
        tx.commit().await.unwrap();
        if let Some(renewal) = renewal {
            self.renew(account_id, renewal, false).await;
        }
    }

    /// Moves the account's deal, or closes it; the touches that had to go.
    pub(crate) async fn renew(&self, account_id: &str, renewal: Date, closed: bool) -> Vec<Touch> {
        let deal = deal::Model {
            deal_id: format!("deal-of-{account_id}"),
            account_id: account_id.to_owned(),
            renewal_on: epoch_day(renewal),
            closed,
        };
        let tx = self.store.db.begin().await.unwrap();
        deal_save(&tx, deal).await.unwrap();
        let released = recheck_in(&tx, &self.ctx, account_id, Cause::RenewalMoved, self.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        released
    }

    pub(crate) fn pass(&self, hours: i64) -> Timestamp {
        self.clock.set(self.clock.now() + SignedDuration::from_hours(hours));
        self.clock.now()
    }

    pub(crate) async fn granted(&self, command: &Reserve) -> Touch {
        self.ledger.reserve(command).await.unwrap().unwrap()
    }

    pub(crate) async fn touches(&self, account_id: &str) -> Vec<Touch> {
        let filter = TouchFilter {
            account_id: account_id.to_owned(),
            ..TouchFilter::default()
        };
        self.ledger.list(&filter, None, 10_000).await.unwrap()
    }

    /// States and notes of a touch, oldest first.
    pub(crate) async fn log(&self, touch: &Touch) -> Vec<(String, String)> {
        let log = touch_log_list(self.store.db.reader(), touch.id).await.unwrap();
        log.into_iter().map(|entry| (entry.state, entry.note)).collect()
    }

    /// How many TouchChanged events go to metrics.
    pub(crate) async fn events(&self) -> i64 {
        let db = self.store.db.reader();
        let sql = "SELECT COUNT(*) AS n FROM outbox WHERE dest = 'metrics'";
        let row = db
            .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
            .await
            .unwrap()
            .unwrap();
        row.try_get("", "n").unwrap()
    }
}

/// A commercial touch to `acme` by the sender `crm`, `ahead` hours from the start.
pub(crate) fn commercial(key: &str, ahead: i64) -> Reserve {
    Reserve {
        account_id: "acme".to_owned(),
        class: TouchClass::Commercial,
        proposes_expansion: false,
        channel: Channel::Email,
        sender: "crm".to_owned(),
        idempotency_key: key.to_owned(),
        planned_at: Some(START.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(ahead)),
        contact_id: String::new(),
        offer_id: String::new(),
    }
}
