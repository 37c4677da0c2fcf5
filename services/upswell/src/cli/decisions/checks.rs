//! Whether the log can be believed.

use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::offers::v1 as pb;

use super::Decision;
use crate::{
    cli::output::{View, card, time},
    wire::instant,
};

#[derive(Serialize)]
pub(super) struct Replayed {
    same: bool,
    difference: String,
    decision: Decision,
}

#[derive(Serialize)]
pub(super) struct Verified {
    intact: bool,
    entries: i64,
    unsealed: i64,
    broken_at: i64,
    fault: String,
    head_entries: i64,
    head_hash: String,
    signed_at: Option<Timestamp>,
    signature: String,
}

impl From<pb::ReplayDecisionResponse> for Replayed {
    fn from(answer: pb::ReplayDecisionResponse) -> Self {
        Self {
            same: answer.same,
            difference: answer.difference,
            decision: Decision::from(answer.decision.unwrap_or_default()),
        }
    }
}

impl From<pb::VerifyDecisionsResponse> for Verified {
    fn from(answer: pb::VerifyDecisionsResponse) -> Self {
        let head = answer.head.unwrap_or_default();
        Self {
            intact: answer.intact,
            entries: answer.entries,
            unsealed: answer.unsealed,
            broken_at: answer.broken_at,
            fault: answer.fault,
            head_entries: head.entries,
            signed_at: instant(head.sign_time.as_ref()),
            head_hash: head.hash,
            signature: head.signature,
        }
    }
}

impl View for Replayed {
    fn render(&self) -> String {
        let told = if self.same {
            "made again, it is the same to the letter".to_owned()
        } else {
            format!("made again, it differs first in: {}", self.difference)
        };
        format!("{told}\n\n{}", self.decision.render())
    }
}

impl View for Verified {
    fn render(&self) -> String {
        let found = if self.intact {
            "nothing was changed, removed or put in".to_owned()
        } else {
            format!("entry {}: {}", self.broken_at, self.fault)
        };
        card(&[
            ("found", found),
            ("entries", self.entries.to_string()),
            ("not sealed yet", self.unsealed.to_string()),
            (
                "head",
                format!("{} after {} entries", self.head_hash, self.head_entries),
            ),
            ("signed", time(self.signed_at)),
            ("signature", self.signature.clone()),
        ])
    }
}
