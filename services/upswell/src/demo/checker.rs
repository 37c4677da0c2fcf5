//! Judges the ledger anew, from its rows alone, by brute force: it shares no code with the ledger that granted them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use upswell_proto::{
    offers::v1::{Touch, touch::State},
    vocabulary::v1::TouchClass,
};

use crate::wire::{date, instant};

/// What the checker found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each broken limit, for a person.
    pub violations: Vec<String>,
    /// Confirmed and observed touches of every class but contractual inside the window.
    pub touches: u64,
}

/// Checks the touches of all accounts and counts those between `start` and `end`. A touch is judged by the renewal date
/// that its row recorded; touches of other tools count, and are no violation of ours.
pub fn check(touches: &[Touch], zones: &BTreeMap<String, TimeZone>, start: Timestamp, end: Timestamp) -> Findings {
    let mut findings = Findings::default();
    let mut accounts: BTreeMap<&str, Vec<Counted<'_>>> = BTreeMap::new();
    for touch in touches.iter().filter(|touch| counts(touch)) {
        let zone = zones.get(&touch.account_id).cloned().unwrap_or(TimeZone::UTC);
        let Some(counted) = Counted::new(touch, &zone) else {
            findings
                .violations
                .push(format!("touch {} has no time", touch.touch_id));
            continue;
        };
        if counted.at >= start && counted.at < end && counted.made {
            findings.touches += 1;
        }
        accounts.entry(&touch.account_id).or_default().push(counted);
    }
    for (account, touches) in &accounts {
        check_account(account, touches, &mut findings.violations);
    }
    findings
}

struct Counted<'a> {
    touch: &'a Touch,
    at: Timestamp,
    commercial: bool,
    educational: bool,
    made: bool,
    ours: bool,
    renewal: Option<Date>,
    /// Days to the renewal that the row recorded, on the account's calendar.
    days_left: Option<i32>,
}

impl<'a> Counted<'a> {
    fn new(touch: &'a Touch, zone: &TimeZone) -> Option<Self> {
        let at = instant(touch.actual_time.as_ref()).or_else(|| instant(touch.planned_time.as_ref()))?;
        let renewal = date(touch.judged_renewal_date.as_ref());
        let day = at.to_zoned(zone.clone()).date();
        Some(Self {
            touch,
            at,
            commercial: touch.class() == TouchClass::Commercial
                || (touch.class() == TouchClass::Renewal && touch.proposes_expansion),
            educational: touch.class() == TouchClass::Educational,
            made: matches!(touch.state(), State::Confirmed | State::Observed),
            ours: touch.state() != State::Observed,
            renewal,
            days_left: renewal
                .and_then(|renewal| day.until(renewal).ok())
                .map(|span| span.get_days()),
        })
    }

    fn negotiating(&self) -> bool {
        self.days_left.is_some_and(|days| (31..=60).contains(&days))
    }

    fn closing(&self) -> bool {
        self.days_left.is_some_and(|days| days <= 30)
    }
}

fn counts(touch: &Touch) -> bool {
    touch.class() != TouchClass::Contractual
        && matches!(
            touch.state(),
            State::Reserved | State::Sending | State::Confirmed | State::Observed
        )
}

fn check_account(account: &str, touches: &[Counted<'_>], violations: &mut Vec<String>) {
    let mut broken = |rule: &str, group: &[&Counted<'_>]| {
        // The last touch of ours broke the limit; where all were made by other tools, nothing of ours did.
        if group.iter().any(|counted| counted.ours) {
            let list: Vec<String> = group.iter().map(|counted| counted.at.to_string()).collect();
            violations.push(format!("{rule}: account {account}: {}", list.join(", ")));
        }
    };
    let week = SignedDuration::from_hours(168);
    let close = |a: &Counted<'_>, b: &Counted<'_>, gap| a.at.duration_since(b.at).abs() < gap;
    for (index, first) in touches.iter().enumerate() {
        for second in &touches[index + 1..] {
            if first.commercial && second.commercial && close(first, second, week) {
                broken("C-1", &[first, second]);
            }
            if first.educational && second.educational && close(first, second, week * 2) {
                broken("C-19", &[first, second]);
            }
            if first.closing() && second.closing() && first.renewal == second.renewal {
                broken("C-3", &[first, second]);
            }
            for third in touches
                .iter()
                .filter(|third| !std::ptr::eq(*third, first) && !std::ptr::eq(*third, second))
            {
                let zone = first.negotiating() && second.negotiating() && third.negotiating();
                let together = close(first, second, week) && close(first, third, week) && close(second, third, week);
                if zone && together && third.touch.touch_id > second.touch.touch_id {
                    broken("C-2", &[first, second, third]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{to_date, to_instant};

    fn touch(id: &str, at: &str, class: TouchClass, renewal: Option<&str>) -> Touch {
        Touch {
            touch_id: id.to_owned(),
            account_id: "a".to_owned(),
            class: class.into(),
            state: State::Confirmed.into(),
            actual_time: Some(to_instant(at.parse().unwrap())),
            judged_renewal_date: renewal.map(|day| to_date(day.parse().unwrap())),
            ..Touch::default()
        }
    }

    fn findings(touches: &[Touch]) -> Findings {
        let all = |text: &str| text.parse().unwrap();
        check(
            touches,
            &BTreeMap::new(),
            all("2026-01-01T00:00:00Z"),
            all("2027-01-01T00:00:00Z"),
        )
    }

    #[test]
    fn c1_is_seen_a_microsecond_inside_a_week_and_not_at_a_week() {
        let first = touch("1", "2026-03-01T10:00:00Z", TouchClass::Commercial, None);
        let week = touch("2", "2026-03-08T10:00:00Z", TouchClass::Commercial, None);
        let inside = touch("3", "2026-03-08T09:59:59.999999Z", TouchClass::Commercial, None);
        assert_eq!(findings(&[first.clone(), week]).violations.len(), 0);
        assert_eq!(findings(&[first, inside]).violations.len(), 1);
    }

    #[test]
    fn c2_and_c3_are_seen_in_their_zones_only() {
        let renewal = Some("2026-06-30");
        let at = |id: &str, at: &str| touch(id, at, TouchClass::Educational, renewal);
        let apart = [at("1", "2026-05-05T10:00:00Z"), at("2", "2026-05-20T10:00:00Z")];
        assert_eq!(findings(&apart).violations.len(), 0);
        let closing = [at("1", "2026-06-01T10:00:00Z"), at("2", "2026-06-25T10:00:00Z")];
        assert_eq!(findings(&closing).violations.len(), 1);
        let renewal_touch = |id: &str, at: &str| touch(id, at, TouchClass::Renewal, renewal);
        let three = ["2026-05-05T10:00:00Z", "2026-05-06T10:00:00Z", "2026-05-07T10:00:00Z"];
        let three: Vec<Touch> = three
            .iter()
            .enumerate()
            .map(|(at, day)| renewal_touch(&at.to_string(), day))
            .collect();
        assert_eq!(findings(&three).violations.len(), 1);
        assert_eq!(findings(&three[..2]).violations.len(), 0);
    }
}
