//! What must hold after every fault, read from what is stored and not from what was answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use jiff::{ToSpan as _, civil::date, tz::TimeZone};
use upswell::{cluster::SERVICES, demo::checker, lists, wire::to_date};
use upswell_proto::{
    admin::v1::{GetOutboxStatusRequest, admin_service_client::AdminServiceClient},
    metrics::v1::{GetRevenueMetricsRequest, Window, metrics_service_client::MetricsServiceClient},
    offers::v1::touch_ledger_service_client::TouchLedgerServiceClient,
};
use upswell_runtime::{
    client::{self, Peers},
    clock::Clock,
};

use crate::{
    fleet::Fleet,
    load::{ACCOUNTS, Tally, name, price, settings},
};

/// The longest time for everything to come to rest after a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until nothing is on its way any more, then judges the stores.
pub(crate) async fn check(fleet: &Fleet, tally: &Tally) {
    let peers = fleet.peers(&settings());
    o8_everything_arrives(&peers).await;
    o3_acknowledged_facts_are_stored_once(fleet, tally).await;
    o3_o4_every_event_was_applied_once_and_in_order(fleet).await;
    o1_no_account_is_over_its_limits(&peers, tally).await;
    o2_what_was_sent_had_its_approval(fleet).await;
    o6_the_ledger_has_a_line_for_every_step(fleet).await;
    o5_money_equals_what_was_contracted(&peers).await;
}

/// O8: the backlog of every service drains to nothing, and nothing was parked.
pub(crate) async fn o8_everything_arrives(peers: &Peers) {
    let begun = Instant::now();
    let mut each = tokio::time::interval(Duration::from_millis(100));
    let mut waiting = backlog(peers).await;
    while !waiting.is_empty() {
        each.tick().await;
        assert!(begun.elapsed() < PATIENCE, "events still wait: {waiting:?}");
        waiting = backlog(peers).await;
    }
}

async fn backlog(peers: &Peers) -> BTreeMap<String, i64> {
    let mut waiting = BTreeMap::new();
    for service in SERVICES {
        let admin = AdminServiceClient::new(peers.channel(service).unwrap());
        let settings = settings();
        let status = client::call(&settings, "admin.GetOutboxStatus", || {
            let mut admin = admin.clone();
            async move { admin.get_outbox_status(GetOutboxStatusRequest {}).await }
        });
        for destination in status.await.unwrap().destinations {
            assert_eq!(
                destination.parked, 0,
                "{service} parked events for {}",
                destination.destination
            );
            if destination.backlog > 0 {
                waiting.insert(format!("{service} to {}", destination.destination), destination.backlog);
            }
        }
    }
    waiting
}

/// O3 at the door: what was acknowledged is there, and nothing is there twice.
async fn o3_acknowledged_facts_are_stored_once(fleet: &Fleet, tally: &Tally) {
    let facts = "SELECT external_id FROM fact WHERE source = 'load' ORDER BY 1";
    let stored = fleet.query("ingestion", facts).await;
    // The rollup counts each fact once: a doubled effect would show here.
    let counted = "SELECT CAST(COALESCE(SUM(fact_count), 0) AS TEXT) FROM rollup";
    let counted = fleet.query("ingestion", counted).await;
    assert_eq!(counted, [stored.len().to_string()], "the rollup counts otherwise");
    let acknowledged = tally.facts.lock().unwrap();
    let unique: BTreeSet<&String> = stored.iter().collect();
    assert_eq!(stored.len(), unique.len(), "facts are stored twice");
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|id| id.starts_with('w') && !unique.contains(id))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} facts are lost",
        lost.len(),
        acknowledged.len()
    );
}

