//! Local copies of accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use sea_orm::{
    ColumnTrait as _, EntityTrait, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use upswell_runtime::{
    db::{Tx, epoch_day, from_epoch_day},
    problem::Problem,
};

use super::{Reads, entities::account, upsert};
use crate::domain::{account::Account, risk::ChurnRisk};

/// What is known of the account.
pub async fn account_fetch(db: &impl Reads, account_id: &str) -> Result<Account, Problem> {
    let row = account::Entity::find_by_id(account_id).one(db).await?;
    row.map_or(Ok(Account::unknown()), read)
}

/// What is known of these accounts; unknown ones are left out.
pub async fn accounts_fetch(
    db: &impl Reads,
    account_ids: BTreeSet<&str>,
) -> Result<BTreeMap<String, Account>, Problem> {
    let rows = account::Entity::find().filter(account::Column::AccountId.is_in(account_ids));
    let known = rows.all(db).await?.into_iter();
    known.map(|row| Ok((row.account_id.clone(), read(row)?))).collect()
}

/// Stores the account as it stands now; its care has to be looked at.
pub async fn account_save(tx: &Tx, account_id: &str, account: &Account) -> Result<(), Problem> {
    upsert::<account::Entity>(tx, vec![row(account_id, account)]).await
}

fn row(account_id: &str, account: &Account) -> account::Model {
    let Account {
        time_zone,
        country,
        segment,
        customer_since,
        owner_id,
        churn_risk,
        health,
        open_critical,
    } = account;
    account::Model {
        account_id: account_id.to_owned(),
        time_zone: time_zone.iana_name().unwrap_or("UTC").to_owned(),
        owner_id: owner_id.clone(),
        churn_risk: churn_risk.map(|risk| risk.millionths().into()),
        country: country.clone(),
        segment: segment.clone(),
        customer_since_on: customer_since.map(epoch_day),
        health: *health,
        open_critical: *open_critical,
        care_at: Some(0),
    }
}

pub(super) fn read(row: account::Model) -> Result<Account, Problem> {
    let account::Model {
        account_id: _,
        time_zone,
        owner_id,
        churn_risk,
        country,
        segment,
        customer_since_on,
        health,
        open_critical,
        care_at: _,
    } = row;
    let risk = |stored: i64| u32::try_from(stored).ok().and_then(ChurnRisk::from_millionths);
    Ok(Account {
        time_zone: TimeZone::get(&time_zone).map_err(Problem::internal)?,
        country,
        segment,
        customer_since: customer_since_on.map(from_epoch_day),
        owner_id,
        churn_risk: churn_risk.and_then(risk),
        health,
        open_critical,
    })
}

/// What is known of the account, with the lock of its row, which is made where there is none: who reads it to change it
/// sees what others wrote before, and they wait.
pub async fn account_lock(tx: &Tx, account_id: &str) -> Result<Account, Problem> {
    let nothing = account::Model {
        care_at: None,
        ..row(account_id, &Account::unknown())
    };
    let conflict = OnConflict::column(account::Column::AccountId).do_nothing().to_owned();
    account::Entity::insert(nothing.into_active_model())
        .on_conflict(conflict)
        .exec_without_returning(&**tx)
        .await?;
    let locked = account::Entity::find_by_id(account_id)
        .lock_exclusive()
        .one(&**tx)
        .await?;
    locked.map_or(Ok(Account::unknown()), read)
}

/// Notes that the care of the accounts has to be looked at. Their rows are locked in the order of their ids, as
/// everybody does.
pub async fn care_due(tx: &Tx, account_ids: &BTreeSet<&str>) -> Result<(), Problem> {
    if account_ids.is_empty() {
        return Ok(());
    }
    accounts_lock(tx, account_ids.iter().copied()).await?;
    let update = account::Entity::update_many()
        .col_expr(account::Column::CareAt, Expr::value(0_i64))
        .filter(account::Column::AccountId.is_in(account_ids.iter().copied()));
    update.exec(&**tx).await?;
    Ok(())
}

/// Takes the row locks of the accounts in the order of their ids; whoever changes their care does so first, and whoever
/// changes renewals, too, has locked the subscriptions before (see [`super::subscriptions_lock`]).
pub async fn accounts_lock<'a>(tx: &Tx, account_ids: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
    let rows = account::Entity::find()
        .select_only()
        .column(account::Column::AccountId)
        .filter(account::Column::AccountId.is_in(account_ids))
        .order_by_asc(account::Column::AccountId);
    let _locked: Vec<String> = rows.lock_exclusive().into_tuple().all(&**tx).await?;
    Ok(())
}
