//! SG-1, SG-2 and SG-3.

use jiff::ToSpan as _;

use super::build::*;
use crate::domain::{
    facts::{Facts, Invoice},
    moment::{Moment, days_after},
    signal::{Grade, Kind},
};

fn volume(before: i64, now: i64) -> Facts {
    usage(run(0, 14, now).chain(run(14, 42, before)).chain(run(56, 14, before)))
}

#[test]
fn sg2_volume_growth_needs_15_percent_against_the_fortnight_56_days_earlier() {
    for (before, now, holds) in [
        (10_000, 11_499, false),
        (10_000, 11_500, true),
        (10_000, 11_501, true),
        (10_000, 11_800, true),
        (10_000, 10_300, false),
        (10_000, 9_000, false),
        (0, 500, false),
    ] {
        let seen = seen(&volume(before, now));
        assert_eq!(
            grade(&seen, Kind::VolumeGrowth, "shipments").is_some(),
            holds,
            "{before} → {now}"
        );
    }
}

#[test]
fn sg2_windows_are_exactly_0_to_13_and_56_to_69_days_back() {
    // Whatever stands outside the two windows has no say.
    let flat = |outside| run(14, 42, outside).chain(run(70, 30, outside));
    let facts = usage(run(0, 14, 115).chain(run(56, 14, 100)).chain(flat(1_000_000)));
    let seen = seen(&facts);
    let found = observation(&seen, Kind::VolumeGrowth, "shipments").unwrap();
    assert_eq!(figure(found, "growth_percent"), 15.0);
    assert_eq!(
        (figure(found, "window_mean"), figure(found, "baseline_mean")),
        (115.0, 100.0)
    );
    assert_eq!(found.evidence[0].facts, "usage/shipments");
    assert_eq!(
        (found.evidence[0].first_day, found.evidence[0].last_day),
        (back(13), back(0))
    );
    assert_eq!(
        (found.evidence[2].first_day, found.evidence[2].last_day),
        (back(69), back(56))
    );
}

#[test]
fn sg2_today_is_not_complete_and_does_not_count() {
    let today = [(days_after(moment().as_of, 1), 1_000_000)];
    let seen = seen(&usage(run(0, 14, 100).chain(run(56, 14, 100)).chain(today)));
    assert_eq!(grade(&seen, Kind::VolumeGrowth, "shipments"), None);
}

#[test]
fn sg2_missing_days_are_left_out_of_the_mean_and_ten_days_must_be_there() {
    for (now_days, before_days, known) in [(14, 14, true), (10, 10, true), (9, 14, false), (14, 9, false)] {
        let seen = seen(&usage(run(0, now_days, 120).chain(run(56, before_days, 100))));
        assert_eq!(
            grade(&seen, Kind::VolumeGrowth, "shipments").is_some(),
            known,
            "{now_days}/{before_days}"
        );
        assert_eq!(is_unknown(&seen, Kind::VolumeGrowth, "shipments"), !known);
    }
}

#[test]
fn i2_without_usage_active_people_stand_for_volume() {
    let mut facts = account();
    facts.active_users = series(run(0, 14, 23).chain(run(56, 14, 20)));
    assert_eq!(
        grade(&seen(&facts), Kind::VolumeGrowth, "active_users"),
        Some(Grade::Normal)
    );
}

#[test]
fn sg3_usage_drop_needs_10_percent_in_whole_weeks() {
    for (before, now, holds) in [
        (1_000, 901, false),
        (1_000, 900, true),
        (1_000, 899, true),
        (1_000, 970, false),
    ] {
        let seen = seen(&usage(run(0, 28, now).chain(run(28, 28, before))));
        assert_eq!(
            grade(&seen, Kind::UsageDrop, "shipments").is_some(),
            holds,
            "{before} → {now}"
        );
    }
    let seen = seen(&usage(run(0, 20, 1).chain(run(28, 28, 100))));
    assert!(is_unknown(&seen, Kind::UsageDrop, "shipments"));
}

#[test]
fn sg3_weekends_are_no_drop() {
    let weekly = (0..56).map(|days| (back(days), if days % 7 < 2 { 10 } else { 100 }));
    assert_eq!(grade(&seen(&usage(weekly)), Kind::UsageDrop, "shipments"), None);
}

fn billed(amounts: &[(i32, i64)]) -> Facts {
    Facts {
        invoices: amounts.iter().map(|(days, units)| invoice(*days, *units)).collect(),
        ..account()
    }
}

