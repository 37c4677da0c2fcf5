//! Accounts that are one count together, and two again count alone (I-3). The touches stay with the account they were
//! made to, so that an undone merge leaves nothing behind; what counts together is said by the row that is locked before
//! anything is counted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upswell_runtime::{db::Tx, problem::Problem};

use super::{Cause, LedgerCtx, recheck_in};
use crate::{
    domain::ledger::Touch,
    store::{accounts, entities::merge, ledger as store, merges},
};

/// Makes `part_id` count with `account_id` and returns the reservations that cannot stand beside each other any more: the
/// offers they carried have to be deferred again. Telling it again changes nothing.
pub async fn merge_in(tx: &Tx, ctx: &LedgerCtx, merge: merge::Model, now: Timestamp) -> Result<Vec<Touch>, Problem> {
    let root = merge.account_id.clone();
    regroup(tx, merge, now).await?;
    recheck_known(tx, ctx, &root, Cause::Merged, now).await
}

/// Makes the two count alone again. Nothing is taken back: what either may do now, it may do by itself.
pub async fn unmerge_in(tx: &Tx, ctx: &LedgerCtx, merge: merge::Model, now: Timestamp) -> Result<(), Problem> {
    let both = [merge.account_id.clone(), merge.part_id.clone()];
    regroup(tx, merge, now).await?;
    for account_id in both {
        // Fewer renewals than before: reservations record by which date they stand now.
        recheck_known(tx, ctx, &account_id, Cause::RenewalMoved, now).await?;
    }
    Ok(())
}

/// Stores the merge and says for everybody around it who counts with whom.
async fn regroup(tx: &Tx, merge: merge::Model, now: Timestamp) -> Result<(), Problem> {
    let both = BTreeSet::from([merge.account_id.clone(), merge.part_id.clone()]);
    let families = store::account_touch_lock(tx, &both, now).await?;
    let around: BTreeSet<String> = families.into_values().flat_map(|family| family.members).collect();
    let around: Vec<String> = around.into_iter().collect();
    merges::merge_save(tx, merge).await?;
    let standing = merges::merge_list_among(&**tx, &around).await?;
    let into: BTreeMap<&str, &str> = standing
        .iter()
        .map(|merge| (merge.part_id.as_str(), merge.account_id.as_str()))
        .collect();
    let mut by_root: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for account_id in &around {
        by_root
            .entry(root_of(account_id, &into))
            .or_default()
            .push(account_id.clone());
    }
    for (root, members) in by_root {
        let root = if members.len() > 1 { root } else { "" };
        store::account_touch_root_set(tx, &members, root).await?;
    }
    Ok(())
}

/// Follows the merges to the account that goes on; a circle, which ingestion does not make, ends where it began.
fn root_of<'a>(account_id: &'a str, into: &BTreeMap<&'a str, &'a str>) -> &'a str {
    let mut root = account_id;
    for _ in 0..=into.len() {
        match into.get(root) {
            Some(next) => root = next,
            None => return root,
        }
    }
    account_id
}

async fn recheck_known(
    tx: &Tx,
    ctx: &LedgerCtx,
    account_id: &str,
    cause: Cause,
    now: Timestamp,
) -> Result<Vec<Touch>, Problem> {
    if !accounts::account_exists(&**tx, account_id).await? {
        return Ok(Vec::new());
    }
    recheck_in(tx, ctx, account_id, cause, now).await
}
