//! Local copies of accounts.

use jiff::tz::TimeZone;
use sea_orm::EntityTrait;
use upswell_runtime::{db::Tx, problem::Problem};

use super::{Reads, entities::account, upsert};
use crate::domain::{account::Account, risk::ChurnRisk};

/// What is known of the account.
pub async fn account_fetch(db: &impl Reads, account_id: &str) -> Result<Account, Problem> {
    let row = account::Entity::find_by_id(account_id).one(db).await?;
    row.map_or(Ok(Account::unknown()), read)
}

/// Stores the account as it stands now.
pub async fn account_save(tx: &Tx, account_id: &str, account: &Account) -> Result<(), Problem> {
    let Account {
        time_zone,
        owner_id,
        churn_risk,
    } = account;
    let row = account::Model {
        account_id: account_id.to_owned(),
        time_zone: time_zone.iana_name().unwrap_or("UTC").to_owned(),
        owner_id: owner_id.clone(),
        churn_risk: churn_risk.map(|risk| risk.millionths().into()),
    };
    upsert::<account::Entity>(tx, vec![row]).await
}

pub(super) fn read(row: account::Model) -> Result<Account, Problem> {
    let account::Model {
        account_id: _,
        time_zone,
        owner_id,
        churn_risk,
    } = row;
    let risk = |stored: i64| u32::try_from(stored).ok().and_then(ChurnRisk::from_millionths);
    Ok(Account {
        time_zone: TimeZone::get(&time_zone).map_err(Problem::internal)?,
        owner_id,
        churn_risk: churn_risk.and_then(risk),
    })
}
