//! Readings, gates, and 6,000 accounts whose true effect is known.

use jiff::civil::date;
use serde_json::Value;

use super::{judge::comparison, *};
use crate::domain::stats::{
    proportion::{Proportion, TwoProportions},
    stratified::{Unit, adjust, collapse, estimate},
};

const START: Date = date(2026, 1, 1);

fn reading_at(day: Date) -> Result<(u32, Date), Date> {
    reading(START, day, &Policy::default()).map(|reading| (reading.number, reading.on))
}

#[test]
fn k10_the_first_reading_is_on_day_30_and_then_once_a_week() {
    let first = date(2026, 1, 31);
    assert_eq!(reading_at(START), Err(first));
    assert_eq!(reading_at(date(2026, 1, 30)), Err(first));
    assert_eq!(reading_at(first), Ok((1, first)));
    assert_eq!(
        reading_at(date(2026, 2, 6)),
        Ok((1, first)),
        "asking often changes nothing"
    );
    assert_eq!(reading_at(date(2026, 2, 7)), Ok((2, date(2026, 2, 7))));
    assert_eq!(reading_at(date(2027, 1, 1)), Ok((48, date(2026, 12, 26))));
}

fn member(index: usize, holdout: bool, before: i64, after: i64) -> Member {
    Member {
        stratum: format!("s{}", index % 2),
        holdout,
        offered: !holdout,
        before,
        after,
        expanded: after > before,
    }
}

/// `n` accounts, an eighth held out; the treated grow by `growth` percent on top of a spread that all have.
fn grown(n: usize, growth: i64) -> Vec<Member> {
    let of = |index: usize| {
        let (holdout, before) = (index.is_multiple_of(8), 10_000 + (index as i64 * 7_919) % 5_000);
        let own = (index as i64 * 104_729) % 21 - 10;
        let percent = if holdout { own } else { own + growth };
        member(index / 8, holdout, before, before * (100 + percent) / 100)
    };
    (0..n).map(of).collect()
}

fn judged(members: &[Member]) -> Uplift {
    let on = date(2026, 1, 31);
    judge(members, Reading { number: 1, on }, &Policy::default(), 7)
}

#[test]
fn k10_too_few_accounts_are_insufficient_data_with_what_is_needed() {
    assert_eq!(judged(&[]).lacks, [Lack::NoHoldout]);
    let few = judged(&grown(30, 50));
    assert_eq!(few.lacks, [Lack::TooFewAccounts(true, 4, 5)]);
    assert_eq!(
        few.lacks[0].to_string(),
        "the holdout has 4 accounts that count, 5 are needed"
    );
    assert!(few.findings.is_empty(), "no number beside the reason");
}

#[test]
fn k10_a_broken_split_gives_no_number() {
    let mut members = grown(800, 50);
    members.retain({
        let mut seen = 0;
        move |member| {
            seen += usize::from(member.holdout);
            !member.holdout || seen % 2 == 0
        }
    });
    let told = judged(&members);
    assert!(
        matches!(told.lacks[..], [Lack::SampleRatio(p)] if p < 0.001),
        "{:?}",
        told.lacks
    );
    assert!(told.findings.is_empty());
}

#[test]
fn k10_an_effect_that_is_there_is_told_and_one_that_is_not_is_not() {
    for (growth, verdict) in [(50, Verdict::Better), (0, Verdict::Undecided), (-50, Verdict::Worse)] {
        let told = judged(&grown(200, growth));
        for measure in [Measure::Arpa, Measure::Nrr] {
            let found = comparison(&told, measure).unwrap();
            assert_eq!(found.verdict, verdict, "{growth} {measure:?} {found:?}");
            assert_eq!(found.method, Method::Permutation);
            assert!(found.interval.contains(found.difference));
            assert!(found.always_valid.width() >= found.interval.width());
            assert!(found.adjusted_p >= found.p);
            assert!(
                found.detectable.is_some_and(|least| least > 0.0),
                "the detectable effect is always printed"
            );
        }
        let nrr = comparison(&told, Measure::Nrr).unwrap();
        assert!((nrr.difference - growth as f64 / 100.0).abs() < 0.05, "{nrr:?}");
    }
}

#[test]
fn k10_later_readings_need_more() {
    let members = grown(80, 12);
    let at = |number| judge(&members, Reading { number, on: START }, &Policy::default(), 7);
    let width = |number| comparison(&at(number), Measure::Nrr).unwrap().always_valid.width();
    assert!(width(1) < width(5) && width(5) < width(20));
}

#[test]
fn c12_offers_that_reached_the_holdout_are_contamination() {
    let mut members = grown(80, 0);
    for member in members.iter_mut().filter(|member| member.holdout).take(2) {
        member.offered = true;
    }
    let told = judged(&members);
    assert_eq!((told.holdout.accounts, told.holdout.offered), (10, 2));
    assert_eq!(told.holdout.offered_share(), Some(0.2));
}

#[test]
fn k10_nothing_that_moves_is_said_so() {
    let still: Vec<Member> = (0..80)
        .map(|index| member(index, index.is_multiple_of(8), 100, 100))
        .collect();
    let told = judged(&still);
    for finding in &told.findings {
        assert_eq!(finding.outcome, Err(Lack::NoVariation), "{:?}", finding.measure);
    }
}

