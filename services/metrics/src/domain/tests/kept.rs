//! What is kept of an account says the same as its timeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Span};
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::domain::kept::{Grain, Kept, SPANS, months_after};

fn facts() -> impl Strategy<Value = Vec<Version>> {
    let one = (0..3_u8, 0..500_i64, option::of(0..300_i64), 0..1_000_i64, 0..3_i64);
    let version = one.prop_map(|(line, from, lasts, mrr, occurred)| {
        let effective_on = day("2025-11-05") + Span::new().days(from);
        Version {
            end_on: lasts.map(|days| effective_on + Span::new().days(days)),
            effective_on,
            occurred_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(occurred),
            order_id: (mrr % 3 == 0).then(|| format!("o-{}", mrr % 2)),
            ..terms(&format!("line-{line}"), "2026-01-01", mrr)
        }
    });
    vec(version, 0..10).prop_map(|mut versions| {
        for (index, version) in versions.iter_mut().enumerate() {
            version.version_id = format!("billing/{index}");
        }
        versions
    })
}

proptest! {
    #[test]
    fn k1_flows_follow_levels_and_movements(facts in facts()) {
        let timeline = line(&facts);
        let kept = Kept::of(&timeline, &BTreeSet::from(["o-1".to_owned()]));
        for grain in [Grain::Day, Grain::Month] {
            let mut levels = 0;
            let mut moved = 0;
            for (key, flow) in kept.flows.iter().filter(|(key, _)| key.grain == grain && key.currency.is_some()) {
                *if key.kind == 0 { &mut levels } else { &mut moved } += flow.amount;
            }
            prop_assert_eq!(levels, moved);
            prop_assert_eq!(levels, mrr_on(&timeline, day("2030-01-01")));
            let attributed: i64 = kept.flows.iter().filter(|(k, _)| k.grain == grain).map(|(_, f)| f.attributed).sum();
            let ours = timeline.movements.iter().filter(|m| m.order_id.as_deref() == Some("o-1"));
            prop_assert_eq!(attributed, ours.map(|m| m.amount.minor).sum::<i64>());
        }
        for offset in (0..900).step_by(13) {
            let on = day("2025-11-01") + Span::new().days(offset);
            let until = kept.flows.iter().filter(|(k, _)| k.grain == Grain::Day && k.kind == 0 && k.on <= on);
            let (own, any): (Vec<_>, Vec<_>) = until.partition(|(key, _)| key.currency.is_some());
            prop_assert_eq!(own.iter().map(|(_, flow)| flow.amount).sum::<i64>(), mrr_on(&timeline, on));
            let pays = i64::from(mrr_on(&timeline, on) > 0);
            prop_assert_eq!(any.iter().map(|(_, flow)| flow.count).sum::<i64>(), pays, "paying on {}", on);
        }
    }

    #[test]
    fn k4_k5_spans_are_what_the_ends_say(facts in facts(), back in 0..30_i32) {
        let timeline = line(&facts);
        let kept = Kept::of(&timeline, &BTreeSet::new());
        for months in SPANS {
            let start = months_after(day("2025-06-01"), back);
            let window = Window::new(start, months_after(start, months)).unwrap();
            let defined = measured(std::slice::from_ref(&timeline), window);
            let mut found: Vec<_> = kept.spans.iter().filter(|(k, _)| k.start == start && k.months == months).collect();
            prop_assert!(found.len() <= 1);
            let span = found.pop().map(|(_, span)| *span).unwrap_or_default();
            prop_assert_eq!(defined.mrr_start.minor + span.retained, defined.retained_end.minor);
            prop_assert_eq!(defined.mrr_start.minor + span.gross, defined.retained_gross.minor);
            prop_assert_eq!(span.churned, defined.churned_accounts);
        }
    }

    #[test]
    fn i5_taking_away_what_was_added_leaves_nothing(one in facts(), other in facts()) {
        let (one, other) = (line(&one), line(&other));
        let orders = BTreeSet::from(["o-0".to_owned()]);
        let mut kept = Kept::of(&one, &orders);
        kept.merge(&Kept::of(&other, &orders), 1);
        kept.merge(&Kept::of(&one, &orders), -1);
        prop_assert_eq!(kept, Kept::of(&other, &orders));
    }
}

#[test]
fn an_expansion_touches_its_day_its_month_and_sixteen_spans() {
    let grown = line(&[terms("a", "2025-01-10", 100), terms("a", "2026-03-10", 150)]);
    let kept = Kept::of(&grown, &BTreeSet::new());
    let touched: BTreeMap<_, usize> =
        kept.spans
            .keys()
            .filter(|key| key.start > day("2025-02-01"))
            .fold(BTreeMap::new(), |mut counts, key| {
                *counts.entry(key.months).or_default() += 1;
                counts
            });
    assert_eq!(touched, BTreeMap::from([(1, 1), (3, 3), (12, 12)]));
}
