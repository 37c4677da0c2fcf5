//! The timeline of each account as rows, and the list of movements.

use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day},
    problem::Problem,
};

use super::rows::{Target, execute, money, select};
use crate::domain::{
    movement::{Level, Movement, MovementKind},
    timeline::Timeline,
    window::Window,
};

/// Stored where a day never comes.
const NEVER: i32 = i32::MAX;

const LEVELS: Target = Target {
    table: "mrr_levels",
    key: &["account_id", "currency", "from_on"],
    columns: &["to_on", "mrr_minor"],
};
const MOVEMENTS: Target = Target {
    table: "movements",
    key: &["account_id", "day", "currency", "order_id"],
    columns: &["kind", "amount_minor", "mrr_after_minor", "earns_until", "version_ids"],
};

/// Puts `timeline` in the place of all levels and movements of the account.
pub async fn timeline_replace(tx: &Tx, account_id: &str, timeline: &Timeline) -> Result<(), Problem> {
    let Timeline { levels, movements } = timeline;
    execute(
        &**tx,
        "DELETE FROM mrr_levels WHERE account_id = $1",
        [account_id.into()],
    )
    .await?;
    execute(
        &**tx,
        "DELETE FROM movements WHERE account_id = $1",
        [account_id.into()],
    )
    .await?;
    let levels: Vec<_> = levels.iter().map(|level| level_row(account_id, level)).collect();
    LEVELS.upsert(&**tx, &levels).await?;
    let movements: Result<Vec<_>, _> = movements
        .iter()
        .map(|movement| movement_row(account_id, movement))
        .collect();
    MOVEMENTS.upsert(&**tx, &movements?).await
}

fn level_row(account_id: &str, level: &Level) -> Vec<Value> {
    let Level { from, to, mrr } = level;
    vec![
        account_id.into(),
        mrr.currency.to_string().into(),
        epoch_day(*from).into(),
        to.map_or(NEVER, epoch_day).into(),
        mrr.minor.into(),
    ]
}

fn movement_row(account_id: &str, movement: &Movement) -> Result<Vec<Value>, Problem> {
    let Movement {
        day,
        kind,
        amount,
        mrr_after,
        order_id,
        version_ids,
        earns_until,
    } = movement;
    Ok(vec![
        account_id.into(),
        epoch_day(*day).into(),
        amount.currency.to_string().into(),
        order_id.as_deref().unwrap_or_default().into(),
        kind.number().into(),
        amount.minor.into(),
        mrr_after.minor.into(),
        earns_until.map_or(NEVER, epoch_day).into(),
        serde_json::to_string(version_ids).map_err(Problem::internal)?.into(),
    ])
}

/// Which movements are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementFilter {
    /// The days.
    pub window: Window,
    /// Only this account.
    pub account_id: Option<String>,
}

/// Where a movement stands in the list: by day, account, kind, currency and order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementKey(i32, String, i32, String, String);

/// A movement of an account in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMovement {
    /// The account.
    pub account_id: String,
    /// The movement. Its order is unset unless the order is known to be the account's: only that attributes it.
    pub movement: Movement,
    /// Name of the order's motion.
    pub motion: Option<String>,
    /// Where it stands.
    pub key: MovementKey,
}

/// At most `size` movements after `after`.
pub async fn movement_list(
    connection: &impl ConnectionTrait,
    filter: &MovementFilter,
    after: Option<MovementKey>,
    size: u32,
) -> Result<Vec<ListedMovement>, Problem> {
    let query = "SELECT m.account_id, m.day, m.currency, m.order_id, m.kind, m.amount_minor, m.mrr_after_minor, \
                 m.earns_until, m.version_ids, o.motion FROM movements m \
                 LEFT JOIN orders o ON o.order_id = m.order_id AND o.account_id = m.account_id \
                 WHERE m.day >= $1 AND m.day < $2 AND ($3 = '' OR m.account_id = $3) \
                 AND (m.day, m.account_id, m.kind, m.currency, m.order_id) > ($4, $5, $6, $7, $8) \
                 ORDER BY m.day, m.account_id, m.kind, m.currency, m.order_id LIMIT $9";
    let start = MovementKey(i32::MIN, String::new(), 0, String::new(), String::new());
    let MovementKey(day, account_id, kind, currency, order_id) = after.unwrap_or(start);
    let values: [Value; 9] = [
        epoch_day(filter.window.start()).into(),
        epoch_day(filter.window.end()).into(),
        filter.account_id.as_deref().unwrap_or_default().into(),
        day.into(),
        account_id.into(),
        kind.into(),
        currency.into(),
        order_id.into(),
        i64::from(size).into(),
    ];
    let rows: Vec<Row> = select(connection, query, values).await?;
    rows.into_iter().map(ListedMovement::try_from).collect()
}

#[derive(FromQueryResult)]
struct Row {
    account_id: String,
    day: i32,
    currency: String,
    order_id: String,
    kind: i32,
    amount_minor: i64,
    mrr_after_minor: i64,
    earns_until: i32,
    version_ids: String,
    motion: Option<String>,
}

impl TryFrom<Row> for ListedMovement {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let kind = MovementKind::from_number(row.kind)
            .ok_or_else(|| Problem::internal(format!("the store has a movement of kind {}", row.kind)))?;
        let movement = Movement {
            day: from_epoch_day(row.day),
            kind,
            amount: money(row.amount_minor, &row.currency)?,
            mrr_after: money(row.mrr_after_minor, &row.currency)?,
            order_id: row.motion.is_some().then(|| row.order_id.clone()),
            version_ids: serde_json::from_str(&row.version_ids).map_err(Problem::internal)?,
            earns_until: day_unless_never(row.earns_until),
        };
        let key = MovementKey(row.day, row.account_id.clone(), row.kind, row.currency, row.order_id);
        Ok(Self {
            account_id: row.account_id,
            movement,
            motion: row.motion,
            key,
        })
    }
}

fn day_unless_never(day: i32) -> Option<Date> {
    (day != NEVER).then(|| from_epoch_day(day))
}
