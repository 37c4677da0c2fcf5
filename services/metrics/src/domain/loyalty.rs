//! How loyal the accounts stayed: NPS, CSAT, complaints and unsubscribes before and after, as a test of non-inferiority (K-12, C-15).

use super::{
    stats::{Interval, dist::normal_critical, sample::Sample, welch::welch},
    window::Window,
};

/// Days of a month (§9).
const MONTH: f64 = 30.4375;
/// Error rate of the intervals.
const ALPHA: f64 = 0.05;
/// Fewest answers on each side for a word on a score.
const ANSWERS_MIN: u64 = 5;

/// By how much a number may get worse before it counts as harm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margins {
    /// NPS, in points.
    pub nps: f64,
    /// Mean CSAT.
    pub csat: f64,
    /// Complaints per 100 accounts and month.
    pub complaints: f64,
    /// Unsubscribes per 100 accounts and month.
    pub unsubscribes: f64,
}

impl Default for Margins {
    fn default() -> Self {
        Self {
            nps: 10.0,
            csat: 0.3,
            complaints: 2.0,
            unsubscribes: 2.0,
        }
    }
}

/// What the accounts of a segment said in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// Promoters, passives and detractors.
    pub nps: [u64; 3],
    /// Answers to CSAT by score, 1 to 5.
    pub csat: [u64; 5],
    /// Complaints.
    pub complaints: u64,
    /// People who wanted no more messages on a channel.
    pub unsubscribes: u64,
    /// Accounts that paid at some time.
    pub accounts: u64,
    /// Length of the window in days.
    pub days: i32,
}

/// Whether a number is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// For sure not worse by the margin or more.
    NotWorse,
    /// For sure worse.
    Worse,
    /// The answers do not decide.
    Undecided,
}

/// After − before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The difference.
    pub difference: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// What may be said.
    pub verdict: Verdict,
}

impl Heard {
    /// Nothing yet, over this window.
    pub fn nothing(window: Window) -> Self {
        Self {
            days: window.days(),
            ..Self::default()
        }
    }

    /// Answers to NPS with their points: 100, 0 and −100.
    fn nps_sample(&self) -> Sample {
        sample([100.0, 0.0, -100.0], self.nps)
    }

    fn csat_sample(&self) -> Sample {
        sample([1.0, 2.0, 3.0, 4.0, 5.0], self.csat)
    }

    /// Net promoter score; `None` without answers.
    pub fn score(&self) -> Option<f64> {
        let answers = self.nps_sample();
        (answers.n() > 0).then(|| answers.mean())
    }

    /// Mean CSAT; `None` without answers.
    pub fn satisfaction(&self) -> Option<f64> {
        let answers = self.csat_sample();
        (answers.n() > 0).then(|| answers.mean())
    }

    /// Hundreds of accounts × months.
    fn exposure(&self) -> f64 {
        self.accounts as f64 / 100.0 * f64::from(self.days) / MONTH
    }

    /// Complaints per 100 accounts and month; `None` without accounts.
    pub fn complaint_rate(&self) -> Option<f64> {
        self.rate(self.complaints)
    }

    /// Unsubscribes per 100 accounts and month; `None` without accounts.
    pub fn unsubscribe_rate(&self) -> Option<f64> {
        self.rate(self.unsubscribes)
    }

    fn rate(&self, count: u64) -> Option<f64> {
        (self.accounts > 0).then(|| count as f64 / self.exposure())
    }

    /// Both together; of the same window.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (count, more) in self.nps.iter_mut().zip(other.nps) {
            *count += more;
        }
        for (count, more) in self.csat.iter_mut().zip(other.csat) {
            *count += more;
        }
        self.complaints += other.complaints;
        self.unsubscribes += other.unsubscribes;
        self.accounts += other.accounts;
        self
    }

    /// Counts NPS answers of one score.
    pub fn add_nps(&mut self, score: i64, times: u64) {
        let index = match score {
            9.. => 0,
            7..9 => 1,
            _ => 2,
        };
        self.nps[index] += times;
    }

    /// Counts CSAT answers of one score.
    pub fn add_csat(&mut self, score: i64, times: u64) {
        if let Some(count) = usize::try_from(score - 1)
            .ok()
            .and_then(|index| self.csat.get_mut(index))
        {
            *count += times;
        }
    }
}

fn sample<const N: usize>(values: [f64; N], counts: [u64; N]) -> Sample {
    let n = counts.iter().sum();
    let weighted = |power: i32| -> f64 {
        values
            .iter()
            .zip(counts)
            .map(|(value, count)| value.powi(power) * count as f64)
            .sum()
    };
    Sample::from_sums(n, weighted(1), weighted(2))
}

/// NPS after − before.
pub fn nps_change(before: &Heard, after: &Heard, margins: Margins) -> Option<Change> {
    mean_change(before.nps_sample(), after.nps_sample(), margins.nps)
}

/// CSAT after − before.
pub fn csat_change(before: &Heard, after: &Heard, margins: Margins) -> Option<Change> {
    mean_change(before.csat_sample(), after.csat_sample(), margins.csat)
}

