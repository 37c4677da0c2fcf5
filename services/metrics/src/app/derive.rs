//! What is derived of an account: its timeline, where it lies, and what it adds to the sums that are kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use upswell_runtime::{db::Tx, money::MoneyFault, problem::Problem};

use super::App;
use crate::{
    domain::{
        journey::Profile,
        kept::{Kept, Place},
        rules::{self, Rules},
        subscription::{self, Version},
        timeline::{Timeline, timeline_by},
    },
    error::MetricsError,
    store::{self, BySlice},
};

/// Accounts that are derived at a time when all are.
const ACCOUNTS_PER_PAGE: i64 = 2_000;
/// The largest MRR of an account, in minor units: sums of a million such accounts, and their products with days, stay
/// inside 64 bits only below it.
const MRR_MAX: i64 = 1_000_000_000_000_000;

/// Everything that is derived of one account.
struct Derived {
    timeline: Timeline,
    orders: BTreeSet<String>,
    place: Place,
}

impl App {
    /// Derives the account anew and writes only what differs. Errors: INVALID_ARGUMENT `MRR_OUT_OF_RANGE`.
    pub(super) async fn refresh(&self, tx: &Tx, account_id: &str) -> Result<(), MetricsError> {
        store::kept_lock(tx).await?;
        let (timeline, orders) = store::timeline_fetch(&**tx, account_id).await?;
        let place = store::place_fetch(&**tx, account_id).await?;
        let versions = store::version_list(&**tx, account_id).await?;
        if versions.is_empty() && place.is_none() {
            return Ok(());
        }
        let profile = store::profile_fetch(&**tx, account_id).await?;
        let known = store::order_ids(&**tx, account_id).await?;
        let now = derive(&versions, known, &profile, self.revenue.rules())?;
        let is_placed = place.as_ref() == Some(&now.place);
        let before = Derived {
            timeline,
            orders,
            place: place.unwrap_or_default(),
        };
        store::timeline_replace(
            tx,
            account_id,
            (&before.timeline, &before.orders),
            (&now.timeline, &now.orders),
        )
        .await?;
        if !is_placed {
            store::place_upsert(tx, &[(account_id.to_owned(), now.place.clone())]).await?;
        }
        let mut sums = BySlice::new();
        before.add_to(&mut sums, -1);
        now.add_to(&mut sums, 1);
        sums.retain(|_, kept| *kept != Kept::default());
        Ok(store::kept_add(tx, &sums).await?)
    }

