//! Revenue of a window out of the sums that are kept: how long it takes does not depend on the number of accounts. Only
//! what was retained in a window that is no kept span looks at accounts, and only at those that moved in it.

mod accounts;
mod cohorts;
mod native;

use std::collections::BTreeMap;

use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{db::epoch_day, problem::Problem};

pub use self::{
    accounts::{AccountRevenue, account_revenue_list},
    cohorts::cohort_flows,
    native::{Natives, natives_fetch},
};
use super::{
    movements::{stored_cause, stored_kind},
    rows::{select, stored_currency},
};
use crate::domain::{
    kept::{Dimension, SPANS, months_after},
    movement::{Cause, MovementKind},
    revenue::{Ends, KindSum},
    window::Window,
};

/// Which slices are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slices {
    /// One; of [`Dimension::All`] it is the empty one.
    One(Dimension, String),
    /// Every slice of the dimension.
    Each(Dimension),
}

/// What [`crate::domain::revenue::revenue`] needs of a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SliceSums {
    /// By currency.
    pub ends: Vec<Ends>,
    /// By currency, kind and cause.
    pub sums: Vec<KindSum>,
}

impl Slices {
    fn dimension(&self) -> Dimension {
        match self {
            Self::One(dimension, _) | Self::Each(dimension) => *dimension,
        }
    }

    /// `$1` and `$2` of every statement here.
    fn values(&self) -> [Value; 2] {
        let slice = match self {
            Self::One(_, slice) => slice.as_str(),
            Self::Each(_) => "",
        };
        [self.dimension().number().into(), slice.into()]
    }

    fn compared(&self) -> &'static str {
        match self {
            Self::One(..) => "=",
            Self::Each(_) => ">=",
        }
    }

    /// The condition on a kept table.
    fn kept(&self) -> String {
        format!("dimension = $1 AND slice {} $2", self.compared())
    }

    /// Who moved in the window `$3` to `$4`, with the slice: a statement on the movements.
    fn moved(&self) -> String {
        let column = match self.dimension() {
            Dimension::All => {
                return "SELECT DISTINCT account_id, '' AS slice FROM movements WHERE day >= $3 AND day < $4"
                    .to_owned();
            }
            Dimension::Segment => "segment",
            Dimension::Plan => "plan",
            Dimension::Country => "country",
            Dimension::Cohort => "cohort",
        };
        format!(
            "SELECT DISTINCT m.account_id, p.{column} AS slice FROM movements m \
             JOIN revenue_places p ON p.account_id = m.account_id \
             WHERE m.day >= $3 AND m.day < $4 AND p.{column} {} $2",
            self.compared()
        )
    }
}

/// The sums of a window by slice. One statement, so that all parts see the same state of the store: the identity of K-1
/// may not fail because an event arrived between them. MRR at both ends comes from the levels, what moved it from the
/// movements.
pub async fn revenue_sums_fetch(
    connection: &impl ConnectionTrait,
    window: Window,
    slices: &Slices,
) -> Result<BTreeMap<String, SliceSums>, Problem> {
    let sql = format!(
        "WITH found AS ({flows}) SELECT slice, currency, part, kind, cause, CAST(SUM(amount) AS BIGINT) AS a, \
         CAST(SUM(events) AS BIGINT) AS b, CAST(SUM(attributed) AS BIGINT) AS c, CAST(0 AS BIGINT) AS d \
         FROM found GROUP BY slice, currency, part, kind, cause UNION ALL {retained}",
        flows = flows(slices),
        retained = retained(slices, window),
    );
    let rows: Vec<Row> = select(connection, &sql, values(slices, window)).await?;
    let mut found: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        found.entry(row.slice.clone()).or_default().push(row);
    }
    let read = |(slice, rows): (String, Vec<Row>)| Ok((slice, SliceSums::read(&rows)?));
    found.into_iter().map(read).collect()
}

/// `$3` and `$4` are the window; `$5` the month of its start; from `$6` up to `$7` its whole months, and from `$8` up
/// to `$9` the days that these leave between them.
fn values(slices: &Slices, window: Window) -> Vec<Value> {
    let (start, end) = (window.start(), window.end());
    let ceiling = if start == start.first_of_month() {
        start
    } else {
        months_after(start, 1)
    };
    let floor = end.first_of_month();
    let head = ceiling.min(end);
    let days = [
        start,
        end,
        start.first_of_month(),
        ceiling,
        floor,
        head,
        floor.max(head),
    ];
    let days = days.map(|day: Date| epoch_day(day).into());
    slices.values().into_iter().chain(days).collect()
}

/// Part 1: the levels up to the start; part 2: up to the end; part 3: the movements.
fn flows(slices: &Slices) -> String {
    let part = |part: i32, condition: &str| {
        format!(
            "SELECT slice, currency, {part} AS part, kind, cause, amount, events, attributed FROM revenue_flows \
             WHERE {} AND {condition}",
            slices.kept()
        )
    };
    let parts = [
        part(1, "grain = 1 AND on_day < $5 AND kind = 0"),
        part(1, "grain = 0 AND on_day >= $5 AND on_day < $3 AND kind = 0"),
        part(2, "grain = 1 AND on_day < $7 AND kind = 0"),
        part(2, "grain = 0 AND on_day >= $7 AND on_day < $4 AND kind = 0"),
        part(3, "grain = 1 AND on_day >= $6 AND on_day < $7 AND kind > 0"),
        part(3, "grain = 0 AND on_day >= $3 AND on_day < $8 AND kind > 0"),
        part(3, "grain = 0 AND on_day >= $9 AND on_day < $4 AND kind > 0"),
    ];
    parts.join(" UNION ALL ")
}

