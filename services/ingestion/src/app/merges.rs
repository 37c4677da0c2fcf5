//! Makes accounts one, and two again: lock → check → note → tell → commit.

use jiff::Timestamp;
use upswell_runtime::{
    db::Tx,
    ids, outbox,
    problem::Problem,
    requests::{self, Replay},
};

use super::{App, pictures::documents};
use crate::{
    NAME,
    api::{convert, events},
    domain::{
        change::{Change, retold},
        fact::AccountProfile,
        merge::{Merge, Roots, Undone, united},
        name::similarity_percent,
        words::Kind,
    },
    error::Refusal,
    store::{
        account::{Lookalike, account_is_named, accounts_fetch, accounts_lock, lookalikes_list, profiles_write},
        document::documents_fetch,
        merge::{merge_fetch, merge_insert, merge_undo, merges_list, roots_fetch},
    },
};

const MERGE: &str = "upswell.ingestion.v1.IngestionService/MergeAccounts";
const UNMERGE: &str = "upswell.ingestion.v1.IngestionService/UnmergeAccounts";
/// Names less alike than this are no suggestion.
const ALIKE_PERCENT: u8 = 60;
/// What is told again when an account changes hands: states, and versions of terms.
const RETOLD: [Kind; 4] = [
    Kind::AccountProfile,
    Kind::ContactProfile,
    Kind::Ticket,
    Kind::Subscription,
];

/// Who asks for what, and by which request.
pub(crate) struct Decision {
    pub(crate) request: (String, [u8; 32]),
    pub(crate) actor: String,
    pub(crate) reason: String,
}

