//! Requests by which people decide, read from the wire.

use tonic::Request;
use upswell_proto::ingestion::v1::{self as pb, conflict::Resolution as PbResolution};
use upswell_runtime::{
    problem::{Problem, Violations},
    requests::fingerprint,
    server::actor,
    text,
};

use crate::{app::Decision, error::Refusal, store::conflict::Resolution};

const REASON_MAX: usize = 500;

fn person<T>(request: &Request<T>) -> Result<String, Problem> {
    actor(request).ok_or_else(|| Refusal::ActorRequired.into())
}

fn required(violations: &mut Violations, field: &str, value: &str, max: usize) -> String {
    let text = violations.take(field, text::clean(value, max)).unwrap_or_default();
    if text.is_empty() {
        violations.add(field, format!("required: expected 1 to {max} characters"));
    }
    text
}

/// The decision, the account that goes on, and its part.
pub(super) fn merge(request: Request<pb::MergeAccountsRequest>) -> Result<(Decision, String, String), Problem> {
    let actor = person(&request)?;
    let mut bare = request.into_inner();
    let request_id = std::mem::take(&mut bare.request_id);
    let fingerprint = fingerprint(&bare);
    let pb::MergeAccountsRequest {
        request_id: _,
        account_id,
        merged_account_id,
        reason,
    } = bare;
    let mut violations = Violations::new();
    let account_id = violations
        .take("account_id", text::key(&account_id))
        .unwrap_or_default();
    let part = violations
        .take("merged_account_id", text::key(&merged_account_id))
        .unwrap_or_default();
    if account_id == part {
        violations.add("merged_account_id", "is account_id: expected another account");
    }
    let reason = required(&mut violations, "reason", &reason, REASON_MAX);
    violations.into_result()?;
    let decision = Decision {
        request: (request_id, fingerprint),
        actor,
        reason,
    };
    Ok((decision, account_id, part))
}

/// The decision and the merge.
pub(super) fn unmerge(request: Request<pb::UnmergeAccountsRequest>) -> Result<(Decision, String), Problem> {
    let actor = person(&request)?;
    let mut bare = request.into_inner();
    let request_id = std::mem::take(&mut bare.request_id);
    let fingerprint = fingerprint(&bare);
    let pb::UnmergeAccountsRequest {
        request_id: _,
        merge_id,
        reason,
    } = bare;
    let mut violations = Violations::new();
    let merge_id = required(&mut violations, "merge_id", &merge_id, 64);
    let reason = required(&mut violations, "reason", &reason, REASON_MAX);
    violations.into_result()?;
    let decision = Decision {
        request: (request_id, fingerprint),
        actor,
        reason,
    };
    Ok((decision, merge_id))
}

/// A conflict that is decided.
pub(super) struct Resolve {
    pub(super) decision: Decision,
    pub(super) conflict_id: i64,
    pub(super) etag: String,
    pub(super) resolution: Resolution,
}

pub(super) fn resolve(request: Request<pb::ResolveConflictRequest>) -> Result<Resolve, Problem> {
    let actor = person(&request)?;
    let mut bare = request.into_inner();
    let request_id = std::mem::take(&mut bare.request_id);
    let fingerprint = fingerprint(&bare);
    let asked = bare.resolution();
    let pb::ResolveConflictRequest {
        request_id: _,
        conflict_id,
        etag,
        resolution: _,
        reason,
    } = bare;
    let mut violations = Violations::new();
    let etag = required(&mut violations, "etag", &etag, 64);
    let reason = required(&mut violations, "reason", &reason, REASON_MAX);
    let resolution = match asked {
        PbResolution::Keep => Some(Resolution::Keep),
        PbResolution::Replace => Some(Resolution::Replace),
        PbResolution::Unspecified => None,
    };
    if resolution.is_none() {
        violations.add("resolution", "required: expected keep or replace");
    }
    violations.into_result()?;
    Ok(Resolve {
        decision: Decision {
            request: (request_id, fingerprint),
            actor,
            reason,
        },
        conflict_id,
        etag,
        resolution: resolution.unwrap_or(Resolution::Keep),
    })
}
