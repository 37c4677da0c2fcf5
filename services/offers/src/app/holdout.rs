//! Draws the arm of every account that has none in the epoch (C-12). Nothing is decided about an account before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use upswell_runtime::{db::micros, jobs::Job, problem::Problem};

use super::App;
use crate::{
    api::events,
    domain::{
        holdout::{Arm, HoldoutShare, Member, draw},
        vocabulary::SubscriptionKind,
    },
    store::{
        accounts, arms,
        entities::arm,
        pictures::{Loaded, pictures_load},
    },
};

/// Accounts whose pictures are loaded at once.
const BATCH: usize = 500;

/// Assigns arms.
pub struct AssignArms(pub(crate) Arc<App>);

#[async_trait]
impl Job for AssignArms {
    fn name(&self) -> &'static str {
        "offers.assign_arms"
    }

    /// Nothing is decided about an account before, so it is soon; and those that came together are drawn together.
    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let epoch = self.0.settings.holdout.epoch;
        if !arms::accounts_lack_arm(self.0.db.reader(), epoch).await? {
            return Ok(0);
        }
        self.0.assign_arms(epoch, now).await
    }
}

impl App {
    /// Everything is read before anybody is kept from writing. Should another process draw meanwhile, what it stored
    /// first stays.
    async fn assign_arms(&self, epoch: i32, now: Timestamp) -> Result<usize, Problem> {
        let reader = self.db.reader();
        let drawn: Vec<Arm> = arms::arm_list_all(reader, epoch)
            .await?
            .into_iter()
            .map(known)
            .collect();
        let all = accounts::account_list(reader).await?;
        let mut members = Vec::with_capacity(all.len());
        for batch in all.chunks(BATCH) {
            let loaded = pictures_load(reader, batch.to_vec(), epoch, now).await?;
            members.extend(loaded.iter().map(member));
        }
        let share = HoldoutShare::from_fraction(self.settings.holdout.share);
        let share = share.ok_or_else(|| Problem::internal("the share of the holdout was not checked"))?;
        let fresh: Vec<arm::Model> = draw(&members, &drawn, share, epoch)
            .into_iter()
            .map(|arm| row(arm, now))
            .collect();
        let tx = self.db.begin().await?;
        let stored = arms::arms_add(&tx, fresh).await?;
        self.tell(&tx, stored.iter().map(events::holdout_assigned).collect())
            .await?;
        tx.commit().await?;
        Ok(stored.len())
    }
}

fn member(loaded: &Loaded) -> Member {
    let picture = &loaded.picture;
    let plans = picture
        .subscriptions
        .iter()
        .filter(|line| line.kind == SubscriptionKind::Plan);
    let by_plan: BTreeMap<&str, ()> = plans.map(|plan| (plan.product.as_str(), ())).collect();
    Member {
        account_id: picture.account_id.clone(),
        segment: picture.profile.segment.clone(),
        plan: by_plan.into_keys().next().unwrap_or_default().to_owned(),
        mrr: picture.mrr,
        renewal: picture.calendar.renewal(),
    }
}

fn known(row: arm::Model) -> Arm {
    let arm::Model {
        epoch,
        account_id,
        holdout,
        stratum,
        assigned_at: _,
    } = row;
    Arm {
        account_id,
        holdout,
        stratum,
        epoch,
    }
}

fn row(arm: Arm, now: Timestamp) -> arm::Model {
    let Arm {
        account_id,
        holdout,
        stratum,
        epoch,
    } = arm;
    arm::Model {
        epoch,
        account_id,
        holdout,
        stratum,
        assigned_at: micros(now),
    }
}
