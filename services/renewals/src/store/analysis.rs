//! Deals as forecasts and analyses need them.

use jiff::civil::Date;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use upswell_runtime::{
    db::{epoch_day, from_micros, micros},
    problem::Problem,
};

use super::{
    Reads,
    entities::{account, deal},
    rows::read_deal,
};
use crate::domain::{forecast::Prospect, losses::Loss, risk::ChurnRisk, stage::Stage};

/// Deals a round trip; what is kept of them is small.
const PAGE: u64 = 2_000;

/// Hands the deals that renew in `from..to` to `take`, with the risk of their account or `unknown`.
pub async fn prospects_each(
    db: &impl Reads,
    (from, to): (Date, Date),
    segment: Option<&str>,
    unknown: ChurnRisk,
    mut take: impl FnMut(Prospect),
) -> Result<(), Problem> {
    let mut after = String::new();
    loop {
        let mut query = deal::Entity::find()
            .find_also_linked(ToAccount)
            .filter(deal::Column::RenewalOn.gte(epoch_day(from)))
            .filter(deal::Column::RenewalOn.lt(epoch_day(to)))
            .filter(deal::Column::DealId.gt(after.as_str()));
        if let Some(segment) = segment {
            query = query.filter(deal::Column::Segment.eq(segment));
        }
        let rows = sea_orm::QuerySelect::limit(query.order_by_asc(deal::Column::DealId), PAGE)
            .all(db)
            .await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after.clone_from(&last.deal_id);
        for (row, account) in rows {
            let known = account.and_then(|account| account.churn_risk);
            let risk = known.and_then(|risk| ChurnRisk::from_millionths(u32::try_from(risk).ok()?));
            take(Prospect {
                deal: read_deal(&row)?,
                risk: risk.unwrap_or(unknown),
            });
        }
    }
}

/// The deals that were lost in `from..to`, days of UTC.
pub async fn losses_fetch(db: &impl Reads, from: Date, to: Date) -> Result<Vec<Loss>, Problem> {
    let midnight = |day: Date| {
        day.to_zoned(jiff::tz::TimeZone::UTC)
            .map(|zoned| micros(zoned.timestamp()))
    };
    let (from, to) = (
        midnight(from).map_err(Problem::internal)?,
        midnight(to).map_err(Problem::internal)?,
    );
    let rows = deal::Entity::find()
        .filter(deal::Column::Stage.eq(Stage::Lost.as_str()))
        .filter(deal::Column::StageAt.gte(from))
        .filter(deal::Column::StageAt.lt(to))
        .order_by_asc(deal::Column::DealId)
        .all(db)
        .await?;
    let mut losses = Vec::with_capacity(rows.len());
    for row in rows {
        let deal = read_deal(&row)?;
        let lost_on = jiff::tz::TimeZone::UTC.to_datetime(from_micros(row.stage_at)).date();
        let mrr = deal.money();
        losses.extend(deal.loss.map(|reason| Loss { lost_on, reason, mrr }));
    }
    Ok(losses)
}

/// From a deal to the copy of its account.
struct ToAccount;

impl sea_orm::Linked for ToAccount {
    type FromEntity = deal::Entity;
    type ToEntity = account::Entity;

    fn link(&self) -> Vec<sea_orm::LinkDef> {
        vec![
            deal::Entity::belongs_to(account::Entity)
                .from(deal::Column::AccountId)
                .to(account::Column::AccountId)
                .into(),
        ]
    }
}
