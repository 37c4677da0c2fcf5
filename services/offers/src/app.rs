//! The use cases: gather → begin → decide → write → commit.

pub mod answers;
pub mod approvals;
pub mod calendar;
pub mod copies;
pub mod decide;
pub mod delegations;
pub mod evidence;
pub mod expire;
pub mod explain;
mod handover;
pub mod holdout;
pub(crate) mod in_app;
pub(crate) mod learn;
pub mod ledger;
pub mod merges;
mod outgoing;
mod pauses;
pub mod prune;
pub(crate) mod receipts;
pub mod released;
pub mod revalidate;
pub mod send;
pub(crate) mod simulate;
pub mod suppressions;
pub(crate) mod tasks;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
};

use jiff::{Timestamp, civil::Time};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes;
use upswell_runtime::{
    clock::Clock,
    db::{Db, Tx},
    inbox::delivery_server,
    jobs::Job,
    outbox::{self, NewEvent},
    problem::{Problem, Violations},
    relay::Relay,
    service::{Deps, Service},
    telemetry::OutboxTrace,
};

use self::ledger::{ExpireReservations, LedgerCtx};
use crate::{
    api::{self, events},
    channel::{Channel, Ways, billing::Billing, links::Links},
    config::Settings,
    domain::{offer::Offer, policy::Policy, slots::next_slot, vocabulary::OfferState},
    edge,
    error::OfferError,
    policy,
    store::{
        Migrator, Reads,
        entities::account,
        ledger::account_touch_families,
        offers,
        pictures::{Loaded, pictures_load},
    },
};

/// Name of the service, which is also its name as a peer and as a source of events.
pub const NAME: &str = "offers";

/// Everything that the use cases share.
pub struct App {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) slot_time: Time,
    pub(crate) policy: Policy,
    /// The files that it was read from.
    pub(crate) sources: Vec<(String, String)>,
    /// Whether they are in the store.
    pub(crate) rules_kept: AtomicBool,
    pub(crate) ledger: Arc<LedgerCtx>,
    pub(crate) channel: Arc<dyn Channel>,
    /// None when messages have no links.
    pub(crate) links: Option<Links>,
    /// None when orders are handed to nobody.
    pub(crate) billing: Option<Billing>,
    pub(crate) trace_mode: OutboxTrace,
    pub(crate) wake: Arc<Notify>,
    /// Ends the edge with the service.
    _edge: DropGuard,
}

/// Builds the service on a migrated store. Errors: every fault of settings, catalogue and playbooks at once.
pub async fn build(settings: Settings, deps: Deps) -> Result<Service, Problem> {
    Ok(build_with_edge(settings, deps).await?.0)
}

/// [`build`], and where the edge listens; none when it is off.
pub async fn build_with_edge(settings: Settings, deps: Deps) -> Result<(Service, Option<SocketAddr>), Problem> {
    let mut violations = Violations::new();
    settings.validate(&mut violations);
    let slot_time = violations.take("decisions.slot_time", settings.decisions.time());
    let ways = violations.at("channel", |v| Ways::new(&settings.channel, &deps.clock, v));
    let links = violations.at("edge", |v| Links::new(&settings.edge, v));
    let billing = violations.at("billing", |v| {
        Billing::new(&settings.billing, &settings.channel, &deps.clock, v)
    });
    let doors = violations.at("channel.webhooks", |v| edge::Doors::new(&settings.channel.webhooks, v));
    violations.into_result()?;
    let folder = settings.policy.dir.as_path();
    let folder = (!folder.as_os_str().is_empty()).then_some(folder);
    let policy =
        policy::load(folder).map_err(|faults| Problem::failed_precondition("POLICY_INVALID", faults.to_string()))?;
    let sources = policy::sources(folder);
    let db = Db::open::<Migrator>(&settings.db).await?;
    let Deps {
        clock,
        peers,
        trace_mode,
    } = deps;
    let wake = Arc::new(Notify::new());
    let ending = CancellationToken::new();
    let relay = Relay::new(db.clone(), NAME, peers, settings.relay.clone(), clock.clone());
    let app = Arc::new(App {
        ledger: Arc::new(LedgerCtx {
            policy: settings.caps.policy(),
            routes: events::routes(),
            holdout_epoch: settings.holdout.epoch,
        }),
        db: db.clone(),
        slot_time: slot_time.unwrap_or(Time::midnight()),
        settings,
        policy,
        sources,
        rules_kept: AtomicBool::new(false),
        clock,
        channel: Arc::new(ways),
        links,
        billing,
        trace_mode,
        wake: Arc::clone(&wake),
        _edge: ending.clone().drop_guard(),
    });
    let routes = routes(&app, &wake);
    let address = edge::open(&app, doors, ending).await?;
    let service = Service {
        name: NAME,
        db,
        routes,
        jobs: jobs(&app),
        relay,
        wake,
    };
    Ok((service, address))
}

