//! The flows of cohorts, month by month.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{
    db::{epoch_day, from_epoch_day},
    problem::Problem,
};

use crate::{
    domain::{cohort::CohortFlow, kept::Dimension, movement::MovementKind},
    store::rows::{select, stored_currency},
};

/// The flows of the cohorts `first` to `last` (`2026-01`) before `until`.
pub async fn cohort_flows(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
    until: Date,
) -> Result<Vec<CohortFlow>, Problem> {
    let query = "SELECT slice, on_day, currency, kind, CAST(SUM(amount) AS BIGINT) AS amount, \
                 CAST(SUM(events) AS BIGINT) AS events FROM revenue_flows \
                 WHERE dimension = $1 AND slice >= $2 AND slice <= $3 AND grain = 1 AND on_day < $4 AND kind <= $5 \
                 GROUP BY slice, on_day, currency, kind ORDER BY slice, on_day, currency, kind";
    let values: [Value; 5] = [
        Dimension::Cohort.number().into(),
        first.into(),
        last.into(),
        epoch_day(until).into(),
        MovementKind::New.number().into(),
    ];
    let rows: Vec<Row> = select(connection, query, values).await?;
    let mut flows: BTreeMap<(String, i32, String), CohortFlow> = BTreeMap::new();
    for row in rows {
        let currency = (!row.currency.is_empty())
            .then(|| stored_currency(&row.currency))
            .transpose()?;
        let key = (row.slice.clone(), row.on_day, row.currency);
        let flow = flows.entry(key).or_insert_with(|| CohortFlow {
            cohort: row.slice,
            month: from_epoch_day(row.on_day),
            currency,
            level: 0,
            new: 0,
            paying: 0,
            first: 0,
        });
        if row.kind == 0 {
            (flow.level, flow.paying) = (row.amount, row.events);
        } else {
            (flow.new, flow.first) = (row.amount, row.events);
        }
    }
    Ok(flows.into_values().collect())
}

#[derive(FromQueryResult)]
struct Row {
    slice: String,
    on_day: i32,
    currency: String,
    kind: i32,
    amount: i64,
    events: i64,
}
