//! Properties: the judge and the oracle agree, and the earliest legal time is exact.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    oracle::{Fault, Kind, Limits, Seen, faults},
    *,
};

pub(super) const KINDS: [Kind; 5] = [
    Kind::Commercial,
    Kind::RenewalWithExpansion,
    Kind::Renewal,
    Kind::Educational,
    Kind::Contractual,
];
/// Half-hour zones, clock changes at midnight, a clock change of half an hour, none at all.
pub(super) const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Almaty",
    "America/New_York",
    "America/Havana",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
];

pub(super) fn class(kind: Kind) -> (TouchClass, bool) {
    match kind {
        Kind::Commercial => (TouchClass::Commercial, false),
        Kind::RenewalWithExpansion => (TouchClass::Renewal, true),
        Kind::Renewal => (TouchClass::Renewal, false),
        Kind::Educational => (TouchClass::Educational, false),
        Kind::Contractual => (TouchClass::Contractual, false),
    }
}

fn as_row(seen: &Seen) -> Row {
    let (class, proposes_expansion) = class(seen.kind);
    Row {
        proposes_expansion,
        ..row(seen.id as u128, class, seen.at)
    }
}

/// A world to judge in: limits, calendar and a legal set of touches.
#[derive(Debug, Clone)]
struct World {
    policy: CapPolicy,
    limits: Limits,
    calendar: AccountCalendar,
    legal: Vec<Seen>,
    proposal: Seen,
}

impl World {
    fn faults_at(&self, at: Timestamp) -> Vec<Fault> {
        let mut all = self.legal.clone();
        all.push(Seen { at, ..self.proposal });
        faults(&all, self.limits, &self.calendar.time_zone, self.calendar.renewal())
    }

    fn judgement(&self) -> Judgement {
        let rows: Vec<Row> = self.legal.iter().map(as_row).collect();
        let (class, proposes_expansion) = class(self.proposal.kind);
        judge(
            &self.policy,
            &self.calendar,
            &rows,
            &Proposal {
                class,
                proposes_expansion,
                at: self.proposal.at,
            },
        )
    }

    /// Where the verdict may change: a window from each touch, and the midnights of the zones.
    fn edges(&self) -> Vec<Timestamp> {
        let windows = [self.limits.c1.1, self.limits.c2.1, self.limits.c19.1];
        let around = |seen: &Seen| windows.map(|window| [seen.at + hours(window), seen.at - hours(window)]);
        let mut edges: Vec<Timestamp> = self.legal.iter().flat_map(around).flatten().collect();
        edges.extend(
            [61, 60, 59, 31, 30, 29]
                .into_iter()
                .filter_map(|days| self.calendar.start_of(days)),
        );
        edges
    }

    /// Instants before `end` at which something might be legal: a grid, and around every edge there is.
    fn probes(&self, end: Timestamp, grid: i64) -> Vec<Timestamp> {
        let start = self.proposal.at;
        let mut probes: Vec<_> = (0..)
            .map(|n| start + hours(n * grid))
            .take_while(|probe| *probe < end)
            .collect();
        let milli = SignedDuration::from_millis(1);
        probes.extend(
            self.edges()
                .into_iter()
                .flat_map(|edge| [edge - milli, edge, edge + milli]),
        );
        probes.retain(|probe| *probe >= start && *probe < end);
        probes
    }
}

/// Instants near to each other and to the edges of windows, so that collisions are common.
pub(super) fn instants() -> impl Strategy<Value = Timestamp> {
    let edge = select(vec![-1_000_000i64, -1, 0, 0, 0, 1, 1_000_000]);
    (0i64..100, 0i64..4, edge).prop_map(|(day, quarter, off)| {
        at("2026-10-01T22:00:00Z") + hours(day * 24 + quarter * 6) + SignedDuration::from_micros(off)
    })
}

fn caps() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![6 => Just(Some(1)), 3 => Just(Some(2)), 1 => Just(Some(3)), 1 => Just(Some(0)), 1 => Just(None)]
}

