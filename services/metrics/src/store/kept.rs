//! Sums that are kept of all accounts, and where each account lies.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Value};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, micros},
    problem::Problem,
};

use super::rows::{Target, execute, select};
use crate::domain::{
    journey::Profile,
    kept::{Dimension, Flow, FlowKey, Grain, Kept, Place, Span, SpanKey},
};

const PLACES: Target = Target {
    table: "revenue_places",
    key: &["account_id"],
    columns: &["segment", "plan", "country", "cohort"],
};
const FLOWS: Target = Target {
    table: "revenue_flows",
    key: &["dimension", "slice", "grain", "on_day", "currency", "kind", "cause"],
    columns: &["amount", "events", "attributed"],
};
const SPANS: Target = Target {
    table: "revenue_spans",
    key: &["dimension", "slice", "start_on", "months", "currency"],
    columns: &["retained", "gross", "churned", "earned"],
};
const STATE: Target = Target {
    table: "revenue_state",
    key: &["id"],
    columns: &["rules", "rebuilt_at"],
};

/// Sums by slice.
pub type BySlice = BTreeMap<(Dimension, String), Kept>;

/// Lets one writer of the kept sums in at a time, until the end of the transaction: sums of everybody are rows that all
/// writers meet on, and would deadlock on in two orders. SQLite has one writer anyway.
pub async fn kept_lock(tx: &Tx) -> Result<(), Problem> {
    if tx.get_database_backend() == DbBackend::Postgres {
        execute(&**tx, "SELECT pg_advisory_xact_lock(7310868735)", []).await?;
    }
    Ok(())
}

/// Adds to the sums.
pub async fn kept_add(tx: &Tx, sums: &BySlice) -> Result<(), Problem> {
    let mut flows = Vec::new();
    let mut spans = Vec::new();
    for ((dimension, slice), kept) in sums {
        let slice = (dimension.number(), slice.as_str());
        flows.extend(kept.flows.iter().map(|(key, flow)| flow_row(slice, key, flow)));
        spans.extend(kept.spans.iter().map(|(key, span)| span_row(slice, key, span)));
    }
    FLOWS.add(&**tx, &flows).await?;
    SPANS.add(&**tx, &spans).await
}

/// On how many days and of how many kinds the kept flows of everybody differ from the levels and the movements.
pub async fn kept_faults(connection: &impl ConnectionTrait) -> Result<i64, Problem> {
    let query = "SELECT COUNT(*) AS faults FROM (SELECT on_day, currency, kind FROM ( \
         SELECT on_day, currency, kind, amount FROM revenue_flows \
         WHERE dimension = 0 AND grain = 0 AND currency <> '' \
         UNION ALL SELECT day, currency, kind, -amount_minor FROM movements \
         UNION ALL SELECT from_on, currency, 0, -mrr_minor FROM mrr_levels \
         UNION ALL SELECT to_on, currency, 0, mrr_minor FROM mrr_levels WHERE to_on < $1 \
         ) flows GROUP BY on_day, currency, kind HAVING SUM(amount) <> 0) faults";
    let rows: Vec<FaultRow> = select(connection, query, [i32::MAX.into()]).await?;
    Ok(rows.first().map_or(0, |row| row.faults))
}

#[derive(FromQueryResult)]
struct FaultRow {
    faults: i64,
}

/// Removes every sum and place.
pub(crate) async fn kept_clear(tx: &Tx) -> Result<(), Problem> {
    for table in ["revenue_flows", "revenue_spans", "revenue_places"] {
        execute(&**tx, &format!("DELETE FROM {table}"), []).await?;
    }
    Ok(())
}

fn flow_row((dimension, slice): (i32, &str), key: &FlowKey, flow: &Flow) -> Vec<Value> {
    let FlowKey {
        grain,
        on,
        currency,
        kind,
        cause,
    } = key;
    let Flow {
        amount,
        count,
        attributed,
    } = flow;
    vec![
        dimension.into(),
        slice.into(),
        grain_number(*grain).into(),
        epoch_day(*on).into(),
        currency.map(|currency| currency.to_string()).unwrap_or_default().into(),
        (*kind).into(),
        (*cause).into(),
        (*amount).into(),
        (*count).into(),
        (*attributed).into(),
    ]
}

fn span_row((dimension, slice): (i32, &str), key: &SpanKey, span: &Span) -> Vec<Value> {
    let SpanKey {
        start,
        months,
        currency,
    } = key;
    let Span {
        retained,
        gross,
        churned,
        earned,
    } = span;
    vec![
        dimension.into(),
        slice.into(),
        epoch_day(*start).into(),
        (*months).into(),
        currency.to_string().into(),
        (*retained).into(),
        (*gross).into(),
        (*churned).into(),
        (*earned).into(),
    ]
}

/// The number under which a grain is stored.
pub(super) const fn grain_number(grain: Grain) -> i32 {
    match grain {
        Grain::Day => 0,
        Grain::Month => 1,
    }
}