    /// Derives every account where that was never done, or was done under other rules; in one transaction, so that a
    /// kill leaves what was there. Memory holds one page of accounts and the sums. Errors: what a bad account gives.
    pub async fn derive_all_if_needed(&self) -> Result<bool, Problem> {
        let rules = fingerprint(self.revenue.rules())?;
        if store::state_fetch(self.db.reader()).await?.as_deref() == Some(rules.as_str()) {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        store::kept_lock(&tx).await?;
        // Another replica may have done it while this one waited.
        if store::state_fetch(&*tx).await?.as_deref() != Some(rules.as_str()) {
            self.derive_all(&tx).await?;
            store::state_put(&tx, &rules, self.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Derives every account, whatever was there; in one transaction.
    pub(super) async fn derive_all_now(&self) -> Result<(), Problem> {
        let rules = fingerprint(self.revenue.rules())?;
        let tx = self.db.begin().await?;
        store::kept_lock(&tx).await?;
        self.derive_all(&tx).await?;
        store::state_put(&tx, &rules, self.clock.now()).await?;
        tx.commit().await
    }

    async fn derive_all(&self, tx: &Tx) -> Result<(), MetricsError> {
        store::timeline_clear(tx).await?;
        store::kept_clear(tx).await?;
        let mut sums = BySlice::new();
        let mut after = String::new();
        loop {
            let page = store::account_page(&**tx, &after, ACCOUNTS_PER_PAGE).await?;
            let Some(last) = page.last().cloned() else { break };
            let derived = self.derive_page(tx, &after, &last).await?;
            for (_, account) in &derived {
                account.add_to(&mut sums, 1);
            }
            let places: Vec<_> = derived
                .iter()
                .map(|(id, account)| (id.clone(), account.place.clone()))
                .collect();
            store::place_upsert(tx, &places).await?;
            let timelines = derived
                .into_iter()
                .map(|(id, account)| (id, account.timeline, account.orders));
            store::timeline_insert(tx, &timelines.collect::<Vec<_>>()).await?;
            after = last;
        }
        Ok(store::kept_add(tx, &sums).await?)
    }

    /// The accounts after `after`, up to and with `last`.
    async fn derive_page(&self, tx: &Tx, after: &str, last: &str) -> Result<Vec<(String, Derived)>, MetricsError> {
        let mut versions: BTreeMap<String, Vec<Version>> = BTreeMap::new();
        for (account_id, version) in store::version_range(&**tx, after, last).await? {
            versions.entry(account_id).or_default().push(version);
        }
        let profiles = store::profile_range(&**tx, after, last).await?;
        let mut profiles: BTreeMap<String, Profile> = profiles
            .into_iter()
            .map(|profile| (profile.account_id.clone(), profile))
            .collect();
        let mut orders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (account_id, order_id) in store::order_range(&**tx, after, "", last).await? {
            orders.entry(account_id).or_default().insert(order_id);
        }
        let rules = self.revenue.rules();
        let derived = versions.into_iter().map(|(account_id, versions)| {
            let profile = profiles.remove(&account_id).unwrap_or_default();
            let known = orders.remove(&account_id).unwrap_or_default();
            let derived = derive(&versions, known, &profile, rules).map_err(|fault| named(fault, &account_id))?;
            Ok((account_id, derived))
        });
        derived.collect()
    }
}

impl Derived {
    fn add_to(&self, sums: &mut BySlice, sign: i64) {
        let kept = Kept::of(&self.timeline, &self.orders);
        if kept != Kept::default() {
            for (dimension, slice) in self.place.slices() {
                sums.entry((dimension, slice.to_owned()))
                    .or_default()
                    .merge(&kept, sign);
            }
        }
    }
}

fn derive(
    versions: &[Version],
    known: BTreeSet<String>,
    profile: &Profile,
    rules: Rules,
) -> Result<Derived, MetricsError> {
    let refused = |fault| MetricsError::AccountMrr {
        account_id: profile.account_id.clone(),
        fault,
    };
    let timeline = timeline_by(versions, rules).map_err(refused)?;
    if timeline.levels.iter().any(|level| level.mrr.minor > MRR_MAX) {
        return Err(refused(MoneyFault::Overflow));
    }
    let of_timeline = |order: &String| timeline.movements.iter().any(|m| m.order_id.as_ref() == Some(order));
    let orders = known.into_iter().filter(of_timeline).collect();
    let place = Place {
        segment: profile.segment.clone(),
        plan: subscription::plan(versions),
        country: profile.country.clone(),
        cohort: cohort(&timeline, profile, rules)
            .map(|day| day.strftime("%Y-%m").to_string())
            .unwrap_or_default(),
    };
    Ok(Derived {
        timeline,
        orders,
        place,
    })
}

fn cohort(timeline: &Timeline, profile: &Profile, rules: Rules) -> Option<Date> {
    let first = timeline.levels.iter().map(|level| level.from).min();
    match rules.cohort {
        rules::Cohort::SignUp => profile.customer_since.or(first),
        rules::Cohort::FirstMrr => first,
    }
}

/// The rules that decide what is stored; the others are applied when it is read.
fn fingerprint(rules: Rules) -> Result<String, Problem> {
    let stored = (rules.churn_day, rules.reactivation, rules.cohort);
    serde_json::to_string(&stored).map_err(Problem::internal)
}

fn named(fault: MetricsError, id: &str) -> MetricsError {
    match fault {
        MetricsError::AccountMrr { fault, .. } => MetricsError::AccountMrr {
            account_id: id.to_owned(),
            fault,
        },
        other => other,
    }
}
