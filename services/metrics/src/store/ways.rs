//! Counts on the way from signals to money, cut by something, in the whole window or week by week.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{
    db::{epoch_day, micros},
    problem::Problem,
};

use super::rows::{money, select};
use crate::domain::{funnel::Way, movement::MovementKind, programme::Cut, rates::Week, window::Window};

pub(super) const PLACE: &str = "LEFT JOIN revenue_places p ON p.account_id";
/// Offers that took a signal up, or none.
const TAKEN_UP: &str =
    "LEFT JOIN offer_signals t ON t.signal_id = s.signal_id LEFT JOIN offers f ON f.offer_id = t.offer_id";
const WEEK_MICROS: i64 = 7 * 24 * 60 * 60 * 1_000_000;
/// The steps that a channel may tell of, by their columns.
const REACHED: [(&str, &str); 3] = [
    ("delivered", "delivered_at"),
    ("opened", "opened_at"),
    ("clicked", "clicked_at"),
];

/// The steps that each channel has ever told of.
pub(super) type Told = BTreeMap<String, [bool; 3]>;

/// Where the slice of a row stands when the row has an offer `f`, and a place `p` of its account.
pub(super) fn of_offer(cut: Cut, motion: &str) -> String {
    match cut {
        Cut::All => "CAST('' AS TEXT)".to_owned(),
        Cut::Segment => "COALESCE(p.segment, '')".to_owned(),
        Cut::Plan => "COALESCE(p.plan, '')".to_owned(),
        Cut::Country => "COALESCE(p.country, '')".to_owned(),
        Cut::Cohort => "COALESCE(p.cohort, '')".to_owned(),
        Cut::Motion => motion.to_owned(),
        Cut::Channel => "COALESCE(f.channel, '')".to_owned(),
        Cut::Playbook => "COALESCE(f.playbook, '')".to_owned(),
        Cut::Signal => "COALESCE((SELECT w.kind FROM offer_signals t JOIN signals w ON w.signal_id = t.signal_id \
                        WHERE t.offer_id = f.offer_id ORDER BY w.opened_at DESC, w.signal_id LIMIT 1), '')"
            .to_owned(),
    }
}

/// Slice and joins of a signal `s`.
pub(super) fn of_signal(cut: Cut) -> (String, String) {
    match cut {
        Cut::Signal => ("s.kind".to_owned(), String::new()),
        Cut::Motion | Cut::Channel | Cut::Playbook => (of_offer(cut, "COALESCE(f.motion, '')"), TAKEN_UP.to_owned()),
        _ => (of_offer(cut, ""), format!("{PLACE} = s.account_id")),
    }
}

/// The steps of every slice, offers by channel; `$1` and `$2` are the window in microseconds, `bucket` cuts an instant.
pub(super) fn way_parts(cut: Cut, bucket: impl Fn(&str) -> String) -> Vec<String> {
    let (offer, order) = (of_offer(cut, "f.motion"), of_offer(cut, "COALESCE(f.motion, d.motion)"));
    let (signal, signal_joins) = of_signal(cut);
    let offers = |measure: &str, at: &str| {
        let bucket = bucket(&format!("f.{at}"));
        format!(
            "SELECT '{measure}' AS measure, {offer} AS slice, f.channel AS part, {bucket} AS bucket, COUNT(*) AS amount \
             FROM offers f {PLACE} = f.account_id WHERE f.{at} >= $1 AND f.{at} < $2 GROUP BY 2, 3, 4"
        )
    };
    let mut parts = vec![offers("sent", "sent_at")];
    parts.extend(REACHED.map(|(measure, at)| offers(measure, at)));
    parts.push(offers("accepted", "accepted_at"));
    parts.push(format!(
        "SELECT 'paid', {order}, '', {}, COUNT(*) FROM orders d LEFT JOIN offers f ON f.offer_id = d.offer_id \
         {PLACE} = d.account_id WHERE d.paid_at >= $1 AND d.paid_at < $2 GROUP BY 2, 4",
        bucket("d.paid_at")
    ));
    parts.push(format!(
        "SELECT 'signals', {signal}, '', {}, COUNT(DISTINCT s.signal_id) FROM signals s {signal_joins} \
         WHERE s.opened_at >= $1 AND s.opened_at < $2 AND NOT s.withdrawn GROUP BY 2, 4",
        bucket("s.opened_at")
    ));
    parts
}

/// A count of a slice.
#[derive(FromQueryResult)]
pub(super) struct WayRow {
    pub(super) measure: String,
    pub(super) slice: String,
    /// The channel of offers, the currency of money.
    pub(super) part: String,
    bucket: i64,
    pub(super) amount: i64,
}

