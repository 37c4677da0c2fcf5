//! The chain of decisions, and what they were made from (C-16).

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{CaseStatement, OnConflict},
};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
};
use uuid::Uuid;

use super::{
    Reads,
    entities::{decision, head, picture, rulebook},
    insert, upsert,
};
use crate::domain::decision::chain::GENESIS;

/// Keeps what decisions were made from. Errors: ALREADY_EXISTS.
pub async fn pictures_save(tx: &Tx, pictures: Vec<picture::Model>) -> Result<(), Problem> {
    insert::<picture::Entity>(tx, pictures).await
}

/// What a decision was made from.
pub async fn picture_fetch(db: &impl Reads, decision_id: Uuid) -> Result<Option<picture::Model>, Problem> {
    Ok(picture::Entity::find_by_id(decision_id).one(db).await?)
}

/// What these decisions were made from, in any order.
pub async fn picture_list(db: &impl Reads, decision_ids: &[Uuid]) -> Result<Vec<picture::Model>, Problem> {
    let found = picture::Entity::find().filter(picture::Column::DecisionId.is_in(decision_ids.iter().copied()));
    Ok(found.all(db).await?)
}

/// Keeps the rules of a version; those that are there stay.
pub async fn rulebook_keep(tx: &Tx, version: &str, document: String, now: Timestamp) -> Result<(), Problem> {
    let row = rulebook::ActiveModel {
        version: Set(version.to_owned()),
        document: Set(document),
        stored_at: Set(micros(now)),
    };
    let keep = OnConflict::column(rulebook::Column::Version).do_nothing().to_owned();
    let insert = rulebook::Entity::insert_many([row]).on_conflict(keep);
    insert.exec_without_returning(&**tx).await?;
    Ok(())
}

/// The rules of a version.
pub async fn rulebook_fetch(db: &impl Reads, version: &str) -> Result<Option<String>, Problem> {
    let found = rulebook::Entity::find_by_id(version).one(db).await?;
    Ok(found.map(|rulebook| rulebook.document))
}

/// Takes the lock of those who seal, and returns the end of the chain.
pub async fn chain_lock(tx: &Tx) -> Result<(i64, String), Problem> {
    let origin = head::Model {
        entries: 0,
        hash: GENESIS.to_owned(),
        signed_at: 0,
        signature: String::new(),
    };
    upsert::<head::Entity>(tx, vec![origin]).await?;
    let last = decision::Entity::find()
        .filter(decision::Column::Place.is_not_null())
        .order_by_desc(decision::Column::Place)
        .one(&**tx)
        .await?;
    Ok(last.map_or((0, GENESIS.to_owned()), |last| {
        (last.place.unwrap_or_default(), last.hash)
    }))
}

/// Up to `limit` decisions that are not in the chain yet, the oldest first.
pub async fn decision_list_unsealed(db: &impl Reads, limit: u64) -> Result<Vec<decision::Model>, Problem> {
    let found = decision::Entity::find().filter(decision::Column::Place.is_null());
    Ok(found
        .order_by_asc(decision::Column::DecidedAt)
        .order_by_asc(decision::Column::DecisionId)
        .limit(limit)
        .all(db)
        .await?)
}

/// How many are not in the chain yet.
pub async fn decision_count_unsealed(db: &impl Reads) -> Result<u64, Problem> {
    let found = decision::Entity::find().filter(decision::Column::Place.is_null());
    Ok(found.count(db).await?)
}

/// Puts decisions into the chain: id, place and hash of each.
pub async fn decisions_seal(tx: &Tx, seals: &[(Uuid, i64, String)]) -> Result<(), Problem> {
    let Some(last) = seals.last() else { return Ok(()) };
    // Few shapes of the statement: the last one is said again up to a power of two.
    let mut seals = seals.to_vec();
    seals.resize(seals.len().next_power_of_two(), last.clone());
    let ids: Vec<Uuid> = seals.iter().map(|(id, ..)| *id).collect();
    let (mut places, mut hashes) = (CaseStatement::new(), CaseStatement::new());
    for (id, place, hash) in seals {
        places = places.case(decision::Column::DecisionId.eq(id), place);
        hashes = hashes.case(decision::Column::DecisionId.eq(id), hash);
    }
    let update = decision::Entity::update_many()
        .col_expr(decision::Column::Place, places.into())
        .col_expr(decision::Column::Hash, hashes.into())
        .filter(decision::Column::DecisionId.is_in(ids));
    update.exec(&**tx).await?;
    Ok(())
}

/// Up to `limit` entries of the chain after `place`.
pub async fn decision_list_sealed(db: &impl Reads, place: i64, limit: u64) -> Result<Vec<decision::Model>, Problem> {
    let found = decision::Entity::find().filter(decision::Column::Place.gt(place));
    Ok(found.order_by_asc(decision::Column::Place).limit(limit).all(db).await?)
}

/// Keeps a signed head.
pub async fn head_save(tx: &Tx, head: head::Model) -> Result<(), Problem> {
    upsert::<head::Entity>(tx, vec![head]).await
}

/// Every signed head after `entries` up to `most`, by entries.
pub async fn head_list(db: &impl Reads, entries: i64, most: i64) -> Result<Vec<head::Model>, Problem> {
    let found = head::Entity::find()
        .filter(head::Column::Entries.gt(entries))
        .filter(head::Column::Entries.lte(most));
    Ok(found.order_by_asc(head::Column::Entries).all(db).await?)
}

/// Entries of the first head that has a signature.
pub async fn head_first_signed(db: &impl Reads) -> Result<Option<i64>, Problem> {
    let found = head::Entity::find().filter(head::Column::Signature.ne(""));
    let first = found.order_by_asc(head::Column::Entries).one(db).await?;
    Ok(first.map(|head| head.entries))
}

/// The newest signed head.
pub async fn head_last(db: &impl Reads) -> Result<Option<head::Model>, Problem> {
    let found = head::Entity::find().filter(head::Column::Entries.gt(0));
    Ok(found.order_by_desc(head::Column::Entries).one(db).await?)
}