#[test]
fn sg1_spend_growth_needs_15_percent_and_is_high_above_25() {
    for (now, expected) in [
        (11_499, None),
        (11_500, Some(Grade::Normal)),
        (12_500, Some(Grade::Normal)),
        (12_501, Some(Grade::High)),
        (40_000, Some(Grade::High)),
        (40_001, None),
        (8_000, None),
    ] {
        let seen = seen(&billed(&[(10, now), (40, 10_000), (70, 10_000)]));
        assert_eq!(grade(&seen, Kind::SpendGrowth, "spend"), expected, "{now}");
    }
}

#[test]
fn sg1_orders_won_by_upswell_are_taken_out() {
    let mut facts = billed(&[(10, 100), (40, 100), (70, 100)]);
    facts.invoices.push(Invoice {
        won_by_upswell: true,
        ..invoice(5, 60)
    });
    assert_eq!(grade(&seen(&facts), Kind::SpendGrowth, "spend"), None);
}

#[test]
fn sg1_high_growth_must_pass_the_anomaly_check() {
    // One extra invoice and nothing else is a spike; the same growth in the regular invoices is none.
    let spike = billed(&[(10, 100), (12, 80), (40, 100), (70, 100)]);
    assert_eq!(grade(&seen(&spike), Kind::SpendGrowth, "spend"), None);
    // A year ago the same weeks grew as well.
    let season = billed(&[(10, 140), (40, 100), (70, 100), (375, 140), (405, 100), (435, 100)]);
    assert_eq!(grade(&seen(&season), Kind::SpendGrowth, "spend"), None);
    let grown = billed(&[(10, 140), (40, 100), (70, 100), (375, 100), (405, 100), (435, 100)]);
    assert_eq!(grade(&seen(&grown), Kind::SpendGrowth, "spend"), Some(Grade::High));
}

#[test]
fn sg1_sg3_a_flat_monthly_bill_is_never_growth_nor_a_drop() {
    let first = "2025-01-01".parse::<jiff::civil::Date>().unwrap();
    for start_day in [1, 15, 31] {
        // The 31st is the last day of shorter months.
        let issue = |month: i32| {
            let month = first.saturating_add(month.months());
            month.with().day(start_day.min(month.days_in_month())).build().unwrap()
        };
        let invoices = (0..20).map(|month| Invoice {
            issued: issue(month),
            due: issue(month),
            ..invoice(0, 100)
        });
        let facts = Facts {
            invoices: invoices.collect(),
            ..account()
        };
        for days in 0..400 {
            let day = days_after("2025-06-01".parse().unwrap(), days);
            let noon = zone().to_timestamp(day.at(12, 0, 0, 0)).unwrap();
            let seen = seen_at(&facts, &Moment::at(noon, &zone()));
            assert_eq!(grade(&seen, Kind::SpendGrowth, "spend"), None, "{day}");
            assert_eq!(grade(&seen, Kind::UsageDrop, "spend"), None, "{day}");
        }
    }
}

#[test]
fn sg3_spend_drop_needs_10_percent_between_like_bills() {
    for (now, holds) in [(901, false), (900, true), (899, true)] {
        let seen = seen(&billed(&[(10, now), (38, 1_000)]));
        assert_eq!(grade(&seen, Kind::UsageDrop, "spend").is_some(), holds, "{now}");
    }
}

#[test]
fn sg1_billed_by_the_year_nothing_can_be_said() {
    let seen = seen(&billed(&[(10, 1_000)]));
    assert!(is_unknown(&seen, Kind::SpendGrowth, "spend") && is_unknown(&seen, Kind::UsageDrop, "spend"));
}

#[test]
fn sg2_sg3_what_the_season_explains_is_no_growth_and_no_drop() {
    let year = 364;
    // The same weeks a year ago grew by `season` percent.
    for (now, season, holds) in [
        (120, 0, true),
        (120, 4, true),
        (120, 5, false),
        (120, 20, false),
        (150, 20, true),
        (120, -20, true),
    ] {
        let past = run(year, 14, 100 + season).chain(run(year + 14, 70, 100));
        let found = seen(&usage(run(0, 14, now).chain(run(14, 70, 100)).chain(past)));
        assert_eq!(
            grade(&found, Kind::VolumeGrowth, "shipments").is_some(),
            holds,
            "+{now}, season {season}"
        );
    }
    for (now, season, holds) in [
        (80, 0, true),
        (80, -11, true),
        (80, -12, false),
        (80, -20, false),
        (60, -20, true),
        (80, 20, true),
    ] {
        let past = run(year, 28, 100 + season).chain(run(year + 28, 28, 100));
        let found = seen(&usage(run(0, 28, now).chain(run(28, 28, 100)).chain(past)));
        assert_eq!(
            grade(&found, Kind::UsageDrop, "shipments").is_some(),
            holds,
            "{now}, season {season}"
        );
    }
}
