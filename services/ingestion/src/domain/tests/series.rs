use std::collections::BTreeMap;

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    account360::{Days, Series, summaries},
    fact::ActivityCount,
    rollup::{Cell, Count, SUM_CAP, Tally, fold},
    words::Kind,
};

fn tally(sum: i64, max: i64, second: i64) -> Tally {
    Tally::of(Count { sum, max }, Timestamp::from_second(second).unwrap())
}

fn any_tally() -> impl Strategy<Value = Tally> {
    let sum = prop_oneof![0_i64..100, Just(SUM_CAP - 1), Just(SUM_CAP)];
    (sum, 0_i64..100, 0_i64..10).prop_map(|(sum, max, second)| tally(sum, max, second))
}

proptest! {
    #[test]
    fn i5_tallies_do_not_depend_on_order_or_grouping(a in any_tally(), b in any_tally(), c in any_tally()) {
        prop_assert_eq!(a.merge(b), b.merge(a));
        prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
    }

    #[test]
    fn i4_batches_fold_to_the_same_days(
        facts in prop::collection::vec((0_u8..3, any_tally()), 0..20),
        cut: prop::sample::Index,
    ) {
        let cell = |day: u8| Cell {
            account_id: "a".to_owned(),
            kind: Kind::Usage,
            name: "m".to_owned(),
            day: on("2026-10-01").saturating_add(i64::from(day).days()),
        };
        let all: Vec<(Cell, Tally)> = facts.into_iter().map(|(day, tally)| (cell(day), tally)).collect();
        let (left, right) = all.split_at(if all.is_empty() { 0 } else { cut.index(all.len()) });
        let parts = fold(right.to_vec()).into_iter().chain(fold(left.to_vec()));
        prop_assert_eq!(fold(parts), fold(all.clone()));
    }
}

#[test]
fn counts_of_activity_add_logins_and_keep_the_most_people() {
    let activity = |active_users, logins| {
        let body = Body::Activity(ActivityCount {
            day: on("2026-10-01"),
            active_users,
            logins,
        });
        Tally::of(body.count().unwrap().1, at("2026-10-02T00:00:00Z"))
    };
    let day = activity(5, 9).merge(activity(7, 3));
    assert_eq!(
        (
            Series::ActiveUsers.value(&day),
            Series::Logins.value(&day),
            day.fact_count
        ),
        (7, 12, 2)
    );
    assert!(profile("s").count().is_none());
}

#[test]
fn summaries_compare_two_windows_of_complete_days() {
    let today = on("2026-10-12");
    let back = |days: i64| today.saturating_sub(days.days());
    let days: BTreeMap<_, _> = [(0, 1_000), (1, 1), (30, 2), (31, 4), (60, 8), (61, 16)]
        .map(|(d, sum)| (back(d), tally(sum, sum, d)))
        .into();
    let series: Days = [((Kind::Usage, "m".to_owned()), days)].into();
    let line = &summaries(&series, today)[0];
    assert_eq!(
        (line.last_30_days, line.previous_30_days, line.last_day),
        (3, 12, today)
    );
    assert_eq!(line.facts.unwrap().fact_count, 4);
}
