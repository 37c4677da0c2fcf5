//! F19: edges of windows and zones to the millisecond, where clocks change, on leap days and at the ends of months.

use proptest::{prelude::*, sample::select};

use super::{
    agreement::{KINDS, ZONES, class},
    oracle::{Seen, WRITTEN, faults},
    *,
};

/// Renewals whose zones begin on a leap day, at a month's end, at a year's end, or where clocks change.
const RENEWALS: [&str; 10] = [
    "2028-03-30",
    "2028-04-29",
    "2028-02-29",
    "2027-03-31",
    "2027-01-30",
    "2026-12-31",
    "2026-12-01",
    "2026-12-31",
    "2027-05-13",
    "2026-04-28",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f19_window_edges_are_exact_to_the_millisecond(
        zone in select(&ZONES[..]), renewal in select(&RENEWALS[..]), kinds in (select(&KINDS[..]), select(&KINDS[..])),
        days in select(vec![61_i64, 60, 59, 31, 30, 29, 0, -1]),
        window in select(vec![0_i64, 168, -168, 336, -336]), beside in (-1_i64..=1, -1_i64..=1),
    ) {
        let calendar = renewing(zone, renewal);
        let milli = SignedDuration::from_millis;
        let first = calendar.start_of(days).unwrap() + milli(beside.0);
        let second = first + hours(window) + milli(beside.1);
        let seen = [(1, kinds.0, first), (2, kinds.1, second)].map(|(id, kind, at)| Seen { id, kind, at });
        let (class_of, proposes_expansion) = class(kinds.0);
        let rows = [Row { proposes_expansion, ..row(1, class_of, first) }];
        let (class_of, proposes_expansion) = class(kinds.1);
        let proposal = Proposal { proposes_expansion, ..ask(class_of, second) };
        let (mut told, earliest) = verdict(&calendar, &rows, &proposal);
        let mut found: Vec<_> = faults(&seen, WRITTEN, &calendar.time_zone, calendar.renewal())
            .into_iter()
            .map(|(rule, _)| rule)
            .collect();
        told.sort_unstable();
        found.sort_unstable();
        found.dedup();
        prop_assert_eq!(&told, &found, "{} then {}", first, second);
        if let Some(earliest) = earliest {
            let moved = [seen[0], Seen { at: earliest, ..seen[1] }];
            prop_assert_eq!(faults(&moved, WRITTEN, &calendar.time_zone, calendar.renewal()), vec![]);
            // A millisecond earlier is not legal, unless it was asked for right then.
            if earliest > second {
                let early = [seen[0], Seen { at: earliest - milli(1), ..seen[1] }];
                prop_assert!(!faults(&early, WRITTEN, &calendar.time_zone, calendar.renewal()).is_empty());
            }
        }
    }
}

#[test]
fn f19_zones_begin_on_leap_days_and_month_ends() {
    for (zone, renewal, days, begins) in [
        ("UTC", "2028-03-30", 30, "2028-02-29T00:00:00Z"),
        ("UTC", "2028-04-29", 60, "2028-02-29T00:00:00Z"),
        ("UTC", "2027-03-30", 30, "2027-02-28T00:00:00Z"),
        ("UTC", "2027-03-31", 60, "2027-01-30T00:00:00Z"),
        ("Asia/Almaty", "2027-01-30", 30, "2026-12-30T19:00:00Z"),
        // Clocks go forward on 14 March 2027: the day has 23 hours.
        ("America/New_York", "2027-04-13", 30, "2027-03-14T05:00:00Z"),
        ("America/New_York", "2027-04-14", 30, "2027-03-15T04:00:00Z"),
    ] {
        let calendar = renewing(zone, renewal);
        assert_eq!(calendar.start_of(days), Some(at(begins)), "{zone} {renewal}");
        let milli = SignedDuration::from_millis(1);
        assert_ne!(
            calendar.zone(at(begins)),
            calendar.zone(at(begins) - milli),
            "{zone} {renewal}"
        );
    }
}
