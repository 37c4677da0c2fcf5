//! What became of offers (M-1), and what their messages did to people (C-15).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Statement,
    sea_query::{Expr, OnConflict},
};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};

use super::{
    Reads,
    entities::{conversion, drift, look, reaction},
    upsert, word,
};
use crate::domain::{
    conversion::{Learned, Outcomes},
    loyalty::{Tally, Watched},
    vocabulary::Motion,
};

/// What became of offers with a price that were sent after `since`. Whoever takes one does so soon, who does not is silent till
/// the end: so an offer counts when it could not be answered any more, or the last weeks would look too good.
const COUNT: &str = "SELECT o.motion AS motion, COALESCE(a.segment, '') AS segment, \
    CAST(SUM(CASE WHEN o.state = 'accepted' THEN 1 ELSE 0 END) AS BIGINT) AS accepted, \
    CAST(SUM(CASE WHEN o.state = 'accepted' THEN 0 ELSE 1 END) AS BIGINT) AS refused \
    FROM offers o LEFT JOIN accounts a ON a.account_id = o.account_id \
    WHERE o.sent_at > $1 AND o.sent_at + o.validity_days * 86400000000 <= $2 AND o.terms IS NOT NULL \
    AND o.state IN ('accepted', 'declined', 'expired') GROUP BY 1, 2";

/// Messages by playbook, segment and whether they are recent, and how many did harm. What was sent from the recent time before a
/// pause until its end is left out for good: that is why the playbook was paused, and no measure of what is usual.
const WATCH: &str = "SELECT playbook, segment, recent, COUNT(*) AS sent, CAST(SUM(harmed) AS BIGINT) AS harmed FROM ( \
    SELECT o.playbook AS playbook, COALESCE(a.segment, '') AS segment, \
    CASE WHEN o.sent_at >= $2 THEN 1 ELSE 0 END AS recent, \
    CASE WHEN (o.state = 'declined' AND o.close_reason LIKE 'unwanted%') OR EXISTS (SELECT 1 FROM reactions r \
    WHERE r.account_id = o.account_id AND NOT r.superseded AND (r.offer_id = o.offer_id OR (r.offer_id IS NULL \
    AND r.heard_at >= o.sent_at AND r.heard_at < o.sent_at + $3))) THEN 1 ELSE 0 END AS harmed \
    FROM offers o LEFT JOIN accounts a ON a.account_id = o.account_id \
    WHERE o.sent_at >= $1 AND NOT EXISTS (SELECT 1 FROM playbook_pauses p WHERE p.playbook = o.playbook \
    AND o.sent_at >= p.paused_at - $4 AND (p.resumed_at IS NULL OR o.sent_at < p.resumed_at))) told \
    GROUP BY playbook, segment, recent";

/// The spans that the guard looks at.
#[derive(Debug, Clone, Copy)]
pub struct Spans {
    /// When it looks.
    pub now: Timestamp,
    /// Messages that were sent no longer ago are recent.
    pub recent: SignedDuration,
    /// Messages that were sent no longer ago are looked at.
    pub before: SignedDuration,
    /// So long after a message a reaction is put down to it.
    pub heard: SignedDuration,
}

#[derive(FromQueryResult)]
struct WatchedRow {
    playbook: String,
    segment: String,
    recent: i32,
    sent: i64,
    harmed: i64,
}

/// Takes the turn of a job that looks once in a while: true for the one who does when the last look was at `due` or before.
pub async fn look_take(tx: &Tx, job: &str, due: Timestamp, now: Timestamp) -> Result<bool, Problem> {
    let never = look::ActiveModel {
        job: Set(job.to_owned()),
        looked_at: Set(i64::MIN),
    };
    let keep = OnConflict::column(look::Column::Job).do_nothing().to_owned();
    let insert = look::Entity::insert_many([never]).on_conflict(keep);
    insert.exec_without_returning(&**tx).await?;
    let take = look::Entity::update_many()
        .col_expr(look::Column::LookedAt, Expr::value(micros(now)))
        .filter(look::Column::Job.eq(job))
        .filter(look::Column::LookedAt.lte(micros(due)));
    Ok(take.exec(&**tx).await?.rows_affected > 0)
}

/// When a job looked last; none before the first time.
pub async fn look_fetch(db: &impl Reads, job: &str) -> Result<Option<i64>, Problem> {
    Ok(look::Entity::find_by_id(job).one(db).await?.map(|look| look.looked_at))
}

