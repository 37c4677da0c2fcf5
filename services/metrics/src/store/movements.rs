//! The timeline of each account as rows, and the list of movements.

use std::collections::BTreeSet;

use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day},
    problem::Problem,
};

use super::rows::{Target, execute, money, select};
use crate::domain::{
    movement::{Cause, Level, Movement, MovementKind},
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
    key: &["account_id", "day", "currency", "cause", "order_id"],
    columns: &[
        "kind",
        "amount_minor",
        "mrr_after_minor",
        "earns_until",
        "attributed",
        "version_ids",
    ],
};

/// The timeline as it is stored, and the orders that are known to be the account's own.
pub async fn timeline_fetch(
    connection: &impl ConnectionTrait,
    account_id: &str,
) -> Result<(Timeline, BTreeSet<String>), Problem> {
    let levels = "SELECT currency, from_on, to_on, mrr_minor FROM mrr_levels WHERE account_id = $1 \
                  ORDER BY currency, from_on";
    let rows: Vec<LevelRow> = select(connection, levels, [account_id.into()]).await?;
    let levels = rows.into_iter().map(Level::try_from).collect::<Result<Vec<_>, _>>()?;
    let movements = "SELECT account_id, day, currency, cause, order_id, kind, amount_minor, mrr_after_minor, \
                     earns_until, attributed, version_ids, CAST(NULL AS TEXT) AS motion FROM movements \
                     WHERE account_id = $1 ORDER BY day, currency, kind, cause, order_id";
    let rows: Vec<Row> = select(connection, movements, [account_id.into()]).await?;
    let known = rows
        .iter()
        .filter(|row| row.attributed)
        .map(|row| row.order_id.clone())
        .collect();
    let movements = rows.iter().map(Row::movement).collect::<Result<Vec<_>, _>>()?;
    Ok((Timeline { levels, movements }, known))
}

/// Writes what differs between what is stored and what holds now; `orders` are those known to be the account's own.
pub async fn timeline_replace(
    tx: &Tx,
    account_id: &str,
    (before, orders_before): (&Timeline, &BTreeSet<String>),
    (now, orders_now): (&Timeline, &BTreeSet<String>),
) -> Result<(), Problem> {
    let levels = |timeline: &Timeline| {
        timeline
            .levels
            .iter()
            .map(|level| level_row(account_id, level))
            .collect()
    };
    replace(tx, &LEVELS, levels(before), levels(now)).await?;
    let movements = |timeline: &Timeline, orders: &BTreeSet<String>| {
        let rows = timeline
            .movements
            .iter()
            .map(|movement| movement_row(account_id, movement, orders));
        rows.collect::<Result<Vec<_>, _>>()
    };
    let (before, now) = (movements(before, orders_before)?, movements(now, orders_now)?);
    replace(tx, &MOVEMENTS, before, now).await
}

/// Writes the timelines of accounts that have none.
pub(crate) async fn timeline_insert(
    tx: &Tx,
    timelines: &[(String, Timeline, BTreeSet<String>)],
) -> Result<(), Problem> {
    let levels = timelines
        .iter()
        .flat_map(|(account_id, timeline, _)| timeline.levels.iter().map(move |level| level_row(account_id, level)));
    LEVELS.upsert(&**tx, &levels.collect::<Vec<_>>()).await?;
    let movements = timelines.iter().flat_map(|(account_id, timeline, orders)| {
        timeline
            .movements
            .iter()
            .map(move |movement| movement_row(account_id, movement, orders))
    });
    MOVEMENTS
        .upsert(&**tx, &movements.collect::<Result<Vec<_>, _>>()?)
        .await
}

/// Removes every level and movement.
pub(crate) async fn timeline_clear(tx: &Tx) -> Result<(), Problem> {
    execute(&**tx, "DELETE FROM mrr_levels", []).await?;
    execute(&**tx, "DELETE FROM movements", []).await
}