impl App {
    /// Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`; FAILED_PRECONDITION `ACCOUNT_MERGED`.
    pub(crate) async fn merge(&self, decision: Decision, account_id: &str, part: &str) -> Result<Merge, Problem> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        if let Some(merge) = replayed(&tx, MERGE, &decision).await? {
            return Ok(merge);
        }
        self.both_known(&tx, account_id, part).await?;
        lock(&tx, &[account_id, part], now).await?;
        let roots = roots_fetch(&*tx, &[account_id, part]).await?;
        for account in [account_id, part] {
            if roots.is_part(account) {
                return Err(Refusal::AccountMerged(account.to_owned(), roots.root(account).to_owned()).into());
            }
        }
        let (request_id, _) = &decision.request;
        let merge = Merge {
            merge_id: ids::derive("merge", &[account_id, part, request_id]).to_string(),
            account_id: account_id.to_owned(),
            merged_account_id: part.to_owned(),
            actor: decision.actor.clone(),
            at: now,
            reason: decision.reason.clone(),
            undone: None,
        };
        merge_insert(&tx, &merge).await?;
        outbox::append(
            &tx,
            NAME,
            self.recorder.topics(),
            vec![events::merged(account_id, &merge, now)],
        )
        .await?;
        self.tell_again(&tx, account_id, now).await?;
        settle(tx, MERGE, &decision, merge, now).await
    }

    /// Errors: NOT_FOUND `MERGE_NOT_FOUND`; FAILED_PRECONDITION `MERGE_UNDONE`.
    pub(crate) async fn unmerge(&self, decision: Decision, merge_id: &str) -> Result<Merge, Problem> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        if let Some(merge) = replayed(&tx, UNMERGE, &decision).await? {
            return Ok(merge);
        }
        let not_found = || Problem::from(Refusal::MergeNotFound(merge_id.to_owned()));
        let merge = merge_fetch(&*tx, merge_id).await?.ok_or_else(not_found)?;
        let before = roots_fetch(&*tx, &[&merge.account_id]).await?;
        let root = before.root(&merge.account_id).to_owned();
        lock(&tx, &[&root, &merge.account_id, &merge.merged_account_id], now).await?;
        let undone = Undone {
            actor: decision.actor.clone(),
            at: now,
            reason: decision.reason.clone(),
        };
        if !merge_undo(&tx, merge_id, &undone).await? {
            return Err(Refusal::MergeUndone(merge_id.to_owned()).into());
        }
        outbox::append(
            &tx,
            NAME,
            self.recorder.topics(),
            vec![events::unmerged(&root, &merge, now)],
        )
        .await?;
        self.tell_again(&tx, &root, now).await?;
        self.tell_again(&tx, &merge.merged_account_id, now).await?;
        let merge = Merge {
            undone: Some(undone),
            ..merge
        };
        settle(tx, UNMERGE, &decision, merge, now).await
    }

    async fn both_known(&self, tx: &Tx, account_id: &str, part: &str) -> Result<(), Problem> {
        let known = accounts_fetch(&**tx, &[account_id, part]).await?;
        for account in [account_id, part] {
            if !known.iter().any(|(id, _)| id == account) {
                return Err(Refusal::AccountNotFound(account.to_owned()).into());
            }
        }
        Ok(())
    }

    /// Tells all states of an account and its parts under its id.
    async fn tell_again(&self, tx: &Tx, root: &str, now: Timestamp) -> Result<(), Problem> {
        let roots = roots_fetch(&**tx, &[root]).await?;
        let all = documents(documents_fetch(&**tx, &roots.with_parts(&[root]), &RETOLD, None).await?)?;
        let mut changes = retold(united(root, &all));
        let told = changes.iter().any(|change| matches!(change, Change::Profile(_)));
        if !told && account_is_named(&**tx, root).await? {
            // The profile that was known went with a part.
            changes.insert(0, Change::Profile(AccountProfile::unknown()));
        }
        let profile = changes.iter().find_map(|change| match change {
            Change::Profile(profile) => Some(profile),
            _ => None,
        });
        profiles_write(tx, &profile.map(|profile| (root, profile)).into_iter().collect(), now).await?;
        let events = changes.iter().map(|change| events::event(root, change, now));
        outbox::append(tx, NAME, self.recorder.topics(), events.collect()).await
    }

    /// Up to `limit` merges before number `before`, the newest first.
    pub(crate) async fn merges(&self, account_id: &str, before: i64, limit: u64) -> Result<Vec<(i64, Merge)>, Problem> {
        merges_list(self.db.reader(), account_id, before, limit).await
    }

    /// Up to `limit` pairs after key `after` whose names share their skeleton, and how alike the names are; pairs of
    /// names that are not alike are looked at and left out.
    pub(crate) async fn lookalikes(&self, after: &str, limit: u64) -> Result<Vec<(Lookalike, Option<u8>)>, Problem> {
        let found = lookalikes_list(self.db.reader(), after, limit).await?;
        let judged = found.into_iter().map(|pair| {
            let percent = similarity_percent(&pair.first_key, &pair.other_key);
            (pair, (percent >= ALIKE_PERCENT).then_some(percent))
        });
        Ok(judged.collect())
    }

    /// Who stands for whom around the account.
    pub(crate) async fn roots(&self, account_ids: &[&str]) -> Result<Roots, Problem> {
        roots_fetch(self.db.reader(), account_ids).await
    }
}

/// Locks the rows in one order, so that no two writers wait for each other.
async fn lock(tx: &Tx, account_ids: &[&str], now: Timestamp) -> Result<(), Problem> {
    let sorted: std::collections::BTreeSet<&str> = account_ids.iter().copied().collect();
    accounts_lock(tx, &sorted.into_iter().collect::<Vec<_>>(), now).await
}

async fn replayed(tx: &Tx, method: &str, decision: &Decision) -> Result<Option<Merge>, Problem> {
    let (id, fingerprint) = &decision.request;
    match requests::begin_request(tx, method, id, *fingerprint).await? {
        Replay::New => Ok(None),
        Replay::Stored(answer) => Ok(Some(convert::decode_merge(&answer)?)),
    }
}

async fn settle(tx: Tx, method: &str, decision: &Decision, merge: Merge, now: Timestamp) -> Result<Merge, Problem> {
    let (id, fingerprint) = &decision.request;
    let answer = convert::encode_merge(&merge);
    requests::finish_request(&tx, method, id, *fingerprint, &answer, now).await?;
    tx.commit().await?;
    Ok(merge)
}
