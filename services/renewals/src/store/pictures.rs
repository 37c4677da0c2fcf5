//! Renewals as a whole: everything that a decision needs is read in a handful of statements, however many they are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use upswell_runtime::{
    db::{Tx, micros},
    problem::Problem,
    telemetry::TraceContext,
};

use super::{
    Reads, accounts,
    entities::{account, add_on, deal, mark, subscription, task, version},
    rows::{deal_row, mark_row, read_deal, read_mark, read_task, read_version, task_row},
    upsert,
    work::read_add_on,
};
use crate::domain::{account::Account, contract::AddOn, renewal::Renewal};

/// A renewal and what its decisions depend on.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The renewal.
    pub renewal: Renewal,
    /// Its account.
    pub account: Account,
    /// The work that asked to look at it; empty when the calendar or a person did.
    pub trace: TraceContext,
}

/// A renewal before and after a decision.
#[derive(Clone, Debug)]
pub struct Settled {
    /// As it was read.
    pub before: Renewal,
    /// As it stands now.
    pub after: Renewal,
    /// When it has to be looked at again.
    pub check_at: Option<Timestamp>,
}

impl Settled {
    /// Other accounts to which its deals belonged before (I-3).
    pub fn came_from(&self) -> impl Iterator<Item = &str> {
        let before = self.before.deals.iter().map(|deal| deal.account_id.as_str());
        before.filter(|account_id| *account_id != self.after.account_id)
    }
}

/// These renewals, by subscription; unknown ones are left out.
pub async fn pictures_load(db: &impl Reads, subscription_ids: &[String]) -> Result<Vec<Picture>, Problem> {
    let subscriptions = subscription::Entity::find()
        .filter(subscription::Column::SubscriptionId.is_in(subscription_ids))
        .order_by_asc(subscription::Column::SubscriptionId)
        .all(db)
        .await?;
    let account_ids = subscriptions.iter().map(|row| row.account_id.as_str());
    let accounts = account::Entity::find()
        .filter(account::Column::AccountId.is_in(account_ids))
        .all(db)
        .await?;
    let accounts: BTreeMap<String, account::Model> =
        accounts.into_iter().map(|row| (row.account_id.clone(), row)).collect();
    let mut pictures = BTreeMap::new();
    for row in subscriptions {
        let account = accounts.get(&row.account_id).cloned();
        let picture = Picture {
            renewal: Renewal::new(row.subscription_id.as_str(), row.account_id),
            account: account.map_or(Ok(Account::unknown()), accounts::read)?,
            trace: TraceContext {
                traceparent: row.traceparent,
                tracestate: row.tracestate,
            },
        };
        pictures.insert(row.subscription_id, picture);
    }
    contracts_load(db, subscription_ids, &mut pictures).await?;
    add_ons_load(db, &mut pictures).await?;
    deals_load(db, subscription_ids, &mut pictures).await?;
    Ok(pictures.into_values().collect())
}

type Pictures = BTreeMap<String, Picture>;

async fn contracts_load(db: &impl Reads, ids: &[String], pictures: &mut Pictures) -> Result<(), Problem> {
    let versions = version::Entity::find()
        .filter(version::Column::SubscriptionId.is_in(ids))
        .order_by_asc(version::Column::VersionId)
        .all(db)
        .await?;
    for row in versions {
        if let Some(picture) = pictures.get_mut(&row.subscription_id) {
            picture.renewal.versions.push(read_version(row)?);
        }
    }
    Ok(())
}

async fn add_ons_load(db: &impl Reads, pictures: &mut Pictures) -> Result<(), Problem> {
    let accounts: BTreeSet<String> = pictures
        .values()
        .map(|picture| picture.renewal.account_id.clone())
        .collect();
    let rows = add_on::Entity::find()
        .filter(add_on::Column::AccountId.is_in(accounts))
        .order_by_asc(add_on::Column::VersionId)
        .all(db)
        .await?;
    let mut by_account: BTreeMap<String, Vec<AddOn>> = BTreeMap::new();
    for row in rows {
        by_account
            .entry(row.account_id.clone())
            .or_default()
            .push(read_add_on(row)?);
    }
    for picture in pictures.values_mut() {
        if let Some(add_ons) = by_account.get(&picture.renewal.account_id) {
            picture.renewal.add_ons.clone_from(add_ons);
        }
    }
    Ok(())
}

