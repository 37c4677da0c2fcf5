//! K-7 and the wait for approvals.

use jiff::SignedDuration;

use super::*;
use crate::domain::{
    journey::{Approval, ApprovalState},
    lead_time::{LeadTime, approval_wait, lead_time, longest_waits},
};

#[test]
fn k7_mean_median_and_p90_by_nearest_rank() {
    let check = |days: &[i64], expected: Option<(f64, f64, f64)>| {
        let ways = days.iter().map(|day| SignedDuration::from_hours(day * 24)).collect();
        let found = lead_time(ways, &[SignedDuration::ZERO; 2], SignedDuration::from_hours(24));
        let figures = found
            .mean
            .zip(found.median)
            .zip(found.p90)
            .map(|((mean, median), p90)| (mean, median, p90));
        assert_eq!(figures, expected, "{days:?}");
        assert_eq!((found.complete, found.open), (days.len(), 2));
    };
    check(&[], None);
    check(&[7], Some((7.0, 7.0, 7.0)));
    check(&[9, 1], Some((5.0, 5.0, 9.0)));
    check(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], Some((5.5, 5.5, 9.0)));
    check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], Some((6.0, 6.0, 10.0)));
}

#[test]
fn c14_waits_count_until_the_decision_and_name_the_longest() {
    let asked = |id: &str, state, settled: Option<&str>| Approval {
        approval_id: id.to_owned(),
        account_id: "acme".to_owned(),
        approver_id: "ana".to_owned(),
        state,
        requested_at: time("2026-01-01T00:00:00Z"),
        settled_at: settled.map(time),
    };
    let approvals = vec![
        asked("a", ApprovalState::Consumed, Some("2026-01-01T05:00:00Z")),
        asked("b", ApprovalState::Rejected, Some("2026-01-01T07:00:00Z")),
        asked("c", ApprovalState::Pending, None),
        asked("d", ApprovalState::Expired, Some("2026-01-03T00:00:00Z")),
        asked("e", ApprovalState::Revoked, None),
    ];
    let expected = LeadTime {
        complete: 2,
        open: 1,
        mean: Some(6.0),
        median: Some(6.0),
        p90: Some(7.0),
        median_with_open: Some(7.0),
        p90_with_open: None,
    };
    let now = time("2026-01-02T00:00:00Z");
    assert_eq!(approval_wait(&approvals, now), expected);
    let longest = longest_waits(approvals, now);
    let told: Vec<_> = longest
        .iter()
        .map(|w| (w.approval.approval_id.as_str(), w.waited.as_hours()))
        .collect();
    assert_eq!(told, [("d", 48), ("c", 24), ("b", 7), ("a", 5)]);
}

#[test]
fn states_keep_their_names() {
    for state in ApprovalState::ALL {
        assert_eq!(ApprovalState::from_name(state.as_str()), Some(state));
    }
}
