//! The way from signals to money, cut by something; and what each number of it counts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{epoch_day, from_micros, micros},
    money::Money,
    problem::Problem,
};

use super::{
    rows::{select, stored_currency},
    ways::{PLACE, Told, WayRow, of_offer, of_signal, told_fetch, way_parts},
};
use crate::domain::{
    funnel::Stage,
    movement::MovementKind,
    programme::{Cut, Slice, SliceMoney},
    window::Window,
};

/// Every measure of every slice; `$1` and `$2` are the window in microseconds, `$3` and `$4` in days, `$5` is the kind
/// that expands.
fn breakdown_sql(cut: Cut) -> String {
    let (offer, order) = (of_offer(cut, "f.motion"), of_offer(cut, "COALESCE(f.motion, d.motion)"));
    let sent = "f.sent_at >= $1 AND f.sent_at < $2";
    let offers = |measure: &str, counted: &str, condition: &str| {
        format!(
            "SELECT '{measure}', {offer}, '', CAST(0 AS BIGINT), {counted} \
             FROM offers f {PLACE} = f.account_id WHERE {condition} GROUP BY 2"
        )
    };
    let moved = |measure: &str, counted: &str| {
        format!(
            "SELECT '{measure}', {order}, m.currency, CAST(0 AS BIGINT), {counted} FROM movements m \
             JOIN orders d ON d.order_id = m.order_id AND d.account_id = m.account_id \
             LEFT JOIN offers f ON f.offer_id = d.offer_id {PLACE} = m.account_id \
             WHERE m.day >= $3 AND m.day < $4 AND m.kind = $5 GROUP BY 2, 3"
        )
    };
    let until = "CASE WHEN m.earns_until < $4 THEN m.earns_until ELSE $4 END";
    let mut parts = way_parts(cut, |_| "CAST(0 AS BIGINT)".to_owned());
    parts.extend([
        offers("sent_accepted", "COUNT(f.accepted_at)", sent),
        offers("accounts_offered", "COUNT(DISTINCT f.account_id)", sent),
        offers(
            "accounts_accepted",
            "COUNT(DISTINCT f.account_id)",
            &format!("{sent} AND f.accepted_at IS NOT NULL"),
        ),
        moved("expansion", "CAST(SUM(m.amount_minor) AS BIGINT)"),
        moved("orders", "COUNT(DISTINCT m.order_id)"),
        moved(
            "minor_days",
            &format!("CAST(SUM(m.amount_minor * ({until} - m.day)) AS BIGINT)"),
        ),
        customers_sql(if cut.is_of_accounts() { cut } else { Cut::All }),
    ]);
    parts.join(" UNION ALL ")
}

/// Accounts that pay, in the window and on its last day, and those with an add-on there.
fn customers_sql(cut: Cut) -> String {
    let slice = of_offer(cut, "");
    let levels = format!("FROM mrr_levels l {PLACE} = l.account_id");
    format!(
        "SELECT 'customers', {slice}, '', CAST(0 AS BIGINT), COUNT(DISTINCT l.account_id) {levels} \
         WHERE l.to_on > $3 AND l.from_on < $4 GROUP BY 2 \
         UNION ALL SELECT 'paying', {slice}, '', CAST(0 AS BIGINT), COUNT(DISTINCT l.account_id) {levels} \
         WHERE l.to_on >= $4 AND l.from_on < $4 GROUP BY 2 \
         UNION ALL SELECT 'attached', {slice}, '', CAST(0 AS BIGINT), COUNT(DISTINCT v.account_id) FROM ( \
         SELECT account_id, plan, end_on, mrr_minor, ROW_NUMBER() OVER (PARTITION BY account_id, subscription_id \
         ORDER BY effective_on DESC, occurred_at DESC, version_id DESC) AS nth FROM subscription_versions \
         WHERE effective_on < $4 AND NOT superseded) v {PLACE} = v.account_id \
         WHERE v.nth = 1 AND NOT v.plan AND v.mrr_minor > 0 AND (v.end_on IS NULL OR v.end_on >= $4) GROUP BY 2"
    )
}

/// The slices of a cut, by value. Customers of a slice that is not one of accounts are all customers.
pub async fn programme_fetch(
    connection: &impl ConnectionTrait,
    window: Window,
    cut: Cut,
) -> Result<Vec<Slice>, Problem> {
    let rows: Vec<WayRow> = select(connection, &breakdown_sql(cut), values(window)).await?;
    let told = told_fetch(connection).await?;
    let mut slices: BTreeMap<String, Slice> = BTreeMap::new();
    let mut all = Slice::default();
    for row in rows {
        let is_shared = matches!(row.measure.as_str(), "customers" | "paying" | "attached");
        let slice = if is_shared && !cut.is_of_accounts() {
            &mut all
        } else {
            slices.entry(row.slice.clone()).or_default()
        };
        add(row, slice, &told)?;
    }
    for (value, slice) in &mut slices {
        slice.value.clone_from(value);
        if !cut.is_of_accounts() {
            slice.customers = all.customers;
        }
    }
    Ok(slices.into_values().collect())
}

fn values(window: Window) -> Vec<Value> {
    vec![
        micros(window.start_time()).into(),
        micros(window.end_time()).into(),
        epoch_day(window.start()).into(),
        epoch_day(window.end()).into(),
        MovementKind::Expansion.number().into(),
    ]
}

