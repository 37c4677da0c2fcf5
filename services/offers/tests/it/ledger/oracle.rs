//! A second opinion on the limits, written from the words of the rules alone: it shares no code with the judge, and looks
//! at whole sets of touches where the judge looks at one more.

use jiff::{Timestamp, ToSpan as _, Unit, civil::Date, tz::TimeZone};

/// What a touch is to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Commercial,
    RenewalWithExpansion,
    Renewal,
    Educational,
    Contractual,
}

/// A touch with a number to name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: usize,
    pub(crate) kind: Kind,
    pub(crate) at: Timestamp,
}

/// How many touches a rule allows (`None`: any number) in how many hours.
pub(crate) type Limit = (Option<usize>, i64);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) c1: Limit,
    pub(crate) c2: Limit,
    pub(crate) c3: Option<usize>,
    pub(crate) c19: Limit,
}

/// The limits of the rules as they are written.
pub(crate) const WRITTEN: Limits = Limits {
    c1: (Some(1), 168),
    c2: (Some(2), 168),
    c3: Some(1),
    c19: (Some(1), 14 * 24),
};

/// Touches that may not stand together, by rule.
pub(crate) type Fault = (&'static str, Vec<usize>);

/// Everything that is wrong with a set of touches of one account.
pub(crate) fn faults(touches: &[Seen], limits: Limits, zone: &TimeZone, renewal: Option<Date>) -> Vec<Fault> {
    use Kind::{Commercial, Contractual, Educational, RenewalWithExpansion};
    let pick = |wanted: &dyn Fn(&Seen) -> bool| touches.iter().copied().filter(|t| wanted(t)).collect::<Vec<_>>();
    let d = |t: &Seen| {
        let local = t.at.to_zoned(zone.clone()).date();
        renewal.map(|renewal| (renewal - local).get_days())
    };
    let commercial = pick(&|t| matches!(t.kind, Commercial | RenewalWithExpansion));
    let educational = pick(&|t| t.kind == Educational);
    let sixty = pick(&|t| t.kind != Contractual && d(t).is_some_and(|d| d <= 60 && d > 30));
    let thirty = pick(&|t| t.kind != Contractual && d(t).is_some_and(|d| d <= 30));
    let mut all = crowded("C-1", commercial, limits.c1);
    all.extend(crowded("C-2", sixty, limits.c2));
    all.extend(crowded("C-19", educational, limits.c19));
    if limits.c3.is_some_and(|max| thirty.len() > max) {
        all.push(("C-3", thirty.iter().map(|t| t.id).collect()));
    }
    all
}

/// Every run of one touch too many whose last comes before `hours` have passed since its first.
fn crowded(rule: &'static str, mut touches: Vec<Seen>, (max, hours): Limit) -> Vec<Fault> {
    let Some(max) = max else { return Vec::new() };
    touches.sort_by_key(|t| t.at);
    let runs = touches.windows(max + 1);
    let tight = runs.filter(|run| {
        let span = (run[max].at - run[0].at).total(Unit::Nanosecond).unwrap();
        max == 0 || span < hours.hours().total(Unit::Nanosecond).unwrap()
    });
    tight.map(|run| (rule, run.iter().map(|t| t.id).collect())).collect()
}
