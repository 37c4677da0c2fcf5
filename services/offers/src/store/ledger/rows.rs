//! Touch ⇄ row.

use sea_orm::Value;
use upswell_runtime::{
    db::{Column, epoch_day, from_epoch_day, from_micros, micros},
    problem::Problem,
};

use super::entities::touch;
use crate::{domain::ledger::Touch, store::word};

/// The columns of a touch.
pub(super) const COLUMNS: [(&str, Column); 19] = [
    ("touch_id", Column::Uuid),
    ("account_id", Column::Text),
    ("class", Column::Text),
    ("proposes_expansion", Column::Bool),
    ("channel", Column::Text),
    ("sender", Column::Text),
    ("idempotency_key", Column::Text),
    ("content", Column::Uuid),
    ("contact_id", Column::Text),
    ("offer_id", Column::Text),
    ("state", Column::Text),
    ("planned_at", Column::BigInt),
    ("actual_at", Column::BigIntOrNull),
    ("counts_at", Column::BigInt),
    ("recorded_at", Column::BigInt),
    ("expires_at", Column::BigIntOrNull),
    ("renewal_on", Column::IntOrNull),
    ("policy_version", Column::Text),
    ("release_reason", Column::Text),
];

/// The values of a touch, in the order of [`COLUMNS`].
pub(super) fn values(row: touch::Model) -> [Value; 19] {
    [
        row.touch_id.into(),
        row.account_id.into(),
        row.class.into(),
        row.proposes_expansion.into(),
        row.channel.into(),
        row.sender.into(),
        row.idempotency_key.into(),
        row.content.into(),
        row.contact_id.into(),
        row.offer_id.into(),
        row.state.into(),
        row.planned_at.into(),
        row.actual_at.into(),
        row.counts_at.into(),
        row.recorded_at.into(),
        row.expires_at.into(),
        row.renewal_on.into(),
        row.policy_version.into(),
        row.release_reason.into(),
    ]
}

impl From<&Touch> for touch::Model {
    fn from(touch: &Touch) -> Self {
        let counts_at = touch.counts_at();
        let Touch {
            id,
            account_id,
            class,
            proposes_expansion,
            channel,
            sender,
            idempotency_key,
            content,
            contact_id,
            offer_id,
            state,
            planned_at,
            actual_at,
            recorded_at,
            expires_at,
            renewal_on,
            policy_version,
            release_reason,
        } = touch.clone();
        Self {
            touch_id: id,
            account_id,
            class: class.to_string(),
            proposes_expansion,
            channel: channel.to_string(),
            sender,
            idempotency_key,
            content,
            contact_id,
            offer_id,
            state: state.to_string(),
            planned_at: micros(planned_at),
            actual_at: actual_at.map(micros),
            counts_at: micros(counts_at),
            recorded_at: micros(recorded_at),
            expires_at: expires_at.map(micros),
            renewal_on: renewal_on.map(epoch_day),
            policy_version,
            release_reason,
        }
    }
}

impl TryFrom<touch::Model> for Touch {
    type Error = Problem;

    fn try_from(row: touch::Model) -> Result<Self, Problem> {
        Ok(Self {
            id: row.touch_id,
            account_id: row.account_id,
            class: word(&row.class)?,
            proposes_expansion: row.proposes_expansion,
            channel: word(&row.channel)?,
            sender: row.sender,
            idempotency_key: row.idempotency_key,
            content: row.content,
            contact_id: row.contact_id,
            offer_id: row.offer_id,
            state: word(&row.state)?,
            planned_at: from_micros(row.planned_at),
            actual_at: row.actual_at.map(from_micros),
            recorded_at: from_micros(row.recorded_at),
            expires_at: row.expires_at.map(from_micros),
            renewal_on: row.renewal_on.map(from_epoch_day),
            policy_version: row.policy_version,
            release_reason: row.release_reason,
        })
    }
}
