//! Versions of subscriptions, as ingestion tells them.

use sea_orm::{ConnectionTrait, FromQueryResult};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};

use super::rows::{Target, money, select};
use crate::domain::subscription::Version;

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
    } = version;
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
    ];
    VERSIONS.upsert(&**tx, &[row]).await
}

/// Every version of the account's subscriptions, also the superseded ones.
pub async fn version_list(connection: &impl ConnectionTrait, account_id: &str) -> Result<Vec<Version>, Problem> {
    let query = "SELECT version_id, subscription_id, effective_on, end_on, mrr_minor, currency, occurred_at, \
                 superseded, order_id FROM subscription_versions WHERE account_id = $1 ORDER BY version_id";
    let rows: Vec<Row> = select(connection, query, [account_id.into()]).await?;
    rows.into_iter().map(Version::try_from).collect()
}

#[derive(FromQueryResult)]
struct Row {
    version_id: String,
    subscription_id: String,
    effective_on: i32,
    end_on: Option<i32>,
    mrr_minor: i64,
    currency: String,
    occurred_at: i64,
    superseded: bool,
    order_id: Option<String>,
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
        })
    }
}
