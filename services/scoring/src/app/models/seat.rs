//! People put models in use and take them out; the next scoring follows.

use upswell_runtime::{
    problem::Problem,
    requests::{Replay, begin_request, finish_request},
};

use super::{Made, ModelApp, not_found};
use crate::{domain::model::history::Kind, store};

/// What stands as the etag of a kind without a model in use.
const RULES: &str = "rules";

/// Who asks for a change, by request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// A UUID of the caller's.
    pub request_id: String,
    /// Of the request without its id.
    pub fingerprint: [u8; 32],
    /// What the caller saw in use; empty for whatever is.
    pub etag: String,
    /// Who.
    pub actor: String,
}

impl ModelApp {
    /// What names the models in use of the two kinds, in the order of [`Kind::ALL`].
    pub async fn etags(&self) -> Result<[String; 2], Problem> {
        let in_use = store::models_in_use(self.0.db.reader()).await?;
        Ok(Kind::ALL.map(|kind| etag(&in_use, kind)))
    }

    /// Puts a model in use and returns the answer as `encode` writes it, or the answer given to the same request before.
    /// Errors: NOT_FOUND, ABORTED.
    pub async fn promote(
        &self,
        model_id: &str,
        change: &Change,
        encode: impl FnOnce(Made) -> Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        const METHOD: &str = "PromoteModel";
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        if let Replay::Stored(answer) = begin_request(&tx, METHOD, &change.request_id, change.fingerprint).await? {
            return Ok(answer);
        }
        let known = store::model_fetch(&*tx, model_id).await?;
        let made = known.ok_or_else(|| not_found("MODEL_NOT_FOUND", "model", model_id))?;
        check(&store::models_in_use(&*tx).await?, made.kind, change)?;
        store::model_use(&tx, made.kind, model_id, true, now).await?;
        tracing::info!(model.id = model_id, actor = change.actor, "a model was put in use");
        let answer = encode(Made {
            in_use: true,
            used_at: Some(now),
            drift: if made.in_use { made.drift } else { None },
            ..made
        });
        finish_request(&tx, METHOD, &change.request_id, change.fingerprint, &answer, now).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Returns to the model that was in use before, or to the rules; the answer as `encode` writes it, or the answer given
    /// to the same request before. Errors: FAILED_PRECONDITION without a former one, ABORTED.
    pub async fn rollback(
        &self,
        kind: Kind,
        to_rules: bool,
        change: &Change,
        encode: impl FnOnce(Option<Made>) -> Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        const METHOD: &str = "RollbackModel";
        let now = self.0.clock.now();
        let tx = self.0.db.begin().await?;
        if let Replay::Stored(answer) = begin_request(&tx, METHOD, &change.request_id, change.fingerprint).await? {
            return Ok(answer);
        }
        check(&store::models_in_use(&*tx).await?, kind, change)?;
        let answer = if to_rules {
            store::model_retire(&tx, kind).await?;
            store::fallback_upsert(&tx, kind, &format!("{} put the rules in use", change.actor)).await?;
            encode(None)
        } else {
            let former = store::model_fetch_former(&*tx, kind).await?.ok_or_else(|| {
                let message = format!("no other model of {} was in use before", kind.as_str());
                Problem::failed_precondition("NO_FORMER_MODEL", message)
            })?;
            store::model_use(&tx, kind, &former.model_id, false, now).await?;
            encode(Some(Made {
                in_use: true,
                used_at: Some(now),
                drift: None,
                ..former
            }))
        };
        tracing::info!(
            model.kind = kind.as_str(),
            actor = change.actor,
            "a model was rolled back"
        );
        finish_request(&tx, METHOD, &change.request_id, change.fingerprint, &answer, now).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

fn etag(in_use: &[store::InUse], kind: Kind) -> String {
    let model = in_use.iter().find(|model| model.kind == kind);
    model.map_or(RULES, |model| model.model_id.as_str()).to_owned()
}

fn check(in_use: &[store::InUse], kind: Kind, change: &Change) -> Result<(), Problem> {
    let now = etag(in_use, kind);
    if change.etag.is_empty() || change.etag == now {
        return Ok(());
    }
    let message = format!("of {} {now} is in use, and not {}", kind.as_str(), change.etag);
    Err(Problem::aborted("MODELS_CHANGED", message))
}