fn add(row: WayRow, slice: &mut Slice, told: &Told) -> Result<(), Problem> {
    if row.add_to(&mut slice.way, told) {
        return Ok(());
    }
    let count = match row.measure.as_str() {
        "sent_accepted" => &mut slice.sent_accepted,
        "accounts_offered" => &mut slice.accounts_offered,
        "accounts_accepted" => &mut slice.accounts_accepted,
        "customers" => &mut slice.customers,
        "paying" => &mut slice.paying,
        "attached" => &mut slice.attached,
        _ => return add_money(&row, &mut slice.money),
    };
    *count = row.amount;
    Ok(())
}

fn add_money(row: &WayRow, money: &mut Vec<SliceMoney>) -> Result<(), Problem> {
    let currency = stored_currency(&row.part)?;
    let at = money.partition_point(|part| part.expansion.currency < currency);
    if money.get(at).is_none_or(|part| part.expansion.currency != currency) {
        money.insert(at, SliceMoney::nothing(Money::zero(currency)));
    }
    let part = &mut money[at];
    match row.measure.as_str() {
        "expansion" => part.expansion = Money::new(row.amount, currency),
        "orders" => part.orders = row.amount,
        _ => part.minor_days = row.amount,
    }
    Ok(())
}

/// Which rows are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFilter {
    /// When.
    pub window: Window,
    /// By what it was cut.
    pub cut: Cut,
    /// The slice.
    pub value: String,
    /// Which step.
    pub stage: Stage,
}

/// Where a page ends: instant in microseconds, and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepKey(pub i64, pub String);

/// One thing that a step counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedStep {
    /// Its place in the list.
    pub key: StepKey,
    /// When.
    pub at: Timestamp,
    /// The account.
    pub account_id: String,
    /// The offer; `None` of a signal.
    pub offer_id: Option<String>,
    /// The order, where there is one.
    pub order_id: Option<String>,
    /// The motion; `None` of a signal.
    pub motion: Option<String>,
    /// Kind of the signal, or the playbook.
    pub reason: String,
}

/// The things that a step counts, at most `size` after the key, by time and id.
pub async fn step_list(
    connection: &impl ConnectionTrait,
    filter: &StepFilter,
    after: Option<&StepKey>,
    size: u32,
) -> Result<Vec<CountedStep>, Problem> {
    let inner = steps_sql(filter.cut, filter.stage);
    let sql = format!(
        "SELECT at, id, account_id, offer_id, order_id, motion, reason FROM ({inner}) counted \
         WHERE at > $4 OR (at = $4 AND id > $5) ORDER BY at, id LIMIT $6"
    );
    let StepKey(at, id) = after.cloned().unwrap_or(StepKey(i64::MIN, String::new()));
    let bound: [Value; 6] = [
        micros(filter.window.start_time()).into(),
        micros(filter.window.end_time()).into(),
        filter.value.as_str().into(),
        at.into(),
        id.into(),
        i64::from(size).into(),
    ];
    let rows: Vec<StepRow> = select(connection, &sql, bound).await?;
    Ok(rows.into_iter().map(CountedStep::from).collect())
}

fn steps_sql(cut: Cut, stage: Stage) -> String {
    let of = |at: &str, id: &str, motion: &str, from: &str| {
        let slice = of_offer(cut, motion);
        format!(
            "SELECT {at} AS at, {id} AS id, f.account_id AS account_id, f.offer_id AS offer_id, d.order_id AS order_id, \
             {motion} AS motion, COALESCE(f.playbook, '') AS reason FROM {from} \
             WHERE {at} >= $1 AND {at} < $2 AND {slice} = $3"
        )
    };
    let from = format!("offers f LEFT JOIN orders d ON d.offer_id = f.offer_id {PLACE} = f.account_id");
    // Of a channel that does not tell of the step nothing is counted.
    let told = |at: &str, step: usize| {
        let channels = format!("f.channel IN (SELECT channel FROM told_steps WHERE step = {step})");
        format!("{} AND {channels}", of(at, "f.offer_id", "f.motion", &from))
    };
    match stage {
        Stage::Signals => {
            let (slice, joins) = of_signal(cut);
            let nothing = "CAST(NULL AS TEXT)";
            format!(
                "SELECT DISTINCT s.opened_at AS at, s.signal_id AS id, s.account_id AS account_id, \
                 {nothing} AS offer_id, {nothing} AS order_id, {nothing} AS motion, s.kind AS reason \
                 FROM signals s {joins} WHERE s.opened_at >= $1 AND s.opened_at < $2 AND NOT s.withdrawn AND {slice} = $3"
            )
        }
        Stage::Accepted => of("f.accepted_at", "f.offer_id", "f.motion", &from),
        Stage::Paid => of(
            "d.paid_at",
            "d.order_id",
            "COALESCE(f.motion, d.motion)",
            &format!("orders d LEFT JOIN offers f ON f.offer_id = d.offer_id {PLACE} = d.account_id"),
        )
        .replace(
            "f.account_id AS account_id, f.offer_id",
            "d.account_id AS account_id, d.offer_id",
        ),
        Stage::Sent => of("f.sent_at", "f.offer_id", "f.motion", &from),
        Stage::Delivered => told("f.delivered_at", 0),
        Stage::Opened => told("f.opened_at", 1),
        Stage::Clicked => told("f.clicked_at", 2),
    }
}

#[derive(FromQueryResult)]
struct StepRow {
    at: i64,
    id: String,
    account_id: String,
    offer_id: Option<String>,
    order_id: Option<String>,
    motion: Option<String>,
    reason: String,
}

impl From<StepRow> for CountedStep {
    fn from(row: StepRow) -> Self {
        Self {
            key: StepKey(row.at, row.id),
            at: from_micros(row.at),
            account_id: row.account_id,
            offer_id: row.offer_id,
            order_id: row.order_id,
            motion: row.motion,
            reason: row.reason,
        }
    }
}
