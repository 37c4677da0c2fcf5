//! What holds for every set of facts.

use jiff::{SignedDuration, Span, Timestamp, civil::date};
use proptest::{collection::vec, option, prelude::*};

use super::*;

/// A fact about one of three lines of an account, within 40 days, late or corrected or ended or ordered.
fn version() -> impl Strategy<Value = Version> {
    let times = (0..40_i64, option::of(0..30_i64), 0..5_i64);
    (
        0..3_u8,
        times,
        0..1_000_i64,
        prop::bool::weighted(0.2),
        option::of(0..3_u8),
    )
        .prop_map(|(line, (from, lasts, occurred), mrr, superseded, order)| {
            let effective_on = date(2026, 1, 1) + Span::new().days(from);
            Version {
                version_id: String::new(),
                subscription_id: format!("line-{line}"),
                effective_on,
                end_on: lasts.map(|days| effective_on + Span::new().days(days)),
                mrr: usd(mrr),
                occurred_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(occurred),
                superseded,
                order_id: order.map(|order| format!("o-{order}")),
                terms: Terms::default(),
            }
        })
}

fn account() -> impl Strategy<Value = Vec<Version>> {
    vec(version(), 0..12).prop_map(|mut versions| {
        for (index, version) in versions.iter_mut().enumerate() {
            version.version_id = format!("billing/{index}");
        }
        versions
    })
}

/// The account's MRR on a day, straight from the definition.
fn defined(versions: &[Version], day: Date) -> i64 {
    let lines = ["line-0", "line-1", "line-2"];
    let of_line = |line: &str| {
        let standing = versions
            .iter()
            .filter(|v| v.subscription_id == line && !v.superseded && v.effective_on <= day);
        let holds = standing.max_by_key(|v| (v.effective_on, v.occurred_at, v.version_id.clone()))?;
        holds.end_on.is_none_or(|end| day < end).then_some(holds.mrr.minor)
    };
    lines.into_iter().filter_map(of_line).sum()
}

proptest! {
    #[test]
    fn i5_the_same_facts_in_any_order_give_the_same_numbers(
        (facts, shuffled) in account().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
    ) {
        prop_assert_eq!(line(&facts), line(&shuffled));
    }

    #[test]
    fn k1_levels_follow_the_definition_and_movements_sum_up_to_them(facts in account()) {
        let timeline = line(&facts);
        let mut sum = 0;
        for offset in -1..75_i64 {
            let day = date(2026, 1, 1) + Span::new().days(offset);
            let today: Vec<_> = timeline.movements.iter().filter(|m| m.day == day).collect();
            for movement in &today {
                sum += movement.amount.minor;
                prop_assert_eq!(movement.mrr_after.minor, sum);
                prop_assert!(sum >= 0 && !movement.amount.is_zero() && !movement.version_ids.is_empty());
            }
            prop_assert_eq!(sum, defined(&facts, day), "on {}", day);
            prop_assert_eq!(sum, mrr_on(&timeline, day), "on {}", day);
            let mut causes: Vec<_> = today.iter().map(|m| (m.cause, &m.order_id)).collect();
            causes.sort();
            causes.dedup();
            prop_assert_eq!(causes.len(), today.len(), "one movement per cause");
        }
    }

    #[test]
    fn k1_kinds_tell_how_an_account_came_and_went(facts in account()) {
        let timeline = line(&facts);
        let mut paid = false;
        for movement in &timeline.movements {
            let yesterday = mrr_on(&timeline, movement.day.yesterday().unwrap());
            let today = mrr_on(&timeline, movement.day);
            let kind = match (yesterday, today) {
                (0, _) if paid => MovementKind::Reactivation,
                (0, _) => MovementKind::New,
                (_, 0) => MovementKind::Churn,
                _ if movement.amount.is_negative() => MovementKind::Contraction,
                _ => MovementKind::Expansion,
            };
            prop_assert_eq!(movement.kind, kind);
            let day_done = timeline.movements.iter().rfind(|m| m.day == movement.day) == Some(movement);
            paid |= day_done;
        }
    }

    #[test]
    fn k5_grr_is_never_above_one_nor_above_nrr(
        accounts in vec(account(), 1..6), start in 2..60_i64, length in 1..30_i64,
    ) {
        let timelines: Vec<_> = accounts.iter().map(|facts| line(facts)).collect();
        let start = date(2026, 1, 1) + Span::new().days(start);
        let window = Window::new(start, start + Span::new().days(length)).unwrap();
        let revenue = measured(&timelines, window);
        if let (Some(nrr), Some(grr)) = (revenue.nrr, revenue.grr) {
            prop_assert!((0.0..=1.0).contains(&grr) && grr <= nrr);
        }
        prop_assert!(revenue.expansion_attributed.minor <= revenue.expansion_gross.minor);
        prop_assert!(revenue.expansion_cumulative.minor >= 0);
    }
}
