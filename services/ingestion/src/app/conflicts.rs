//! Decides conflicts (I-4): the recorded content is kept, or the refused one is recorded as a correction of it.

use upswell_runtime::{
    problem::Problem,
    requests::{self, Replay},
};

use super::{
    App,
    merges::Decision,
    record::{Command, locked_roots},
};
use crate::{
    api::convert::{decode, encode},
    domain::{fact::Fact, intake::Candidate, intake::Outcome},
    error::Refusal,
    store::{
        conflict::{Resolution, Resolved, StoredConflict, conflict_fetch, conflict_resolve},
        correction::corrections_fetch,
    },
};

const METHOD: &str = "upswell.ingestion.v1.IngestionService/ResolveConflict";

impl App {
    /// The conflict as decided. Errors: NOT_FOUND `CONFLICT_NOT_FOUND`; ABORTED `ETAG_MISMATCH`; FAILED_PRECONDITION
    /// `CONFLICT_NOT_REPLACEABLE`.
    pub(crate) async fn resolve(
        &self,
        decision: Decision,
        conflict_id: i64,
        etag: &str,
        resolution: Resolution,
    ) -> Result<StoredConflict, Problem> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let not_found = || Problem::from(Refusal::ConflictNotFound(conflict_id));
        let (id, fingerprint) = &decision.request;
        if let Replay::Stored(_) = requests::begin_request(&tx, METHOD, id, *fingerprint).await? {
            return conflict_fetch(&*tx, conflict_id).await?.ok_or_else(not_found);
        }
        let conflict = conflict_fetch(&*tx, conflict_id).await?.ok_or_else(not_found)?;
        let resolved = Resolved {
            resolution,
            actor: decision.actor.clone(),
            at: now,
            reason: decision.reason.clone(),
        };
        // The etag of an open conflict is known; who brings another one, or comes second, decides by what no longer is.
        if conflict.etag() != etag || !conflict_resolve(&tx, conflict_id, &resolved).await? {
            return Err(Refusal::EtagMismatch(conflict_id).into());
        }
        if resolution == Resolution::Replace {
            let (recorded, refused) = (decode(&conflict.recorded)?, decode(&conflict.refused)?);
            // What corrects it is judged one writer after the other, as in recording.
            locked_roots(&tx, &[&recorded.account_id], now).await?;
            let standing = corrections_fetch(&*tx, &[recorded.key()]).await?.counts(&recorded);
            let fact = replacement(conflict_id, &recorded, refused, standing)?;
            let command = command(fact);
            let outcomes = self.recorder.record_all(&tx, &[&command], now).await?;
            if outcomes != [[Outcome::Recorded]] {
                return Err(Refusal::ConflictNotReplaceable(conflict_id, "its correction is on record").into());
            }
        }
        requests::finish_request(&tx, METHOD, id, *fingerprint, &[], now).await?;
        let decided = conflict_fetch(&*tx, conflict_id).await?.ok_or_else(not_found)?;
        tx.commit().await?;
        Ok(decided)
    }
}

/// The refused content as a fact of its own that corrects the recorded one. Its id is derived from the conflict.
fn replacement(conflict_id: i64, recorded: &Fact, refused: Fact, standing: bool) -> Result<Fact, Problem> {
    let refuse = |why| Err(Refusal::ConflictNotReplaceable(conflict_id, why).into());
    if recorded.account_id != refused.account_id {
        return refuse("the contents are about different accounts");
    }
    if recorded.supersedes_external_id != refused.supersedes_external_id {
        return refuse("the contents correct different facts");
    }
    if !standing {
        return refuse("the recorded content was corrected meanwhile");
    }
    Ok(Fact {
        external_id: format!("upswell:replace:{conflict_id}"),
        supersedes_external_id: recorded.external_id.clone(),
        ..refused
    })
}

fn command(fact: Fact) -> Command {
    let (payload, hash) = encode(&fact);
    let candidate = Candidate {
        index: 0,
        fact,
        payload,
        hash,
    };
    Command {
        request: None,
        facts: vec![Ok(candidate)],
        span: tracing::Span::current(),
    }
}
