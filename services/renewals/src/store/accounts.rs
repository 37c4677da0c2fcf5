//! Local copies of accounts.

use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait as _, EntityTrait, QueryFilter as _, sea_query::Expr};
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

/// Stores the account as it stands now; its care has to be looked at.
pub async fn account_save(tx: &Tx, account_id: &str, account: &Account) -> Result<(), Problem> {
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
    let row = account::Model {
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
    };
    upsert::<account::Entity>(tx, vec![row]).await
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

/// Notes that the care of the account has to be looked at.
pub async fn care_due(tx: &Tx, account_id: &str) -> Result<(), Problem> {
    let update = account::Entity::update_many()
        .col_expr(account::Column::CareAt, Expr::value(0_i64))
        .filter(account::Column::AccountId.eq(account_id));
    update.exec(&**tx).await?;
    Ok(())
}
