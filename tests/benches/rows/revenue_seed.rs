//! Accounts with contracts for the metrics service: one is told by events, the others are copies of it.

use anyhow::{Result, ensure};
use jiff::{Timestamp, civil::Date};
use prost::{Message, Name};
use sea_orm::sqlx::PgPool;
use upswell::wire::{to_date, to_instant};
use upswell_proto::{
    delivery::v1::{DeliverRequest, Event, delivery_service_client::DeliveryServiceClient, event_result::Outcome},
    gtype::Money,
    ingestion::v1::{AccountProfileChanged, SubscriptionChanged, SubscriptionTerms, subscription_terms},
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::{clock::Clock, ids};

use super::ledger::profile;
use crate::{channels::endpoint, facts::day_before, postgres::execute};

/// Versions of each contract: a change every other month.
pub(super) const VERSIONS: u64 = 11;
/// Months that are asked about.
pub(super) const MONTHS: i64 = 24;

/// Delivers an event as a relay does; it has to be applied. `sequence` counts the events of the source about the key.
pub(super) async fn deliver<M: Message + Name>(
    url: &str,
    source: &str,
    key: &str,
    sequence: i64,
    message: &M,
) -> Result<()> {
    let event = Event {
        event_id: ids::derive("bench-event", &[source, key, &sequence.to_string()]).to_string(),
        key: key.to_owned(),
        sequence,
        topic: M::full_name(),
        payload: message.encode_to_vec(),
        occur_time: Some(to_instant(Clock::system().now())),
        ..Event::default()
    };
    let request = DeliverRequest {
        source: source.to_owned(),
        shard: 0,
        lease_epoch: 1,
        events: vec![event],
    };
    let mut delivery = DeliveryServiceClient::new(endpoint(url)?.connect().await?);
    let results = delivery.deliver(request).await?.into_inner().results;
    let result = results.first();
    ensure!(
        result.is_some_and(|result| result.outcome() == Outcome::Applied),
        "the event was not applied: {results:?}"
    );
    Ok(())
}

/// A version of an account's contract from a day on.
pub(super) fn contract(account: &str, version: u64, from: Date, now: Timestamp) -> SubscriptionChanged {
    let price = Money {
        currency_code: "USD".to_owned(),
        units: 100 + (version * 37 % 50) as i64,
        nanos: 0,
    };
    SubscriptionChanged {
        account_id: account.to_owned(),
        version_id: format!("bench/{account}-{version}"),
        terms: Some(SubscriptionTerms {
            subscription_id: format!("sub-{account}"),
            product: "basic".to_owned(),
            kind: subscription_terms::Kind::Plan.into(),
            unit_price: Some(price.clone()),
            quantity: 1,
            period: BillingPeriod::Month.into(),
            effective_date: Some(to_date(from)),
            renewal_date: Some(to_date(from.saturating_add(jiff::Span::new().years(3)))),
            ..SubscriptionTerms::default()
        }),
        mrr: Some(price),
        occur_time: Some(to_instant(now)),
        ..SubscriptionChanged::default()
    }
}

/// Tells one account and copies its terms to `accounts` others; what is derived of them the service has to derive.
pub(super) async fn seed(url: &str, pool: &PgPool, accounts: u64) -> Result<()> {
    let now = Clock::system().now();
    let known = AccountProfileChanged {
        account_id: "seed".to_owned(),
        profile: Some(profile()),
    };
    deliver(url, "ingestion", "seed", 1, &known).await?;
    for version in 1..=VERSIONS {
        let from = day_before(now, (VERSIONS + 1 - version) * 61);
        deliver(
            url,
            "ingestion",
            "seed",
            version as i64 + 1,
            &contract("seed", version, from, now),
        )
        .await?;
    }
    let name = "'acct-' || lpad(g::text, 7, '0')";
    execute(
        pool,
        &format!(
            "INSERT INTO accounts SELECT copy.* FROM accounts s, generate_series(1, {accounts}) g, LATERAL \
             jsonb_populate_record(s, jsonb_build_object('account_id', {name})) copy WHERE s.account_id = 'seed';
             INSERT INTO subscription_versions SELECT copy.* FROM subscription_versions s, generate_series(1, {accounts}) g, \
             LATERAL jsonb_populate_record(s, jsonb_build_object('account_id', {name}, 'version_id', s.version_id || '-' || g, \
             'subscription_id', s.subscription_id || '-' || g)) copy WHERE s.account_id = 'seed';
             DELETE FROM revenue_state"
        ),
    )
    .await?;
    execute(pool, "VACUUM ANALYZE").await
}