fn mean_change(before: Sample, after: Sample, margin: f64) -> Option<Change> {
    if before.n() == 0 || after.n() == 0 {
        return None;
    }
    let difference = after.mean() - before.mean();
    // Answers that are all alike have no spread of their own; few answers decide nothing.
    let enough = before.n().min(after.n()) >= ANSWERS_MIN;
    let tested = welch(before, after).filter(|tested| enough && tested.se > 0.0);
    let interval = tested.map_or(Interval::EVERYTHING, |tested| tested.interval(ALPHA));
    Some(Change {
        difference,
        interval,
        verdict: verdict(interval, margin),
    })
}

/// Complaints per 100 accounts and month after − before.
pub fn complaints_change(before: &Heard, after: &Heard, margins: Margins) -> Option<Change> {
    rate_change([before, after], |heard| heard.complaints, margins.complaints)
}

/// Unsubscribes per 100 accounts and month after − before.
pub fn unsubscribes_change(before: &Heard, after: &Heard, margins: Margins) -> Option<Change> {
    rate_change([before, after], |heard| heard.unsubscribes, margins.unsubscribes)
}

/// Counts are Poisson, with one half added to each so that nothing at all is not certainty.
fn rate_change([before, after]: [&Heard; 2], count: fn(&Heard) -> u64, margin: f64) -> Option<Change> {
    let (first, last) = (before.rate(count(before))?, after.rate(count(after))?);
    let part = |heard: &Heard| (count(heard) as f64 + 0.5) / heard.exposure().powi(2);
    let half = normal_critical(ALPHA) * (part(before) + part(after)).sqrt();
    let interval = Interval::around(last - first, half);
    let mirrored = Interval {
        low: -interval.high,
        high: -interval.low,
    };
    Some(Change {
        difference: last - first,
        interval,
        verdict: verdict(mirrored, margin),
    })
}

/// Of a number that is good when it is high.
fn verdict(interval: Interval, margin: f64) -> Verdict {
    if interval.high < 0.0 && interval.low <= -margin {
        Verdict::Worse
    } else if interval.low > -margin {
        Verdict::NotWorse
    } else {
        Verdict::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nps(promoters: u64, passives: u64, detractors: u64) -> Heard {
        Heard {
            nps: [promoters, passives, detractors],
            accounts: 100,
            days: 90,
            ..Heard::default()
        }
    }

    #[test]
    fn k12_nps_is_promoters_less_detractors() {
        assert_eq!(nps(5, 3, 2).score(), Some(30.0));
        assert_eq!(nps(0, 0, 0).score(), None);
        let mut heard = nps(0, 0, 0);
        for score in 0..=10 {
            heard.add_nps(score, 1);
        }
        assert_eq!(heard.nps, [2, 2, 7]);
    }

    #[test]
    fn c15_harm_is_told_on_evidence_and_harmlessness_too() {
        for (before, after, expected) in [
            (nps(60, 20, 20), nps(20, 20, 60), Verdict::Worse),
            (nps(600, 200, 200), nps(600, 200, 200), Verdict::NotWorse),
            (nps(6, 2, 2), nps(5, 2, 3), Verdict::Undecided),
            (nps(1, 0, 0), nps(0, 0, 1), Verdict::Undecided),
            (nps(2, 2, 6), nps(60, 20, 2), Verdict::NotWorse),
        ] {
            let change = nps_change(&before, &after, Margins::default()).unwrap();
            assert_eq!(change.verdict, expected, "{change:?}");
            assert!(change.interval.contains(change.difference));
        }
        assert_eq!(nps_change(&nps(0, 0, 0), &nps(5, 0, 0), Margins::default()), None);
    }

    #[test]
    fn k12_complaints_are_told_per_hundred_accounts_and_month() {
        let heard = |complaints| Heard {
            complaints,
            accounts: 200,
            days: 61,
            ..Heard::default()
        };
        let rate = heard(12).complaint_rate().unwrap();
        assert!((rate - 12.0 / 2.0 / (61.0 / MONTH)).abs() < 1e-12);
        let change = |before, after| complaints_change(&heard(before), &heard(after), Margins::default()).unwrap();
        assert_eq!(change(2, 40).verdict, Verdict::Worse);
        assert_eq!(change(0, 0).verdict, Verdict::NotWorse);
        assert_eq!(Heard::default().complaint_rate(), None);
    }

    #[test]
    fn k12_unsubscribes_are_told_like_complaints_and_apart_from_them() {
        let heard = |unsubscribes| Heard {
            unsubscribes,
            accounts: 200,
            days: 61,
            ..Heard::default()
        };
        let rate = heard(12).unsubscribe_rate().unwrap();
        assert!((rate - 6.0 / (61.0 / MONTH)).abs() < 1e-12);
        let margins = Margins::default();
        let worse = unsubscribes_change(&heard(2), &heard(40), margins).unwrap();
        assert_eq!(worse.verdict, Verdict::Worse);
        let complaints = complaints_change(&heard(2), &heard(40), margins).unwrap();
        assert_eq!((complaints.verdict, complaints.difference), (Verdict::NotWorse, 0.0));
        let both = heard(2).plus(&heard(3));
        assert_eq!((both.unsubscribes, both.accounts), (5, 400));
    }
}