/// Counts what became of the offers that were sent after `since` and stood open until `now` at most.
pub async fn conversions_count(
    db: &impl Reads,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<conversion::Model>, Problem> {
    let values = [micros(since).into(), micros(now).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), COUNT, values);
    Ok(conversion::Model::find_by_statement(statement).all(db).await?)
}

/// Keeps what was counted instead of what was counted before.
pub async fn conversions_save(tx: &Tx, counted: Vec<conversion::Model>) -> Result<(), Problem> {
    conversion::Entity::delete_many().exec(&**tx).await?;
    upsert::<conversion::Entity>(tx, counted).await
}

/// What was counted last, by motion and segment.
pub async fn conversion_list(db: &impl Reads) -> Result<Vec<conversion::Model>, Problem> {
    let found = conversion::Entity::find().order_by_asc(conversion::Column::Motion);
    Ok(found.order_by_asc(conversion::Column::Segment).all(db).await?)
}

/// Outcomes by motion and segment.
pub fn outcomes(counted: &[conversion::Model]) -> Result<BTreeMap<Motion, BTreeMap<&str, Outcomes>>, Problem> {
    let mut all: BTreeMap<Motion, BTreeMap<&str, Outcomes>> = BTreeMap::new();
    for row in counted {
        let outcomes = Outcomes {
            accepted: u32::try_from(row.accepted).unwrap_or(u32::MAX),
            refused: u32::try_from(row.refused).unwrap_or(u32::MAX),
        };
        all.entry(word(&row.motion)?)
            .or_default()
            .insert(&row.segment, outcomes);
    }
    Ok(all)
}

/// What an account of `segment` learns from them.
pub fn learned(all: &BTreeMap<Motion, BTreeMap<&str, Outcomes>>, segment: &str) -> BTreeMap<Motion, Learned> {
    let of = |(motion, segments): (&Motion, &BTreeMap<&str, Outcomes>)| {
        let others = segments.iter().filter(|(name, _)| **name != segment);
        let learned = Learned {
            segment: segments.get(segment).copied().unwrap_or_default(),
            others: others.fold(Outcomes::default(), |sum, (_, outcomes)| sum.plus(*outcomes)),
        };
        (*motion, learned)
    };
    all.iter().map(of).collect()
}

/// Where every motion stands that ever left its band.
pub async fn drift_list(db: &impl Reads) -> Result<Vec<drift::Model>, Problem> {
    Ok(drift::Entity::find()
        .order_by_asc(drift::Column::Motion)
        .all(db)
        .await?)
}

/// Notes where a motion stands.
pub async fn drift_save(tx: &Tx, drift: drift::Model) -> Result<(), Problem> {
    upsert::<drift::Entity>(tx, vec![drift]).await
}

/// Stores a reaction as its fact stands now.
pub async fn reaction_save(tx: &Tx, reaction: reaction::Model) -> Result<(), Problem> {
    upsert::<reaction::Entity>(tx, vec![reaction]).await
}

/// Messages by playbook and segment, with those that did harm.
pub async fn messages_watch(db: &impl Reads, spans: Spans) -> Result<Vec<Watched>, Problem> {
    let long = |span: SignedDuration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let (recent, before) = (long(spans.recent), long(spans.before));
    let ago = |span: i64| micros(spans.now).saturating_sub(span);
    let values = [ago(before), ago(recent), long(spans.heard), recent].map(Into::into);
    let statement = Statement::from_sql_and_values(db.get_database_backend(), WATCH, values);
    let mut all: BTreeMap<(String, String), Watched> = BTreeMap::new();
    for row in WatchedRow::find_by_statement(statement).all(db).await? {
        let key = (row.playbook.clone(), row.segment.clone());
        let watched = all.entry(key).or_insert_with(|| Watched {
            playbook: row.playbook,
            segment: row.segment,
            recent: Tally::default(),
            before: Tally::default(),
        });
        let tally = if row.recent == 1 {
            &mut watched.recent
        } else {
            &mut watched.before
        };
        *tally = Tally {
            sent: u32::try_from(row.sent).unwrap_or(u32::MAX),
            harmed: u32::try_from(row.harmed).unwrap_or(u32::MAX),
        };
    }
    Ok(all.into_values().collect())
}