async fn deals_load(db: &impl Reads, ids: &[String], pictures: &mut Pictures) -> Result<(), Problem> {
    let deals = deal::Entity::find()
        .filter(deal::Column::SubscriptionId.is_in(ids))
        .order_by_asc(deal::Column::SubscriptionId)
        .order_by_asc(deal::Column::Number)
        .all(db)
        .await?;
    let owners: BTreeMap<&str, &str> = deals
        .iter()
        .map(|row| (row.deal_id.as_str(), row.subscription_id.as_str()))
        .collect();
    let deal_ids: Vec<&str> = owners.keys().copied().collect();
    let tasks = task::Entity::find().filter(task::Column::DealId.is_in(deal_ids.clone()));
    let tasks = tasks
        .order_by_asc(task::Column::DueOn)
        .order_by_asc(task::Column::TaskId)
        .all(db)
        .await?;
    let marks = mark::Entity::find().filter(mark::Column::DealId.is_in(deal_ids));
    let marks = marks
        .order_by_asc(mark::Column::ReachedOn)
        .order_by_asc(mark::Column::DealId)
        .all(db)
        .await?;
    for row in &deals {
        if let Some(picture) = pictures.get_mut(&row.subscription_id) {
            picture.renewal.deals.push(read_deal(row)?);
        }
    }
    for row in tasks {
        if let Some(picture) = owners.get(row.deal_id.as_str()).and_then(|id| pictures.get_mut(*id)) {
            picture.renewal.tasks.push(read_task(row)?);
        }
    }
    for row in &marks {
        if let Some(picture) = owners.get(row.deal_id.as_str()).and_then(|id| pictures.get_mut(*id)) {
            picture.renewal.marks.push(read_mark(row)?);
        }
    }
    Ok(())
}

/// Writes what changed, and when to look again.
pub async fn settled_save(tx: &Tx, settled: &[Settled]) -> Result<(), Problem> {
    let (mut deals, mut tasks, mut marks, mut checks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in settled {
        let Settled {
            before,
            after,
            check_at,
        } = one;
        for deal in after.deals.iter().filter(|deal| !before.deals.contains(deal)) {
            deals.push(deal_row(after, deal)?);
        }
        let moved = one.came_from().next().is_some();
        tasks.extend(
            after
                .tasks
                .iter()
                .filter(|task| moved || !before.tasks.contains(task))
                .map(|task| task_row(&after.account_id, task)),
        );
        marks.extend(
            after
                .marks
                .iter()
                .filter(|mark| !before.marks.contains(mark))
                .map(mark_row),
        );
        checks.push(check_row(after, *check_at));
    }
    upsert::<deal::Entity>(tx, deals).await?;
    upsert::<task::Entity>(tx, tasks).await?;
    upsert::<mark::Entity>(tx, marks).await?;
    upsert::<subscription::Entity>(tx, checks).await
}

fn check_row(renewal: &Renewal, check_at: Option<Timestamp>) -> subscription::Model {
    subscription::Model {
        subscription_id: renewal.subscription_id.clone(),
        account_id: renewal.account_id.clone(),
        check_at: check_at.map(micros),
        traceparent: String::new(),
        tracestate: String::new(),
    }
}

/// The subscription of a deal, if there is such a deal.
pub async fn deal_subscription_fetch(db: &impl Reads, deal_id: &str) -> Result<Option<String>, Problem> {
    let found = deal::Entity::find_by_id(deal_id)
        .select_only()
        .column(deal::Column::SubscriptionId);
    Ok(found.into_tuple().one(db).await?)
}

/// The deal, onboarding plan or review of a task, if there is such a task.
pub async fn task_subject_fetch(db: &impl Reads, task_id: &str) -> Result<Option<String>, Problem> {
    let found = task::Entity::find_by_id(task_id)
        .select_only()
        .column(task::Column::DealId);
    Ok(found.into_tuple().one(db).await?)
}
