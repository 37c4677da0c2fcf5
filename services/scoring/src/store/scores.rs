//! The newest score of every account, and health day by day.

use jiff::civil::Date;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::OnConflict,
};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day, micros},
    problem::Problem,
};

use super::{
    CHUNK,
    entities::{past_health, score},
    from_json, to_json,
};
use crate::domain::{
    score::{PastHealth, Score},
    stage::Tier,
};

/// The newest scores of `account_ids`, by account id; accounts without one are left out.
pub async fn scores_fetch(conn: &impl ConnectionTrait, account_ids: &[String]) -> Result<Vec<Score>, Problem> {
    let rows = score::Entity::find().filter(score::Column::AccountId.is_in(account_ids));
    let rows = rows.order_by_asc(score::Column::AccountId).all(conn).await?;
    rows.into_iter().map(read).collect()
}

/// A score with the class of the weekly computation, which may be newer than the rest.
fn read(row: score::Model) -> Result<Score, Problem> {
    let score: Score = from_json(&row.document)?;
    Ok(Score {
        tier: row.tier.as_deref().and_then(Tier::parse),
        ..score
    })
}

/// The newest scores of `account_ids` as they were told last, and the class that the weekly computation gave since.
pub async fn scores_fetch_told(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
) -> Result<Vec<(Score, Option<Tier>)>, Problem> {
    let rows = score::Entity::find().filter(score::Column::AccountId.is_in(account_ids));
    let told = |row: score::Model| Ok((from_json(&row.document)?, row.tier.as_deref().and_then(Tier::parse)));
    rows.all(conn).await?.into_iter().map(told).collect()
}

/// A page of scores in the order of SC-3: rising before steady before falling, then the higher health, then the id.
/// `after` is (trend, health, account) of the last score of the page before.
pub async fn score_list(
    conn: &impl ConnectionTrait,
    after: Option<(i32, i32, &str)>,
    limit: u64,
) -> Result<Vec<Score>, Problem> {
    use score::Column::{AccountId, Health, Trend};
    let mut rows = score::Entity::find();
    if let Some((trend, health, account_id)) = after {
        let same_health = Condition::all().add(Health.eq(health)).add(AccountId.gt(account_id));
        let same_trend = Condition::any().add(Health.lt(health)).add(same_health);
        let later = Condition::any()
            .add(Trend.lt(trend))
            .add(Condition::all().add(Trend.eq(trend)).add(same_trend));
        rows = rows.filter(later);
    }
    let ranked = rows.order_by_desc(Trend).order_by_desc(Health).order_by_asc(AccountId);
    let rows = ranked.limit(limit).all(conn).await?;
    rows.into_iter().map(read).collect()
}

/// Writes the newest scores.
pub async fn scores_upsert(tx: &Tx, scores: &[Score]) -> Result<(), Problem> {
    use score::Column::{AccountId, Document, Health, Potential, ScoredAt, ToldTier, Trend};
    for chunk in scores.chunks(CHUNK) {
        let rows: Result<Vec<_>, Problem> = chunk.iter().map(score_row).collect();
        let newer = OnConflict::column(AccountId)
            .update_columns([Trend, Health, ScoredAt, Document, Potential, ToldTier])
            .to_owned();
        score::Entity::insert_many(rows?)
            .on_conflict(newer)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

fn score_row(score: &Score) -> Result<score::ActiveModel, Problem> {
    Ok(score::ActiveModel {
        account_id: Set(score.account_id.clone()),
        trend: Set(score.trend()),
        health: Set(score.health.value),
        scored_at: Set(micros(score.scored_at)),
        document: Set(to_json(score)?),
        potential: Set(score.potential),
        // The weekly computation alone writes the class.
        tier: Set(None),
        told_tier: Set(score.tier.map(|tier| tier.as_str().to_owned())),
    })
}

/// Health of `account_ids` on the days from `first` to `last`, with the account, the newest day first.
pub async fn past_health_list(
    conn: &impl ConnectionTrait,
    account_ids: &[String],
    first: Date,
    last: Date,
) -> Result<Vec<(String, PastHealth)>, Problem> {
    use past_health::Column::{AccountId, Day};
    let days = Day.between(epoch_day(first), epoch_day(last));
    let rows = past_health::Entity::find()
        .filter(AccountId.is_in(account_ids))
        .filter(days);
    let rows = rows.order_by_desc(Day).all(conn).await?;
    let past = |row: past_health::Model| {
        let past = PastHealth {
            day: from_epoch_day(row.day),
            value: row.value,
            points: from_json(&row.points)?,
        };
        Ok((row.account_id, past))
    };
    rows.into_iter().map(past).collect()
}

/// Writes the health of a day into the history; the day's last score stands.
pub async fn past_health_upsert(tx: &Tx, scores: &[Score]) -> Result<(), Problem> {
    use past_health::Column::{AccountId, Day, Points, Value};
    for chunk in scores.chunks(CHUNK) {
        let rows: Result<Vec<_>, Problem> = chunk.iter().map(past_row).collect();
        let last = OnConflict::columns([AccountId, Day])
            .update_columns([Value, Points])
            .to_owned();
        past_health::Entity::insert_many(rows?)
            .on_conflict(last)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

fn past_row(score: &Score) -> Result<past_health::ActiveModel, Problem> {
    let past = score.to_past();
    Ok(past_health::ActiveModel {
        account_id: Set(score.account_id.clone()),
        day: Set(epoch_day(past.day)),
        value: Set(past.value),
        points: Set(to_json(&past.points)?),
    })
}

/// Forgets the health of the days before `day`; the number of rows.
pub async fn past_health_prune(tx: &Tx, day: Date) -> Result<u64, Problem> {
    let old = past_health::Entity::delete_many().filter(past_health::Column::Day.lt(epoch_day(day)));
    Ok(old.exec(&**tx).await?.rows_affected)
}