fn calendars() -> impl Strategy<Value = AccountCalendar> {
    (select(&ZONES[..]), prop::option::weighted(0.8, -20i64..150)).prop_map(|(zone, ahead)| {
        let renewals: Vec<Date> = ahead
            .map(|days| "2026-10-20".parse::<Date>().unwrap().saturating_add(hours(days * 24)))
            .into_iter()
            .collect();
        AccountCalendar {
            time_zone: TimeZone::get(zone).unwrap(),
            renewals,
        }
    })
}

fn worlds() -> impl Strategy<Value = World> {
    let touches = vec((select(&KINDS[..]), instants()), 0..14);
    let proposal = (select(&KINDS[..]), instants(), any::<prop::sample::Index>(), 0u8..8);
    let written = prop::bool::weighted(0.6);
    (
        calendars(),
        touches,
        proposal,
        written,
        (caps(), caps(), caps(), caps()),
    )
        .prop_map(
            |(calendar, touches, (kind, at, edge, how), written, (c1, c2, c3, c19))| {
                let limits = match written {
                    true => oracle::WRITTEN,
                    false => Limits {
                        c1: (c1, 168),
                        c2: (c2, 100),
                        c3,
                        c19: (c19, 336),
                    },
                };
                let cap = |cap: Option<usize>| cap.map_or(Cap::Unlimited, |max| Cap::AtMost(max as u32));
                let window = |(max, long): (Option<usize>, i64)| WindowCap {
                    max: cap(max),
                    window: hours(long),
                };
                let policy = CapPolicy {
                    commercial: window(limits.c1),
                    zone60: window(limits.c2),
                    zone30: cap(limits.c3),
                    educational: window(limits.c19),
                    ..CapPolicy::default()
                };
                let mut legal: Vec<Seen> = Vec::new();
                for (id, (kind, at)) in touches.into_iter().enumerate() {
                    legal.push(Seen { id, kind, at });
                    if !faults(&legal, limits, &calendar.time_zone, calendar.renewal()).is_empty() {
                        legal.pop();
                    }
                }
                let proposal = Seen { id: 999, kind, at };
                let mut world = World {
                    policy,
                    limits,
                    calendar,
                    legal,
                    proposal,
                };
                // Half of the proposals stand on an edge, or a microsecond beside it.
                let edges = world.edges();
                if how < 4 && !edges.is_empty() {
                    let beside = SignedDuration::from_micros([-1, 0, 0, 1][usize::from(how)]);
                    world.proposal.at = edges[edge.index(edges.len())] + beside;
                }
                world
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c1_c2_c3_c4_c7_c19_judge_allows_exactly_what_the_oracle_finds_legal(world in worlds()) {
        let judgement = world.judgement();
        let mut told: Vec<_> = judgement.blocking.iter().map(|blocking| blocking.rule).collect();
        let mut found: Vec<_> = world.faults_at(world.proposal.at).iter().map(|(rule, _)| *rule).collect();
        told.sort_unstable();
        found.sort_unstable();
        found.dedup();
        prop_assert_eq!(told, found);
        if judgement.allowed() {
            prop_assert_eq!(judgement.earliest, Some(world.proposal.at));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c9_the_earliest_time_is_legal_and_nothing_before_it_is(world in worlds()) {
        let judgement = world.judgement();
        let horizon = world.proposal.at + HORIZON;
        if let Some(earliest) = judgement.earliest {
            prop_assert!(earliest >= world.proposal.at && earliest <= horizon);
            prop_assert_eq!(world.faults_at(earliest), vec![]);
        }
        let grid = if judgement.earliest.is_some() { 1 } else { 24 };
        for probe in world.probes(judgement.earliest.unwrap_or(horizon), grid) {
            prop_assert!(!world.faults_at(probe).is_empty(), "{} is legal", probe);
        }
        for blocking in &judgement.blocking {
            let against = |at| world.faults_at(at).iter().any(|(rule, _)| *rule == blocking.rule);
            if let Some(earliest) = blocking.earliest {
                prop_assert!(!against(earliest));
                prop_assert!(judgement.earliest.is_none_or(|all| earliest <= all));
            }
            for probe in world.probes(blocking.earliest.unwrap_or(horizon), grid * 6) {
                prop_assert!(against(probe), "{} allows {}", blocking.rule, probe);
            }
        }
    }
}