impl WayRow {
    /// Adds a step to the way; false when it is something else.
    pub(super) fn add_to(&self, way: &mut Way, told: &Told) -> bool {
        match self.measure.as_str() {
            "signals" => way.signals += self.amount,
            "accepted" => way.accepted += self.amount,
            "paid" => way.paid += self.amount,
            measure => {
                let step = REACHED.iter().position(|(name, _)| *name == measure);
                if step.is_none() && measure != "sent" {
                    return false;
                }
                let reach = way.channels.entry(self.part.clone()).or_default();
                reach.told = told.get(&self.part).copied().unwrap_or_default();
                let count = step.map_or(&mut reach.sent, |step| &mut reach.reached[step]);
                *count += self.amount;
            }
        }
        true
    }
}

/// Which channel told of which steps.
pub(super) async fn told_fetch(connection: &impl ConnectionTrait) -> Result<Told, Problem> {
    #[derive(FromQueryResult)]
    struct ToldRow {
        channel: String,
        step: i32,
    }
    let rows: Vec<ToldRow> = select(connection, "SELECT channel, step FROM told_steps", []).await?;
    let mut told = Told::new();
    for row in rows {
        let steps = told.entry(row.channel).or_default();
        if let Some(step) = usize::try_from(row.step).ok().and_then(|step| steps.get_mut(step)) {
            *step = true;
        }
    }
    Ok(told)
}

/// The way of all, each step counted when it happened.
pub async fn way_fetch(connection: &impl ConnectionTrait, window: Window) -> Result<Way, Problem> {
    let sql = way_parts(Cut::All, |_| "CAST(0 AS BIGINT)".to_owned()).join(" UNION ALL ");
    let rows: Vec<WayRow> = select(connection, &sql, instants(window)).await?;
    let told = told_fetch(connection).await?;
    let mut way = Way::default();
    for row in rows {
        row.add_to(&mut way, &told);
    }
    Ok(way)
}

/// One row per measure, slice, week and (for money) currency that has something; `$6` is a week in microseconds.
fn weeks_sql(cut: Cut) -> String {
    let mut parts = way_parts(cut, |at| format!("({at} - $1) / $6"));
    let week = "CAST((m.day - $3) / 7 AS BIGINT)";
    let moved = "m.day >= $3 AND m.day < $4 AND m.kind = $5 GROUP BY 2, 3, 4";
    let amount = "CAST(SUM(m.amount_minor) AS BIGINT)";
    if cut.is_of_accounts() {
        let slice = of_offer(cut, "");
        parts.push(format!(
            "SELECT 'touches', {slice}, '', (x.touched_at - $1) / $6, COUNT(*) FROM touches x \
             {PLACE} = x.account_id WHERE x.touched_at >= $1 AND x.touched_at < $2 AND x.counts GROUP BY 2, 4"
        ));
        parts.push(format!(
            "SELECT 'expansion', {slice}, m.currency, {week}, {amount} FROM movements m \
             {PLACE} = m.account_id WHERE {moved}"
        ));
    } else {
        let slice = of_offer(cut, "COALESCE(f.motion, d.motion)");
        parts.push(format!(
            "SELECT 'expansion', {slice}, m.currency, {week}, {amount} FROM movements m \
             JOIN orders d ON d.order_id = m.order_id AND d.account_id = m.account_id \
             LEFT JOIN offers f ON f.offer_id = d.offer_id WHERE {moved}"
        ));
    }
    format!("{} ORDER BY 2, 4, 1, 3", parts.join(" UNION ALL "))
}

/// The weeks of the window of every slice with something in it, also the empty weeks; of all in one always.
pub async fn week_list(
    connection: &impl ConnectionTrait,
    window: Window,
    cut: Cut,
) -> Result<BTreeMap<String, Vec<Week>>, Problem> {
    let [start, end] = instants(window);
    let values: [Value; 6] = [
        start,
        end,
        epoch_day(window.start()).into(),
        epoch_day(window.end()).into(),
        MovementKind::Expansion.number().into(),
        WEEK_MICROS.into(),
    ];
    let rows: Vec<WayRow> = select(connection, &weeks_sql(cut), values).await?;
    let told = told_fetch(connection).await?;
    let empty = || {
        window
            .weeks()
            .into_iter()
            .map(|start| Week::nothing(start, cut))
            .collect::<Vec<_>>()
    };
    let mut slices: BTreeMap<String, Vec<Week>> = BTreeMap::new();
    if cut == Cut::All {
        slices.insert(String::new(), empty());
    }
    for row in rows {
        let weeks = slices.entry(row.slice.clone()).or_insert_with(empty);
        let week = usize::try_from(row.bucket).ok().and_then(|index| weeks.get_mut(index));
        let week = week.ok_or_else(|| Problem::internal(format!("week {} is outside the window", row.bucket)))?;
        if row.add_to(&mut week.way, &told) {
            continue;
        }
        match row.measure.as_str() {
            "touches" => week.touches = Some(row.amount),
            _ => week.expansion.push(money(row.amount, &row.part)?),
        }
    }
    Ok(slices)
}

fn instants(window: Window) -> [Value; 2] {
    [window.start_time(), window.end_time()].map(|time| micros(time).into())
}