/// Part 4: by how much the end differs from the start; part 5: what expansions earned.
fn retained(slices: &Slices, window: Window) -> String {
    if let Some(months) = span_of(window) {
        return format!(
            "SELECT slice, currency, 4, 0, 0, retained, gross, churned, earned FROM revenue_spans \
             WHERE {} AND start_on = $3 AND months = {months}",
            slices.kept()
        );
    }
    format!(
        "SELECT slice, currency, 4, 0, 0, \
         CAST(SUM(CASE WHEN first > 0 THEN last - first ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN last < first THEN last - first ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN first > 0 AND total = 0 THEN 1 ELSE 0 END) AS BIGINT), CAST(0 AS BIGINT) \
         FROM ({ends}) ends GROUP BY slice, currency UNION ALL {earned}",
        ends = account_ends(slices),
        earned = earned(slices),
    )
}

/// MRR at both ends of every account that moved, by currency, and at the end in all of them together.
fn account_ends(slices: &Slices) -> String {
    let on = |day: &str| format!("CASE WHEN l.from_on < {day} AND l.to_on >= {day} THEN l.mrr_minor ELSE 0 END");
    let (first, last) = (on("$3"), on("$4"));
    format!(
        "SELECT l.account_id, moved.slice, l.currency, CAST(SUM({first}) AS BIGINT) AS first, \
         CAST(SUM({last}) AS BIGINT) AS last, \
         CAST(SUM(SUM({last})) OVER (PARTITION BY l.account_id) AS BIGINT) AS total \
         FROM mrr_levels l JOIN ({moved}) moved ON moved.account_id = l.account_id \
         WHERE l.from_on < $4 AND l.to_on >= $3 GROUP BY l.account_id, moved.slice, l.currency",
        moved = slices.moved(),
    )
}

fn earned(slices: &Slices) -> String {
    let days = "CASE WHEN m.earns_until < $4 THEN m.earns_until ELSE $4 END - m.day";
    format!(
        "SELECT moved.slice, m.currency, 5 AS part, 0 AS kind, 0 AS cause, \
         CAST(SUM(m.amount_minor * ({days})) AS BIGINT) AS a, \
         CAST(0 AS BIGINT) AS b, CAST(0 AS BIGINT) AS c, CAST(0 AS BIGINT) AS d \
         FROM movements m JOIN ({moved}) moved ON moved.account_id = m.account_id \
         WHERE m.day >= $3 AND m.day < $4 AND m.kind = {expansion} GROUP BY moved.slice, m.currency",
        moved = slices.moved(),
        expansion = MovementKind::Expansion.number(),
    )
}

/// The length of the kept span that the window is, if it is one.
fn span_of(window: Window) -> Option<i32> {
    let is_start = window.start() == window.start().first_of_month();
    let fits = |months: &i32| is_start && months_after(window.start(), *months) == window.end();
    SPANS.into_iter().find(fits)
}

#[derive(FromQueryResult)]
struct Row {
    slice: String,
    currency: String,
    part: i32,
    kind: i32,
    cause: i32,
    a: i64,
    b: i64,
    c: i64,
    d: i64,
}

impl SliceSums {
    fn read(rows: &[Row]) -> Result<Self, Problem> {
        let mut ends = BTreeMap::new();
        let mut sums = Vec::new();
        for row in rows.iter().filter(|row| !row.currency.is_empty()) {
            let currency = stored_currency(&row.currency)?;
            let end = ends.entry(currency).or_insert_with(|| Ends::nothing(currency));
            match row.part {
                1 => {
                    (end.mrr_start, end.paying_start) = (row.a, row.b);
                    end.retained_end += row.a;
                    end.retained_gross += row.a;
                }
                2 => (end.mrr_end, end.paying_end) = (row.a, row.b),
                3 => sums.push(KindSum {
                    amount: row.a,
                    count: row.b,
                    attributed: row.c,
                    ..KindSum::nothing(currency, stored_kind(row.kind)?, stored_cause(row.cause)?)
                }),
                4 => {
                    end.retained_end += row.a;
                    end.retained_gross += row.b;
                    end.churned_accounts += row.c;
                    sums.push(earned_sum(currency, row.d));
                }
                _ => sums.push(earned_sum(currency, row.a)),
            }
        }
        let is_something = |end: &Ends| *end != Ends::nothing(end.currency);
        let moved = |end: &Ends| {
            sums.iter()
                .any(|sum: &KindSum| sum.currency == end.currency && sum.count > 0)
        };
        let ends: Vec<Ends> = ends
            .into_values()
            .filter(|end| is_something(end) || moved(end))
            .collect();
        sums.retain(|sum| ends.iter().any(|end| end.currency == sum.currency));
        Ok(Self { ends, sums })
    }
}

fn earned_sum(currency: upswell_runtime::money::Currency, earned: i64) -> KindSum {
    KindSum {
        amount_days: earned,
        ..KindSum::nothing(currency, MovementKind::Expansion, Cause::Price)
    }
}