/// O3 and O4 between services: each destination stands, for every key, exactly where its source does.
async fn o3_o4_every_event_was_applied_once_and_in_order(fleet: &Fleet) {
    for source in SERVICES {
        let written = "SELECT dest || '|' || key || '|' || last_seq FROM outbox_seq";
        let mut by_dest: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in fleet.query(source, written).await {
            let (dest, stand) = row.split_once('|').unwrap();
            by_dest.entry(dest.to_owned()).or_default().insert(stand.to_owned());
        }
        for (dest, written) in by_dest {
            let applied = format!("SELECT key || '|' || seq FROM inbox_pos WHERE source = '{source}'");
            let applied: BTreeSet<String> = fleet.query(&dest, &applied).await.into_iter().collect();
            let differ: Vec<_> = written.symmetric_difference(&applied).take(5).collect();
            assert!(differ.is_empty(), "{source} to {dest} differs: {differ:?}");
        }
    }
}

/// O2: no offer that needed an approval went out without one that this very touch consumed.
async fn o2_what_was_sent_had_its_approval(fleet: &Fleet) {
    let without = "SELECT CAST(o.offer_id AS TEXT) FROM offers o JOIN approvals a ON a.approval_id = o.approval_id \
                   WHERE o.sent_at IS NOT NULL AND (a.consumed_by_touch IS NULL OR a.consumed_by_touch <> o.touch_id)";
    assert_eq!(fleet.query("offers", without).await, Vec::<String>::new());
}

/// O6: what a touch is, the log says last.
async fn o6_the_ledger_has_a_line_for_every_step(fleet: &Fleet) {
    let untold = "SELECT CAST(t.touch_id AS TEXT) FROM touches t WHERE NOT EXISTS (SELECT 1 FROM touch_log l \
                  WHERE l.touch_id = t.touch_id AND l.state = t.state AND l.entry_id = \
                  (SELECT MAX(entry_id) FROM touch_log m WHERE m.touch_id = t.touch_id))";
    assert_eq!(fleet.query("offers", untold).await, Vec::<String>::new());
}

/// O1: an independent judge reads the whole ledger.
pub(crate) async fn o1_no_account_is_over_its_limits(peers: &Peers, tally: &Tally) {
    let touches = lists::touches(&mut TouchLedgerServiceClient::new(peers.channel("offers").unwrap()))
        .await
        .unwrap();
    let zones = (0..ACCOUNTS).map(|account| (name(account), TimeZone::UTC)).collect();
    let now = Clock::system().now();
    let findings = checker::check(&touches, &zones, now, now);
    assert_eq!(findings.violations, Vec::<String>::new());
    let stored: BTreeSet<_> = touches.iter().map(|touch| touch.touch_id.clone()).collect();
    assert_eq!(stored.len(), touches.len(), "a touch is listed twice");
    let granted = tally.granted.lock().unwrap();
    let lost: Vec<_> = granted.difference(&stored).collect();
    assert!(lost.is_empty(), "granted touches are lost: {lost:?}");
}

/// O5: MRR is the sum of what the accounts contracted.
async fn o5_money_equals_what_was_contracted(peers: &Peers) {
    let metrics = MetricsServiceClient::new(peers.channel("metrics").unwrap());
    let tomorrow = Clock::system()
        .now()
        .to_zoned(TimeZone::UTC)
        .date()
        .saturating_add(1.day());
    let request = GetRevenueMetricsRequest {
        window: Some(Window {
            start_date: Some(to_date(date(2026, 2, 1))),
            end_date: Some(to_date(tomorrow)),
        }),
        ..GetRevenueMetricsRequest::default()
    };
    let answer = client::call(&settings(), "metrics.GetRevenueMetrics", || {
        let (mut metrics, request) = (metrics.clone(), request.clone());
        async move { metrics.get_revenue_metrics(request).await }
    })
    .await
    .unwrap();
    let mrr = answer.currencies[0].mrr_end.clone().unwrap();
    let minor = mrr.units * 100 + i64::from(mrr.nanos / 10_000_000);
    let contracted: u64 = (0..ACCOUNTS).map(price).sum();
    assert_eq!(minor, i64::try_from(contracted).unwrap());
}