/// Where the account lies in the sums; `None` when it is in none.
pub async fn place_fetch(connection: &impl ConnectionTrait, account_id: &str) -> Result<Option<Place>, Problem> {
    let query = "SELECT segment, plan, country, cohort FROM revenue_places WHERE account_id = $1";
    let rows: Vec<PlaceRow> = select(connection, query, [account_id.into()]).await?;
    Ok(rows.into_iter().next().map(Place::from))
}

/// Writes where accounts lie.
pub async fn place_upsert(tx: &Tx, places: &[(String, Place)]) -> Result<(), Problem> {
    let row = |(account_id, place): &(String, Place)| -> Vec<Value> {
        let Place {
            segment,
            plan,
            country,
            cohort,
        } = place;
        let texts = [account_id, segment, plan, country, cohort];
        texts.into_iter().map(|text| text.as_str().into()).collect()
    };
    PLACES.upsert(&**tx, &places.iter().map(row).collect::<Vec<_>>()).await
}

/// The account's profile, as far as it is known.
pub async fn profile_fetch(connection: &impl ConnectionTrait, account_id: &str) -> Result<Profile, Problem> {
    let query = "SELECT account_id, segment, country, customer_since FROM accounts WHERE account_id = $1";
    let rows: Vec<ProfileRow> = select(connection, query, [account_id.into()]).await?;
    let unknown = || Profile {
        account_id: account_id.to_owned(),
        ..Profile::default()
    };
    Ok(rows.into_iter().next().map_or_else(unknown, Profile::from))
}

/// The profiles of the accounts after `after` up to and with `last`.
pub(crate) async fn profile_range(
    connection: &impl ConnectionTrait,
    after: &str,
    last: &str,
) -> Result<Vec<Profile>, Problem> {
    let query = "SELECT account_id, segment, country, customer_since FROM accounts \
                 WHERE account_id > $1 AND account_id <= $2";
    let rows: Vec<ProfileRow> = select(connection, query, [after.into(), last.into()]).await?;
    Ok(rows.into_iter().map(Profile::from).collect())
}

/// The orders that are known to be the account's own.
pub async fn order_ids(connection: &impl ConnectionTrait, account_id: &str) -> Result<BTreeSet<String>, Problem> {
    let orders = order_range(connection, "", account_id, account_id).await?;
    Ok(orders.into_iter().map(|(_, order)| order).collect())
}

/// The orders of the accounts after `after`, from `first` and up to `last`, with their accounts.
pub(crate) async fn order_range(
    connection: &impl ConnectionTrait,
    after: &str,
    first: &str,
    last: &str,
) -> Result<Vec<(String, String)>, Problem> {
    let query = "SELECT account_id, order_id FROM orders \
                 WHERE account_id > $1 AND account_id >= $2 AND account_id <= $3";
    let rows: Vec<OrderRow> = select(connection, query, [after.into(), first.into(), last.into()]).await?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.order_id)).collect())
}

/// The accounts after `after` that have versions, in order, at most `size`.
pub(crate) async fn account_page(
    connection: &impl ConnectionTrait,
    after: &str,
    size: i64,
) -> Result<Vec<String>, Problem> {
    let query = "SELECT DISTINCT account_id FROM subscription_versions WHERE account_id > $1 \
                 ORDER BY account_id LIMIT $2";
    let rows: Vec<AccountRow> = select(connection, query, [after.into(), size.into()]).await?;
    Ok(rows.into_iter().map(|row| row.account_id).collect())
}

/// The rules that the sums were made under; `None` before they were made.
pub async fn state_fetch(connection: &impl ConnectionTrait) -> Result<Option<String>, Problem> {
    let rows: Vec<StateRow> = select(connection, "SELECT rules FROM revenue_state WHERE id = 1", []).await?;
    Ok(rows.into_iter().next().map(|row| row.rules))
}

/// Notes the rules that the sums were made under.
pub(crate) async fn state_put(tx: &Tx, rules: &str, now: jiff::Timestamp) -> Result<(), Problem> {
    STATE
        .upsert(&**tx, &[vec![1.into(), rules.into(), micros(now).into()]])
        .await
}

#[derive(FromQueryResult)]
struct AccountRow {
    account_id: String,
}

#[derive(FromQueryResult)]
struct StateRow {
    rules: String,
}

#[derive(FromQueryResult)]
struct OrderRow {
    account_id: String,
    order_id: String,
}

#[derive(FromQueryResult)]
struct PlaceRow {
    segment: String,
    plan: String,
    country: String,
    cohort: String,
}

impl From<PlaceRow> for Place {
    fn from(row: PlaceRow) -> Self {
        let PlaceRow {
            segment,
            plan,
            country,
            cohort,
        } = row;
        Self {
            segment,
            plan,
            country,
            cohort,
        }
    }
}

#[derive(FromQueryResult)]
struct ProfileRow {
    account_id: String,
    segment: String,
    country: String,
    customer_since: Option<i32>,
}

impl From<ProfileRow> for Profile {
    fn from(row: ProfileRow) -> Self {
        let ProfileRow {
            account_id,
            segment,
            country,
            customer_since,
        } = row;
        Self {
            account_id,
            segment,
            country,
            customer_since: customer_since.map(from_epoch_day),
        }
    }
}