async fn replace(tx: &Tx, target: &Target, before: Vec<Vec<Value>>, now: Vec<Vec<Value>>) -> Result<(), Problem> {
    let keys = target.key.len();
    let gone = before
        .iter()
        .filter(|row| !now.iter().any(|kept| kept[..keys] == row[..keys]));
    for row in gone {
        let named: Vec<String> = target
            .key
            .iter()
            .enumerate()
            .map(|(i, key)| format!("{key} = ${}", i + 1))
            .collect();
        let delete = format!("DELETE FROM {} WHERE {}", target.table, named.join(" AND "));
        execute(&**tx, &delete, row[..keys].iter().cloned()).await?;
    }
    let fresh: Vec<_> = now.into_iter().filter(|row| !before.contains(row)).collect();
    target.upsert(&**tx, &fresh).await
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

fn movement_row(account_id: &str, movement: &Movement, orders: &BTreeSet<String>) -> Result<Vec<Value>, Problem> {
    let Movement {
        day,
        kind,
        cause,
        amount,
        mrr_after,
        order_id,
        version_ids,
        earns_until,
    } = movement;
    let attributed = order_id.as_ref().is_some_and(|order| orders.contains(order));
    Ok(vec![
        account_id.into(),
        epoch_day(*day).into(),
        amount.currency.to_string().into(),
        cause.number().into(),
        order_id.as_deref().unwrap_or_default().into(),
        kind.number().into(),
        amount.minor.into(),
        mrr_after.minor.into(),
        earns_until.map_or(NEVER, epoch_day).into(),
        attributed.into(),
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
    /// Only this kind.
    pub kind: Option<MovementKind>,
    /// Only this cause.
    pub cause: Option<Cause>,
}

/// Where a movement stands in the list: by day, account, kind, currency, cause and order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementKey(i32, String, i32, String, i32, String);

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
    let query = "SELECT m.account_id, m.day, m.currency, m.cause, m.order_id, m.kind, m.amount_minor, \
                 m.mrr_after_minor, m.earns_until, m.attributed, m.version_ids, o.motion FROM movements m \
                 LEFT JOIN orders o ON o.order_id = m.order_id AND o.account_id = m.account_id \
                 WHERE m.day >= $1 AND m.day < $2 AND ($3 = '' OR m.account_id = $3) \
                 AND ($4 = 0 OR m.kind = $4) AND ($5 = 0 OR m.cause = $5) \
                 AND (m.day, m.account_id, m.kind, m.currency, m.cause, m.order_id) > ($6, $7, $8, $9, $10, $11) \
                 ORDER BY m.day, m.account_id, m.kind, m.currency, m.cause, m.order_id LIMIT $12";
    let start = MovementKey(i32::MIN, String::new(), 0, String::new(), 0, String::new());
    let MovementKey(day, account_id, kind, currency, cause, order_id) = after.unwrap_or(start);
    let values: [Value; 12] = [
        epoch_day(filter.window.start()).into(),
        epoch_day(filter.window.end()).into(),
        filter.account_id.as_deref().unwrap_or_default().into(),
        filter.kind.map_or(0, MovementKind::number).into(),
        filter.cause.map_or(0, Cause::number).into(),
        day.into(),
        account_id.into(),
        kind.into(),
        currency.into(),
        cause.into(),
        order_id.into(),
        i64::from(size).into(),
    ];
    let rows: Vec<Row> = select(connection, query, values).await?;
    rows.into_iter().map(ListedMovement::try_from).collect()
}

#[derive(FromQueryResult)]
struct LevelRow {
    currency: String,
    from_on: i32,
    to_on: i32,
    mrr_minor: i64,
}

impl TryFrom<LevelRow> for Level {
    type Error = Problem;

    fn try_from(row: LevelRow) -> Result<Self, Problem> {
        Ok(Self {
            from: from_epoch_day(row.from_on),
            to: day_unless_never(row.to_on),
            mrr: money(row.mrr_minor, &row.currency)?,
        })
    }
}

#[derive(FromQueryResult)]
struct Row {
    account_id: String,
    day: i32,
    currency: String,
    cause: i32,
    order_id: String,
    kind: i32,
    amount_minor: i64,
    mrr_after_minor: i64,
    earns_until: i32,
    attributed: bool,
    version_ids: String,
    motion: Option<String>,
}

impl Row {
    fn movement(&self) -> Result<Movement, Problem> {
        Ok(Movement {
            day: from_epoch_day(self.day),
            kind: stored_kind(self.kind)?,
            cause: stored_cause(self.cause)?,
            amount: money(self.amount_minor, &self.currency)?,
            mrr_after: money(self.mrr_after_minor, &self.currency)?,
            order_id: (!self.order_id.is_empty()).then(|| self.order_id.clone()),
            version_ids: serde_json::from_str(&self.version_ids).map_err(Problem::internal)?,
            earns_until: day_unless_never(self.earns_until),
        })
    }
}

impl TryFrom<Row> for ListedMovement {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let mut movement = row.movement()?;
        if row.motion.is_none() {
            movement.order_id = None;
        }
        let key = MovementKey(
            row.day,
            row.account_id.clone(),
            row.kind,
            row.currency,
            row.cause,
            row.order_id,
        );
        Ok(Self {
            account_id: row.account_id,
            movement,
            motion: row.motion,
            key,
        })
    }
}

/// The kind with the stored number.
pub(super) fn stored_kind(number: i32) -> Result<MovementKind, Problem> {
    MovementKind::from_number(number)
        .ok_or_else(|| Problem::internal(format!("the store has a movement of kind {number}")))
}

/// The cause with the stored number.
pub(super) fn stored_cause(number: i32) -> Result<Cause, Problem> {
    Cause::from_number(number).ok_or_else(|| Problem::internal(format!("the store has a movement of cause {number}")))
}

fn day_unless_never(day: i32) -> Option<Date> {
    (day != NEVER).then(|| from_epoch_day(day))
}