#[test]
fn k10_conversion_of_all_against_none_is_told_with_what_so_few_accounts_can_say() {
    let all_or_none: Vec<Member> = grown(48, 50)
        .into_iter()
        .map(|account| Member {
            expanded: !account.holdout,
            ..account
        })
        .collect();
    let told = judged(&all_or_none);
    let found = comparison(&told, Measure::Conversion).unwrap();
    assert_eq!((found.control, found.treatment, found.difference), (0.0, 1.0, 1.0));
    assert_eq!((found.verdict, found.method), (Verdict::Better, Method::Permutation));
    assert!(found.p > 0.0, "draws know no certainty: {found:?}");
    assert!(found.interval.low < 0.8, "six held-out accounts leave room: {found:?}");
}

#[test]
fn k10_mrr_that_does_not_vary_within_the_arms_has_no_error_to_tell() {
    let of = |index: usize| {
        member(
            index / 8,
            index.is_multiple_of(8),
            100,
            if index.is_multiple_of(8) { 100 } else { 140 },
        )
    };
    let uniform: Vec<Member> = (0..80).map(of).collect();
    let told = judged(&uniform);
    for finding in &told.findings {
        let withheld = finding.outcome == Err(Lack::NoVariation);
        assert_eq!(withheld, finding.measure != Measure::Conversion, "{finding:?}");
    }
}

/// The synthetic accounts: (member, churned).
fn synthetic() -> Vec<(Member, bool)> {
    let text = include_str!("../../../tests/data/synthetic_holdout/holdout.csv");
    let row = |line: &str| {
        let [segment, holdout, before, after, churned, expanded] =
            line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let member = Member {
            stratum: segment.to_owned(),
            holdout: holdout == "1",
            offered: holdout == "0",
            before: before.parse().unwrap(),
            after: after.parse().unwrap(),
            expanded: expanded == "1",
        };
        (member, churned == "1")
    };
    text.lines().skip(1).map(row).collect()
}

fn truth(name: &str) -> f64 {
    let text = include_str!("../../../tests/data/synthetic_holdout/truth.json");
    let truth: Value = serde_json::from_str(text).unwrap();
    truth[name].as_f64().unwrap()
}

fn shares(accounts: &[(Member, bool)], happened: impl Fn(&(Member, bool)) -> bool) -> TwoProportions {
    let arm = |holdout| {
        let of = accounts.iter().filter(|(member, _)| member.holdout == holdout);
        let (x, n) = of.fold((0, 0), |(x, n), account| (x + u64::from(happened(account)), n + 1));
        Proportion::new(x, n)
    };
    TwoProportions {
        control: arm(true),
        treatment: arm(false),
    }
}

#[test]
fn k10_synthetic_holdout_intervals_cover_the_true_effects() {
    let accounts = synthetic();
    assert_eq!(accounts.len() as f64, truth("n"));
    let churn = shares(&accounts, |account| account.1).newcombe(0.05);
    assert!(churn.contains(truth("true_ate_churn")), "{churn:?}");
    let expansion = shares(&accounts, |account| account.0.expanded).newcombe(0.05);
    assert!(expansion.contains(truth("true_ate_expansion")), "{expansion:?}");

    let members: Vec<Member> = accounts.into_iter().map(|account| account.0).collect();
    let told = judged(&members);
    let arpa = comparison(&told, Measure::Arpa).unwrap();
    let effect = truth("true_ate_post_mrr") * 100.0;
    assert!(
        arpa.interval.contains(effect) && arpa.always_valid.contains(effect),
        "{arpa:?}"
    );
    assert_eq!(arpa.method, Method::Stratified, "6,000 accounts need no permutation");
    println!("arpa: {arpa:?}");
}

#[test]
fn k10_cuped_narrows_the_interval_of_the_synthetic_holdout() {
    let accounts = synthetic();
    let before: Vec<f64> = accounts.iter().map(|(member, _)| member.before as f64).collect();
    let segments: Vec<&str> = ["smb", "mid", "ent"].to_vec();
    let unit = |(member, _): &(Member, bool)| Unit {
        stratum: segments
            .iter()
            .position(|name| member.stratum.starts_with(name))
            .unwrap_or(3),
        treated: !member.holdout,
        value: member.after as f64,
        weight: 1.0,
    };
    let mut units: Vec<Unit> = accounts.iter().map(unit).collect();
    collapse(&mut units);
    let plain = estimate(&units).unwrap().interval(0.05);
    let (_, correlation) = adjust(&mut units, &before);
    let adjusted = estimate(&units).unwrap().interval(0.05);
    let effect = truth("true_ate_post_mrr") * 100.0;
    println!("plain {plain:?}, cuped {adjusted:?}, correlation {correlation}");
    assert!(plain.contains(effect) && adjusted.contains(effect));
    assert!(
        adjusted.width() < plain.width() * 0.55,
        "{} {}",
        adjusted.width(),
        plain.width()
    );
    assert!(correlation > 0.85);
}
