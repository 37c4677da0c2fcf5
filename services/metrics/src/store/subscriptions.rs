//! Versions of subscriptions, as ingestion tells them.

use sea_orm::{ConnectionTrait, FromQueryResult};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};

use super::rows::{Target, money, select};
use crate::domain::{
    movement::Cause,
    subscription::{Terms, Version},
};

const VERSIONS: Target = Target {
    table: "subscription_versions",
    key: &["version_id"],
    columns: &[
        "account_id",
        "subscription_id",
        "effective_on",
        "end_on",
        "mrr_minor",
        "currency",
        "occurred_at",
        "superseded",
        "order_id",
        "product",
        "plan",
        "quantity",
        "stated_cause",
        "steps",
    ],
};

/// Writes the version as it stands now.
pub async fn version_upsert(tx: &Tx, account_id: &str, version: &Version) -> Result<(), Problem> {
    let Version {
        version_id,
        subscription_id,
        effective_on,
        end_on,
        mrr,
        occurred_at,
        superseded,
        order_id,
        terms,
    } = version;
    let Terms {
        product,
        plan,
        quantity,
        stated,
        steps,
    } = terms;
    let row = vec![
        version_id.as_str().into(),
        account_id.into(),
        subscription_id.as_str().into(),
        epoch_day(*effective_on).into(),
        end_on.map(epoch_day).into(),
        mrr.minor.into(),
        mrr.currency.to_string().into(),
        micros(*occurred_at).into(),
        (*superseded).into(),
        order_id.clone().into(),
        product.as_str().into(),
        (*plan).into(),
        (*quantity).into(),
        stated.map(Cause::number).into(),
        serde_json::to_string(steps).map_err(Problem::internal)?.into(),
    ];
    VERSIONS.upsert(&**tx, &[row]).await
}

/// Every version of the account's subscriptions, also the superseded ones.
pub async fn version_list(connection: &impl ConnectionTrait, account_id: &str) -> Result<Vec<Version>, Problem> {
    let query = format!("SELECT {COLUMNS} FROM subscription_versions WHERE account_id = $1 ORDER BY version_id");
    let rows: Vec<Row> = select(connection, &query, [account_id.into()]).await?;
    rows.into_iter().map(Version::try_from).collect()
}

/// The versions of the accounts after `after` up to and with `last`, by account.
pub(crate) async fn version_range(
    connection: &impl ConnectionTrait,
    after: &str,
    last: &str,
) -> Result<Vec<(String, Version)>, Problem> {
    let query = format!(
        "SELECT {COLUMNS} FROM subscription_versions WHERE account_id > $1 AND account_id <= $2 \
         ORDER BY account_id, version_id"
    );
    let rows: Vec<Row> = select(connection, &query, [after.into(), last.into()]).await?;
    let owned = |row: Row| Ok((row.account_id.clone(), Version::try_from(row)?));
    rows.into_iter().map(owned).collect()
}

/// The account that a version was told of before, if it was another one: its facts were moved by a merge.
pub async fn version_owner(connection: &impl ConnectionTrait, version_id: &str) -> Result<Option<String>, Problem> {
    let query = "SELECT account_id FROM subscription_versions WHERE version_id = $1";
    let rows: Vec<Owner> = select(connection, query, [version_id.into()]).await?;
    Ok(rows.into_iter().next().map(|row| row.account_id))
}

#[derive(FromQueryResult)]
struct Owner {
    account_id: String,
}

const COLUMNS: &str = "account_id, version_id, subscription_id, effective_on, end_on, mrr_minor, currency, \
                       occurred_at, superseded, order_id, product, plan, quantity, stated_cause, steps";

#[derive(FromQueryResult)]
struct Row {
    account_id: String,
    version_id: String,
    subscription_id: String,
    effective_on: i32,
    end_on: Option<i32>,
    mrr_minor: i64,
    currency: String,
    occurred_at: i64,
    superseded: bool,
    order_id: Option<String>,
    product: String,
    plan: bool,
    quantity: i64,
    stated_cause: Option<i32>,
    steps: String,
}

impl TryFrom<Row> for Version {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        Ok(Self {
            version_id: row.version_id,
            subscription_id: row.subscription_id,
            effective_on: from_epoch_day(row.effective_on),
            end_on: row.end_on.map(from_epoch_day),
            mrr: money(row.mrr_minor, &row.currency)?,
            occurred_at: from_micros(row.occurred_at),
            superseded: row.superseded,
            order_id: row.order_id,
            terms: Terms {
                product: row.product,
                plan: row.plan,
                quantity: row.quantity,
                stated: row.stated_cause.and_then(Cause::from_number),
                steps: serde_json::from_str(&row.steps).map_err(Problem::internal)?,
            },
        })
    }
}
