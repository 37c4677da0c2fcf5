//! The latest snapshot of each thing on the way from a signal to money.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sea_orm::Value;
use upswell_runtime::{
    db::{Tx, epoch_day, micros},
    problem::Problem,
};

use super::rows::{Target, execute};
use crate::domain::journey::{Approval, Arm, Offer, Order, Profile, Signal, Touch};

const ACCOUNTS: Target = Target {
    table: "accounts",
    key: &["account_id"],
    columns: &["segment", "country", "customer_since"],
};
const SIGNALS: Target = Target {
    table: "signals",
    key: &["signal_id"],
    columns: &["account_id", "opened_at", "withdrawn", "kind"],
};
const OFFERS: Target = Target {
    table: "offers",
    key: &["offer_id"],
    columns: &[
        "account_id",
        "motion",
        "priced",
        "live",
        "signal_at",
        "sent_at",
        "accepted_at",
        "channel",
        "playbook",
        "delivered_at",
        "opened_at",
        "clicked_at",
    ],
};
const OFFER_SIGNALS: Target = Target {
    table: "offer_signals",
    key: &["offer_id", "signal_id"],
    columns: &[],
};
const TOLD_STEPS: Target = Target {
    table: "told_steps",
    key: &["channel", "step"],
    columns: &[],
};
const ORDERS: Target = Target {
    table: "orders",
    key: &["order_id"],
    columns: &["offer_id", "account_id", "motion", "signal_at", "placed_at", "paid_at"],
};
const TOUCHES: Target = Target {
    table: "touches",
    key: &["touch_id"],
    columns: &["account_id", "touched_at", "counts"],
};
const APPROVALS: Target = Target {
    table: "approvals",
    key: &["approval_id"],
    columns: &["account_id", "approver_id", "state", "requested_at", "settled_at"],
};
const ARMS: Target = Target {
    table: "holdout_arms",
    key: &["account_id", "epoch"],
    columns: &["holdout", "stratum", "assigned_at"],
};

/// Writes the account's profile.
pub async fn profile_upsert(tx: &Tx, profile: Profile) -> Result<(), Problem> {
    let Profile {
        account_id,
        segment,
        country,
        customer_since,
    } = profile;
    let since: Value = customer_since.map(epoch_day).into();
    let row = vec![account_id.into(), segment.into(), country.into(), since];
    ACCOUNTS.upsert(&**tx, &[row]).await
}

/// Writes the signal.
pub async fn signal_upsert(tx: &Tx, signal: Signal) -> Result<(), Problem> {
    let Signal {
        signal_id,
        account_id,
        kind,
        opened_at,
        withdrawn,
    } = signal;
    let row = vec![
        signal_id.into(),
        account_id.into(),
        micros(opened_at).into(),
        withdrawn.into(),
        kind.into(),
    ];
    SIGNALS.upsert(&**tx, &[row]).await
}

/// Writes the offer, and what its channel has told of by now.
pub async fn offer_upsert(tx: &Tx, offer: Offer) -> Result<(), Problem> {
    let steps = (0_i32..).zip(offer.told()).filter(|(_, told)| *told);
    let steps = steps.map(|(step, _)| vec![offer.channel.as_str().into(), step.into()]);
    TOLD_STEPS.upsert(&**tx, &steps.collect::<Vec<_>>()).await?;
    let Offer {
        offer_id,
        account_id,
        motion,
        channel,
        playbook,
        signal_ids,
        priced,
        live,
        signal_at,
        sent_at,
        reached: [delivered_at, opened_at, clicked_at],
        accepted_at,
    } = offer;
    let removed = "DELETE FROM offer_signals WHERE offer_id = $1";
    execute(&**tx, removed, [offer_id.as_str().into()]).await?;
    let signals: BTreeSet<String> = signal_ids.into_iter().collect();
    let signals = signals
        .into_iter()
        .map(|signal| vec![offer_id.as_str().into(), signal.into()]);
    OFFER_SIGNALS.upsert(&**tx, &signals.collect::<Vec<_>>()).await?;
    let row = vec![
        offer_id.into(),
        account_id.into(),
        motion.into(),
        priced.into(),
        live.into(),
        instant(signal_at),
        instant(sent_at),
        instant(accepted_at),
        channel.into(),
        playbook.into(),
        instant(delivered_at),
        instant(opened_at),
        instant(clicked_at),
    ];
    OFFERS.upsert(&**tx, &[row]).await
}

/// Writes the order.
pub async fn order_upsert(tx: &Tx, order: Order) -> Result<(), Problem> {
    let Order {
        order_id,
        offer_id,
        account_id,
        motion,
        signal_at,
        placed_at,
        paid_at,
    } = order;
    let row = vec![
        order_id.into(),
        offer_id.into(),
        account_id.into(),
        motion.into(),
        instant(signal_at),
        micros(placed_at).into(),
        instant(paid_at),
    ];
    ORDERS.upsert(&**tx, &[row]).await
}

/// Forgets an order that was taken back: it is as if it had never been placed.
pub async fn order_remove(tx: &Tx, order_id: &str) -> Result<(), Problem> {
    execute(&**tx, "DELETE FROM orders WHERE order_id = $1", [order_id.into()]).await
}

/// Writes the touch.
pub async fn touch_upsert(tx: &Tx, touch: Touch) -> Result<(), Problem> {
    let Touch {
        touch_id,
        account_id,
        touched_at,
        counts,
    } = touch;
    TOUCHES
        .upsert(
            &**tx,
            &[vec![
                touch_id.into(),
                account_id.into(),
                micros(touched_at).into(),
                counts.into(),
            ]],
        )
        .await
}

/// Writes the request for approval.
pub async fn approval_upsert(tx: &Tx, approval: Approval) -> Result<(), Problem> {
    let Approval {
        approval_id,
        account_id,
        approver_id,
        state,
        requested_at,
        settled_at,
    } = approval;
    let row = vec![
        approval_id.into(),
        account_id.into(),
        approver_id.into(),
        state.as_str().into(),
        micros(requested_at).into(),
        instant(settled_at),
    ];
    APPROVALS.upsert(&**tx, &[row]).await
}

/// Writes the account's arm of an epoch.
pub async fn arm_upsert(tx: &Tx, arm: Arm) -> Result<(), Problem> {
    let Arm {
        account_id,
        epoch,
        holdout,
        stratum,
        assigned_at,
    } = arm;
    let row = vec![
        account_id.into(),
        epoch.into(),
        holdout.into(),
        stratum.into(),
        micros(assigned_at).into(),
    ];
    ARMS.upsert(&**tx, &[row]).await
}

fn instant(time: Option<Timestamp>) -> Value {
    time.map(micros).into()
}