fn routes(app: &Arc<App>, wake: &Arc<Notify>) -> Routes {
    let inbox = Arc::new(api::inbound::OffersInbox(Arc::clone(app)));
    let delivery = delivery_server(app.db.clone(), inbox, Arc::clone(wake), app.trace_mode);
    let admin = upswell_runtime::admin::admin_server(app.db.clone(), app.clock.clone());
    api::routes(app).add_service(delivery).add_service(admin)
}

/// In the order in which a driver runs them: what frees places, settles arms and learns comes before what decides, and that
/// before what sends.
fn jobs(app: &Arc<App>) -> Vec<Arc<dyn Job>> {
    vec![
        Arc::new(holdout::AssignArms(Arc::clone(app))),
        Arc::new(ExpireReservations::new(app.db.clone(), Arc::clone(&app.ledger))),
        Arc::new(expire::ExpireOffers(Arc::clone(app))),
        Arc::new(expire::ExpireApprovals(Arc::clone(app))),
        Arc::new(learn::Learn(Arc::clone(app))),
        Arc::new(decide::DecideSlots(Arc::clone(app))),
        Arc::new(decide::DecideImmediate(Arc::clone(app))),
        Arc::new(send::SendDue(Arc::clone(app))),
        Arc::new(handover::HandOrders(Arc::clone(app))),
        Arc::new(prune::PruneWebhooks(Arc::clone(app))),
        Arc::new(evidence::SealDecisions(Arc::clone(app))),
    ]
}

impl App {
    /// Appends events in the transaction of what they tell.
    pub(crate) async fn tell(&self, tx: &Tx, told: Vec<NewEvent>) -> Result<(), Problem> {
        if told.is_empty() {
            return Ok(());
        }
        outbox::append(tx, NAME, &events::routes(), told).await
    }

    /// Stores an offer that came from `previous`, and tells of it.
    pub(crate) async fn save(&self, tx: &Tx, offer: &mut Offer, previous: Option<OfferState>) -> Result<(), Problem> {
        offers::offer_save(tx, offer).await?;
        self.tell(tx, vec![events::offer_changed(offer, previous)]).await
    }

    /// The picture of one account.
    pub(crate) async fn picture(
        &self,
        db: &impl Reads,
        account: account::Model,
        now: Timestamp,
    ) -> Result<Loaded, Problem> {
        let loaded = pictures_load(db, vec![account], self.settings.holdout.epoch, now).await?;
        loaded
            .into_iter()
            .next()
            .ok_or_else(|| Problem::internal("no picture of an account"))
    }

    /// Locks an account and loads its picture.
    pub(crate) async fn picture_locked(&self, tx: &Tx, id: &str, now: Timestamp) -> Result<Loaded, OfferError> {
        crate::store::accounts::account_lock(tx, id).await?;
        let account = crate::store::accounts::account_fetch(&**tx, id).await?;
        let account = account.ok_or_else(|| OfferError::AccountNotFound(id.to_owned()))?;
        Ok(self.picture(&**tx, account, now).await?)
    }

    /// The accounts that count together with this one, itself among them (I-3).
    pub(crate) async fn family(&self, db: &impl Reads, account_id: &str) -> Result<Vec<String>, Problem> {
        let ids = std::collections::BTreeSet::from([account_id.to_owned()]);
        let mut found = account_touch_families(db, &ids, self.clock.now()).await?;
        Ok(found
            .remove(account_id)
            .map(|family| family.members)
            .unwrap_or_default())
    }

    /// The account's first decision slot after `now`.
    pub(crate) fn slot_after(&self, time_zone: &str, now: Timestamp) -> Timestamp {
        next_slot(&crate::store::pictures::zone(time_zone), self.slot_time, now)
    }
}
