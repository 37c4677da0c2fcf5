//! SG-7: a plan limit is near. It fires as facts arrive (SG-R4): use counts up to now, today included.
//!
//! 80 % of the limit is a signal. Its grade comes from the burn rate: `high` when the limit is exhausted within
//! `high_days`, `low` when it will not be exhausted before the month ends, else `normal`; one grade more from 90 %;
//! `exceeded` from 100 %. Below 80 % a forecast alone is a signal when it is `high` and enough of the month has
//! passed: 30 % on day 3 is exhausted in 7 days. So 80 % on day 27 of 30 is low and 30 % on day 3 is high.
//!
//! A standing limit (gigabytes stored) has no month: its rate is the growth over the last 30 days.
//!
//! Subject: the metric. Evidence: `used_percent`, `used` (baseline: the limit), `limit_value`, and where the limit
//! will be reached `days_to_exhaustion` (0 when it is); for a month's limit also `days_left`.

use std::collections::BTreeMap;

use super::{Sightings, reaches};
use crate::domain::{
    facts::Facts,
    moment::{Moment, days_before, days_between},
    series::{Series, Window},
    signal::{Evidence, Grade, Key, Kind, Observation, Sighting},
    thresholds::LimitApproach,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &LimitApproach, seen: &mut Sightings) {
    for ((metric, standing), value) in limits(facts, moment) {
        let burn = match facts.usage.get(metric) {
            None => None,
            Some(series) if standing => Burn::standing(series, value, moment, rule),
            Some(series) => Some(Burn::monthly(series, value, moment)),
        };
        let sighting = burn.map_or(Some(Sighting::Unknown), |burn| burn.sighting(metric, rule));
        // A metric with both kinds of limit keeps the more pressing one.
        let known = seen.get(&Key::new(Kind::LimitApproach, metric)).and_then(grade);
        if known.is_none() || known < sighting.as_ref().and_then(grade) {
            seen.add(Kind::LimitApproach, metric, sighting);
        }
    }
}

fn grade(sighting: &Sighting) -> Option<Grade> {
    match sighting {
        Sighting::Holds(seen) => Some(seen.grade),
        Sighting::Unknown => None,
    }
}

/// The limits in force today; those of several subscriptions add up. What the product itself says of a metric stands for it.
fn limits<'a>(facts: &'a Facts, moment: &Moment) -> BTreeMap<(&'a str, bool), i64> {
    let mut limits: BTreeMap<_, i64> = BTreeMap::new();
    for limit in facts.terms_on(moment.today).into_iter().flat_map(|terms| &terms.limits) {
        let total = limits.entry((limit.metric.as_str(), limit.standing)).or_default();
        *total = total.saturating_add(limit.value);
    }
    for limit in facts.plan_limits.iter().filter(|limit| limit.at <= moment.now) {
        let metric = limit.metric.as_str();
        limits.retain(|(known, _), _| *known != metric);
        limits.extend(limit.value.map(|value| ((metric, limit.standing), value)));
    }
    limits
}

/// How fast a limit is used up.
struct Burn {
    used: i128,
    limit: i128,
    /// Units used in `rate_days` days; not positive when nothing is used up.
    rate_units: i128,
    rate_days: i32,
    /// Days until the month ends; `None` for a standing limit.
    days_left: Option<i32>,
    /// Enough days have passed to trust the rate.
    is_settled: bool,
    window: Window,
}

impl Burn {
    fn monthly(series: &Series, limit: i64, moment: &Moment) -> Self {
        let window = Window {
            first: moment.today.first_of_month(),
            last: moment.today,
        };
        let has_today = series.latest(moment.today).is_some_and(|(day, _)| day == moment.today);
        // Without a count for today, only the days before it have passed.
        let elapsed = i32::from(moment.today.day()) - i32::from(!has_today);
        let used = series.tally(window).sum;
        Self {
            used,
            limit: limit.into(),
            rate_units: used,
            rate_days: elapsed,
            days_left: Some(i32::from(moment.today.days_in_month()) - elapsed),
            is_settled: true,
            window,
        }
    }

    fn standing(series: &Series, limit: i64, moment: &Moment, rule: &LimitApproach) -> Option<Self> {
        let (day, used) = series.latest(moment.today)?;
        let base = series.latest(days_before(day, rule.rate_days));
        let (since, before) = base.or_else(|| series.within(Window::ending(day, rule.rate_days)).first().copied())?;
        Some(Self {
            used: used.into(),
            limit: limit.into(),
            rate_units: i128::from(used) - i128::from(before),
            rate_days: days_between(since, day),
            days_left: None,
            is_settled: days_between(since, day) >= rule.rate_days,
            window: Window {
                first: since,
                last: day,
            },
        })
    }

    fn sighting(&self, metric: &str, rule: &LimitApproach) -> Option<Sighting> {
        let percent = self.percent();
        let urgent = self.exhausts_within(rule.high_days) && self.is_settled && self.rate_days >= rule.min_elapsed_days;
        let grade = if self.used > 0 && self.used >= self.limit {
            Grade::Exceeded
        } else if reaches(percent, rule.percent) {
            let grade = self.grade(rule);
            if reaches(percent, rule.up_percent) {
                grade.up()
            } else {
                grade
            }
        } else if urgent {
            Grade::High
        } else {
            return None;
        };
        let share = (percent / 100.0).clamp(0.0, 1.0);
        let strength = if grade == Grade::High { share.max(0.9) } else { share };
        Some(Sighting::Holds(Observation {
            grade,
            strength,
            evidence: self.evidence(metric, percent),
            raised_by: None,
        }))
    }

    fn grade(&self, rule: &LimitApproach) -> Grade {
        // Exhausted before the month ends, or soon where there is no month.
        let in_time = self.exhausts_within(self.days_left.unwrap_or(rule.soon_days));
        match (in_time, self.exhausts_within(rule.high_days)) {
            (true, true) => Grade::High,
            (true, false) => Grade::Normal,
            (false, _) => Grade::Low,
        }
    }

    /// True when the rest is used up within `days`, and before the month ends: (limit − used) / rate ≤ days.
    fn exhausts_within(&self, days: i32) -> bool {
        let days = self.days_left.map_or(days, |left| left.min(days));
        let rest = (self.limit - self.used).max(0);
        self.rate_units > 0 && rest * i128::from(self.rate_days) <= self.rate_units * i128::from(days)
    }

    /// Nothing is included in a limit of 0, so any use is all of it.
    fn percent(&self) -> f64 {
        match (self.limit, self.used) {
            (..=0, ..=0) => 0.0,
            (..=0, _) => 100.0,
            (limit, used) => (used * 100) as f64 / limit as f64,
        }
    }

    fn evidence(&self, metric: &str, percent: f64) -> Vec<Evidence> {
        let source = format!("usage/{metric}");
        let figure = |name, value, unit| Evidence::new(name, value, unit, self.window, &source);
        let limit = self.limit as f64;
        let mut evidence = vec![
            figure("used_percent", percent, "%"),
            figure("used", self.used as f64, "1").against(limit),
            figure("limit_value", limit, "1"),
        ];
        if self.rate_units > 0 {
            let rest = (self.limit - self.used).max(0);
            let days = (rest * i128::from(self.rate_days)) as f64 / self.rate_units as f64;
            evidence.push(figure("days_to_exhaustion", days, "d"));
        }
        if let Some(left) = self.days_left {
            evidence.push(figure("days_left", f64::from(left), "d"));
        }
        evidence
    }
}
