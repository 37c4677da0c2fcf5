//! C-1…C-4 day by day over 150 days around a renewal: every touch, and every near pair of touches, against every further
//! one, held against the oracle.

use super::{
    agreement::{KINDS, class},
    oracle::{Kind, Seen, WRITTEN, faults},
    *,
};
use crate::domain::ledger::judge::{Case, Rule};

/// From 110 days before the renewal to 39 after it.
const DAYS: std::ops::Range<i64> = -110..40;
const RENEWAL: &str = "2027-04-01";

/// Ten in the morning, `day` days after the renewal, where clocks change on the way (14 March 2027).
fn slot(zone: &TimeZone, day: i64) -> Timestamp {
    let date = RENEWAL.parse::<Date>().unwrap().saturating_add(hours(day * 24));
    zone.to_zoned(date.at(10, 0, 0, 0)).unwrap().timestamp()
}

struct Model {
    calendar: AccountCalendar,
    slots: Vec<Timestamp>,
    policy: CapPolicy,
}

impl Model {
    fn new() -> Self {
        let calendar = renewing("America/New_York", RENEWAL);
        let slots = DAYS.map(|day| slot(&calendar.time_zone, day)).collect();
        Self {
            calendar,
            slots,
            policy: CapPolicy::default(),
        }
    }

    fn faulty(&self, touches: &[Seen]) -> Vec<&'static str> {
        let found = faults(touches, WRITTEN, &self.calendar.time_zone, self.calendar.renewal());
        let mut rules: Vec<_> = found.into_iter().map(|(rule, _)| rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// Holds the judge against the oracle for one more touch among `legal` ones.
    fn check(&self, legal: &[Seen], rows: &[Row], kind: Kind, at: Timestamp) {
        let (class, proposes_expansion) = class(kind);
        let proposal = Proposal {
            class,
            proposes_expansion,
            at,
        };
        let case = Case::new(&self.policy, &self.calendar, rows, &proposal);
        let against = |rule: &Rule| case.against(*rule, at).is_some();
        let mut told: Vec<_> = Rule::ALL.into_iter().filter(against).map(Rule::id).collect();
        told.sort_unstable();
        let all: Vec<Seen> = legal.iter().copied().chain([Seen { id: 9, kind, at }]).collect();
        assert_eq!(told, self.faulty(&all), "{legal:?} and {kind:?} at {at}");
    }
}

fn as_row(seen: Seen) -> Row {
    let (class, proposes_expansion) = class(seen.kind);
    Row {
        proposes_expansion,
        ..row(seen.id as u128, class, seen.at)
    }
}

#[test]
fn c1_c2_c3_c4_every_touch_on_every_day_against_every_other() {
    let model = Model::new();
    for at in &model.slots {
        for kind in KINDS {
            let first = Seen { id: 1, kind, at: *at };
            let rows = [as_row(first)];
            for other in &model.slots {
                for kind in KINDS {
                    model.check(&[first], &rows, kind, *other);
                }
            }
        }
    }
}

#[test]
fn c1_c2_c3_c4_every_near_pair_on_every_day_against_every_third() {
    const NEAR: usize = 8;
    let model = Model::new();
    let kinds = [Kind::Commercial, Kind::Renewal];
    for (day, at) in model.slots.iter().enumerate() {
        for (kind, apart, other) in kinds
            .into_iter()
            .flat_map(|kind| (1..NEAR).flat_map(move |apart| kinds.into_iter().map(move |other| (kind, apart, other))))
        {
            let Some(second) = model.slots.get(day + apart) else {
                continue;
            };
            let pair = [
                Seen { id: 1, kind, at: *at },
                Seen {
                    id: 2,
                    kind: other,
                    at: *second,
                },
            ];
            if !model.faulty(&pair).is_empty() {
                continue;
            }
            let rows = pair.map(as_row);
            let near = day.saturating_sub(NEAR)..(day + apart + NEAR + 1).min(model.slots.len());
            for third in near {
                for kind in [Kind::Commercial, Kind::RenewalWithExpansion, Kind::Educational] {
                    model.check(&pair, &rows, kind, model.slots[third]);
                }
            }
        }
    }
}
