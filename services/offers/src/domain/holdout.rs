//! The control group (C-12): stratified by segment, plan, revenue quartile and renewal quarter, drawn without chance,
//! assigned once and never again within an epoch.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use upswell_runtime::{ids, money::Money};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Share of the accounts that is held out, in hundredths of a percent: 1,250 is 12.5 %. Zero holds out nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldoutShare(u32);

/// An account as far as the draw sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account_id: String,
    /// Its segment.
    pub segment: String,
    /// Its plan; empty without one.
    pub plan: String,
    /// Its monthly revenue.
    pub mrr: Option<Money>,
    /// Its next renewal.
    pub renewal: Option<Date>,
}

/// The arm of an account in an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// The account.
    pub account_id: String,
    /// It gets no automatic offers.
    pub holdout: bool,
    /// `segment/plan/revenue quartile/renewal quarter`, as it was when the arm was drawn.
    pub stratum: String,
    /// The epoch.
    pub epoch: i32,
}

impl HoldoutShare {
    /// From a fraction 0 to 1; none outside it.
    pub fn from_fraction(share: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 10,000 by the check above"
        )]
        Some(Self((share * 10_000.0).round() as u32))
    }

    /// How many of `accounts` are held out, rounded half up.
    pub fn quota(self, accounts: usize) -> usize {
        (accounts * self.0 as usize + 5_000) / 10_000
    }
}

/// Draws arms for the members that have none in `epoch`; `drawn` are the arms of the epoch so far. Returns the new
/// arms by account id. The whole group is brought as near to the quota as the new members allow; within that every
/// stratum gets its share by largest remainder, and the hash of the account id decides who. The order of `members` and
/// `drawn` does not matter.
pub fn draw(members: &[Member], drawn: &[Arm], share: HoldoutShare, epoch: i32) -> Vec<Arm> {
    let known: BTreeSet<&str> = drawn.iter().map(|arm| arm.account_id.as_str()).collect();
    let quartiles = Quartiles::of(members);
    let mut strata: BTreeMap<String, Stratum<'_>> = BTreeMap::new();
    for arm in drawn {
        let stratum = strata.entry(arm.stratum.clone()).or_default();
        stratum.accounts += 1;
        stratum.held += usize::from(arm.holdout);
    }
    let mut fresh = BTreeMap::new();
    for member in members
        .iter()
        .filter(|member| !known.contains(member.account_id.as_str()))
    {
        fresh.insert(member.account_id.as_str(), member);
    }
    for (account_id, member) in &fresh {
        let stratum = strata.entry(quartiles.stratum(member)).or_default();
        stratum.accounts += 1;
        stratum
            .fresh
            .push((ids::derive("holdout", &[&epoch.to_string(), account_id]), account_id));
    }
    let held = drawn.iter().filter(|arm| arm.holdout).count();
    let wanted = share
        .quota(drawn.len() + fresh.len())
        .saturating_sub(held)
        .min(fresh.len());
    let quotas = apportion(&mut strata, share, wanted);
    let mut arms = Vec::with_capacity(fresh.len());
    for ((name, stratum), quota) in strata.iter().zip(quotas) {
        for (place, (_, account_id)) in stratum.fresh.iter().enumerate() {
            let arm = Arm {
                account_id: (*account_id).to_owned(),
                holdout: place < quota,
                stratum: name.clone(),
                epoch,
            };
            arms.push(arm);
        }
    }
    arms.sort_by(|a, b| a.account_id.cmp(&b.account_id));
    arms
}

#[derive(Default)]
struct Stratum<'a> {
    accounts: usize,
    held: usize,
    fresh: Vec<(Uuid, &'a str)>,
}

/// How many of the fresh members of each stratum are held out, `wanted` in all: first the whole part of what the
/// stratum lacks, then one more where the most is still lacking; of equals the smaller hash goes first.
fn apportion(strata: &mut BTreeMap<String, Stratum<'_>>, share: HoldoutShare, wanted: usize) -> Vec<usize> {
    let mut left = wanted;
    let mut quotas = Vec::with_capacity(strata.len());
    let mut lacks = Vec::with_capacity(strata.len());
    for stratum in strata.values_mut() {
        stratum.fresh.sort_unstable();
        // In hundredths of a percent of an account, so that nothing is lost to rounding.
        let due = stratum.accounts * share.0 as usize;
        let lack = due.saturating_sub(stratum.held * 10_000);
        let whole = (lack / 10_000).min(stratum.fresh.len()).min(left);
        left -= whole;
        quotas.push(whole);
        lacks.push(lack.saturating_sub(whole * 10_000));
    }
    let rooms: Vec<(usize, Option<Uuid>)> = strata
        .values()
        .map(|stratum| (stratum.fresh.len(), stratum.fresh.first().map(|(hash, _)| *hash)))
        .collect();
    while left > 0 {
        let open = (0..quotas.len()).filter(|index| quotas[*index] < rooms[*index].0);
        let Some(most) = open.min_by_key(|index| (std::cmp::Reverse(lacks[*index]), rooms[*index].1)) else {
            break;
        };
        quotas[most] += 1;
        lacks[most] = lacks[most].saturating_sub(10_000);
        left -= 1;
    }
    quotas
}

/// Bounds of the revenue quartiles, by currency.
struct Quartiles(BTreeMap<String, [i64; 3]>);

impl Quartiles {
    fn of(members: &[Member]) -> Self {
        let mut by_currency: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for mrr in members.iter().filter_map(|member| member.mrr) {
            by_currency.entry(mrr.currency.to_string()).or_default().push(mrr.minor);
        }
        let bounds = |mut minors: Vec<i64>| {
            minors.sort_unstable();
            [1, 2, 3].map(|quarter| minors[(minors.len() * quarter / 4).min(minors.len() - 1)])
        };
        Self(
            by_currency
                .into_iter()
                .map(|(currency, minors)| (currency, bounds(minors)))
                .collect(),
        )
    }

    fn stratum(&self, member: &Member) -> String {
        let quartile = member.mrr.and_then(|mrr| {
            let bounds = self.0.get(&mrr.currency.to_string())?;
            Some(1 + bounds.iter().filter(|bound| mrr.minor >= **bound).count())
        });
        let quartile = quartile.map_or_else(|| "-".to_owned(), |quartile| format!("r{quartile}"));
        let quarter = member.renewal.map_or_else(
            || "-".to_owned(),
            |date| format!("{}q{}", date.year(), (date.month() - 1) / 3 + 1),
        );
        let plan = if member.plan.is_empty() { "-" } else { &member.plan };
        format!("{}/{plan}/{quartile}/{quarter}", member.segment)
    }
}
