//! How long things take: from signal to payment (K-7), and from a request to its approval (C-14).

use jiff::{SignedDuration, Timestamp};

use super::{
    journey::{Approval, ApprovalState},
    stats::survival::{Span, Survival},
};

/// How many waits are named.
const LONGEST: usize = 10;

/// A distribution in short, in the unit that was asked for. Mean, median and p90 leave the open ways out, which makes
/// them too short; the last two figures count an open way as at least as long as it has lasted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeadTime {
    /// Ways that are complete.
    pub complete: usize,
    /// Ways that are still open.
    pub open: usize,
    /// Mean.
    pub mean: Option<f64>,
    /// Median; the mean of the two in the middle when their number is even.
    pub median: Option<f64>,
    /// 90th percentile by nearest rank.
    pub p90: Option<f64>,
    /// Median with the open ways (Kaplan and Meier); `None` while too many are open to say.
    pub median_with_open: Option<f64>,
    /// 90th percentile with the open ways.
    pub p90_with_open: Option<f64>,
}

/// One long wait for an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The request.
    pub approval: Approval,
    /// How long, until it was settled or until now.
    pub waited: SignedDuration,
}

/// The distribution of `ways`, in units of `unit`; those of `open` are not complete and have lasted so long.
pub fn lead_time(mut ways: Vec<SignedDuration>, open: &[SignedDuration], unit: SignedDuration) -> LeadTime {
    ways.sort_unstable();
    let units = |way: SignedDuration| way.as_secs_f64() / unit.as_secs_f64();
    let middle = |index: usize| ways.get(index).copied().map(units);
    let count = ways.len();
    let span = |way: &SignedDuration, complete| Span {
        length: units(*way).max(0.0),
        complete,
    };
    let complete = ways.iter().map(|way| span(way, true));
    let survival = Survival::of(complete.chain(open.iter().map(|way| span(way, false))).collect());
    let median = match count % 2 {
        0 => middle((count / 2).wrapping_sub(1))
            .zip(middle(count / 2))
            .map(|(low, high)| f64::midpoint(low, high)),
        _ => middle(count / 2),
    };
    LeadTime {
        complete: count,
        open: open.len(),
        mean: (count > 0).then(|| ways.iter().copied().map(units).sum::<f64>() / count as f64),
        median,
        // Nearest rank: the smallest value that at least 90 % do not exceed, at rank ⌈0.9 n⌉.
        p90: middle((count * 9).div_ceil(10).wrapping_sub(1)),
        median_with_open: survival.quantile(0.5),
        p90_with_open: survival.quantile(0.9),
    }
}

/// The wait of the decided requests in hours; pending ones wait until `now`. Expired and revoked ones were never decided, so they are neither
/// complete nor open.
pub fn approval_wait(approvals: &[Approval], now: Timestamp) -> LeadTime {
    let decided = approvals.iter().filter(|approval| approval.state.is_decided());
    let ways = decided
        .filter_map(|approval| Some(waited(approval, approval.settled_at?)))
        .collect();
    let pending = approvals
        .iter()
        .filter(|approval| approval.state == ApprovalState::Pending);
    let open: Vec<SignedDuration> = pending.map(|approval| waited(approval, now)).collect();
    lead_time(ways, &open, SignedDuration::from_hours(1))
}

/// The ten that waited longest, or still wait at `now`; the longest first, then by id.
pub fn longest_waits(approvals: Vec<Approval>, now: Timestamp) -> Vec<Wait> {
    let ended = |approval: &Approval| match approval.state {
        ApprovalState::Pending => Some(now),
        _ => approval.settled_at,
    };
    let waits = approvals.into_iter().filter_map(|approval| {
        let waited = waited(&approval, ended(&approval)?);
        Some(Wait { approval, waited })
    });
    let mut waits: Vec<Wait> = waits.collect();
    waits.sort_by(|a, b| {
        b.waited
            .cmp(&a.waited)
            .then_with(|| a.approval.approval_id.cmp(&b.approval.approval_id))
    });
    waits.truncate(LONGEST);
    waits
}

fn waited(approval: &Approval, until: Timestamp) -> SignedDuration {
    until.duration_since(approval.requested_at).max(SignedDuration::ZERO)
}
