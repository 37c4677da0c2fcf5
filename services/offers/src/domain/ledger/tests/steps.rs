//! Property: whatever the senders do in whatever order, the touches of ours stay legal at all times.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    agreement::{KINDS, ZONES, class},
    oracle::{Kind, Seen, WRITTEN, faults},
    *,
};

#[derive(Debug, Clone)]
enum Step {
    Reserve { kind: Kind, ahead: i64 },
    Begin(prop::sample::Index),
    Confirm(prop::sample::Index, i64),
    Release(prop::sample::Index, ReleaseReason),
    Observe { kind: Kind, ago: i64 },
    Wait(i64),
    MoveRenewal(Option<i64>),
}

#[derive(Debug)]
struct Ledger {
    now: Timestamp,
    standing: Standing,
    policy: CapPolicy,
    touches: Vec<Touch>,
    moved: bool,
}

impl Ledger {
    fn rows(&self) -> Vec<Row> {
        self.touches.iter().map(Touch::row).collect()
    }

    fn put(&mut self, touch: Touch) {
        self.touches.retain(|known| known.id != touch.id);
        self.touches.push(touch);
    }

    fn free(&mut self, ids: &[Uuid]) {
        for touch in self.touches.iter_mut().filter(|touch| ids.contains(&touch.id)) {
            *touch = touch.release(ReleaseReason::Displaced).unwrap().unwrap();
        }
    }

    fn step(&mut self, n: usize, step: Step) {
        let (rows, count) = (self.rows(), self.touches.len());
        match step {
            Step::Reserve { kind, ahead } => {
                let (class, proposes_expansion) = class(kind);
                let command = reserve(&n.to_string(), class, self.now + hours(ahead));
                let command = Reserve {
                    proposes_expansion,
                    ..command
                };
                if let Ok(touch) = command.decide(&self.policy, &self.standing, &rows, self.now) {
                    self.put(touch);
                }
            }
            Step::Begin(which) if count > 0 => {
                let touch = &self.touches[which.index(count)];
                if let Ok(Some(begun)) = touch.begin(&self.policy, &self.standing, &rows, self.now) {
                    self.put(begun.touch);
                    self.free(&begun.displaced);
                }
            }
            Step::Confirm(which, ago) if count > 0 => {
                let touch = &self.touches[which.index(count)];
                let made = Some(self.now - hours(ago));
                let outcome = touch.confirm(&self.policy, &self.standing.calendar, &rows, made, self.now);
                if let Ok(Some(confirmation)) = outcome {
                    self.put(confirmation.touch);
                    self.free(&confirmation.displaced);
                }
            }
            Step::Release(which, reason) if count > 0 => {
                if let Ok(Some(released)) = self.touches[which.index(count)].release(reason) {
                    self.put(released);
                }
            }
            Step::Observe { kind, ago } => self.observe(n, kind, ago),
            Step::Wait(hours_) => {
                self.now += hours(hours_);
                let now = self.now;
                let expired: Vec<Touch> = self.touches.iter().filter_map(|touch| touch.expire(now)).collect();
                expired.into_iter().for_each(|touch| self.put(touch));
            }
            Step::MoveRenewal(ahead) => {
                let today = self.standing.calendar.time_zone.to_datetime(self.now).date();
                let date = ahead.map(|days| today.saturating_add(hours(days * 24)));
                self.standing.calendar.renewals = date.into_iter().collect();
                let illegal = recheck(&self.policy, &self.standing.calendar, &rows);
                self.free(&illegal);
                self.moved = true;
            }
            _ => {}
        }
    }

    fn observe(&mut self, n: usize, kind: Kind, ago: i64) {
        let (class, proposes_expansion) = class(kind);
        let seen = Observe {
            fact_id: format!("crm/{n}"),
            account_id: "acme".to_owned(),
            class,
            proposes_expansion,
            channel: Channel::Email,
            sender: "crm".to_owned(),
            contact_id: String::new(),
            made_at: self.now - hours(ago),
        };
        self.put(seen.touch(&self.policy, &self.standing.calendar, self.now));
    }

    /// What of ours is wrong. After a renewal date moved, touches whose sending has begun cannot be helped.
    fn wrong(&self) -> Vec<(&'static str, Vec<usize>)> {
        let ours: Vec<&Touch> = self
            .touches
            .iter()
            .filter(|t| t.state.counts() && t.state != TouchState::Observed)
            .collect();
        let seen: Vec<Seen> = ours
            .iter()
            .enumerate()
            .map(|(id, t)| Seen {
                id,
                kind: kind(t),
                at: t.counts_at(),
            })
            .collect();
        let calendar = &self.standing.calendar;
        let mut found = faults(&seen, WRITTEN, &calendar.time_zone, calendar.renewal());
        let waits = |id: &usize| ours[*id].state == TouchState::Reserved;
        found.retain(|(_, ids)| !self.moved || ids.iter().any(waits));
        found
    }
}

pub(super) fn kind(touch: &Touch) -> Kind {
    let of = |kind: &Kind| class(*kind) == (touch.class, touch.proposes_expansion);
    KINDS.into_iter().find(of).unwrap()
}

fn steps() -> impl Strategy<Value = Step> {
    let reasons = vec![ReleaseReason::Cancelled, ReleaseReason::NotSent, ReleaseReason::Bounced];
    prop_oneof![
        8 => (select(&KINDS[..]), 0i64..500).prop_map(|(kind, ahead)| Step::Reserve { kind, ahead }),
        4 => (select(&KINDS[..]), 0i64..2).prop_map(|(kind, ahead)| Step::Reserve { kind, ahead }),
        8 => any::<prop::sample::Index>().prop_map(Step::Begin),
        5 => (any::<prop::sample::Index>(), 0i64..100).prop_map(|(which, ago)| Step::Confirm(which, ago)),
        2 => (any::<prop::sample::Index>(), select(reasons)).prop_map(|(which, why)| Step::Release(which, why)),
        1 => (select(&KINDS[..]), 0i64..300).prop_map(|(kind, ago)| Step::Observe { kind, ago }),
        8 => (0i64..60).prop_map(Step::Wait),
    ]
}

fn play(zone: &str, renewal: i64, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let start: Date = "2026-10-12".parse().unwrap();
    let calendar = AccountCalendar {
        time_zone: TimeZone::get(zone).unwrap(),
        renewals: vec![start.saturating_add(hours(renewal * 24))],
    };
    let mut ledger = Ledger {
        now: at(MONDAY),
        standing: standing(calendar),
        policy: CapPolicy::default(),
        touches: Vec::new(),
        moved: false,
    };
    for (n, step) in steps.into_iter().enumerate() {
        let told = format!("{step:?}");
        ledger.step(n, step);
        prop_assert_eq!(ledger.wrong(), vec![], "after step {} {}: {:#?}", n, told, ledger);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c6_any_order_of_steps_keeps_our_touches_legal(
        zone in select(&ZONES[..]), renewal in 5i64..120, steps in vec(steps(), 1..60),
    ) {
        play(zone, renewal, steps)?;
    }

    #[test]
    fn c8_moved_renewals_leave_no_illegal_reservation(
        zone in select(&ZONES[..]),
        renewal in 5i64..120,
        steps in vec(prop_oneof![
            9 => steps(),
            1 => prop::option::of(-5i64..100).prop_map(Step::MoveRenewal),
        ], 1..60),
    ) {
        play(zone, renewal, steps)?;
    }
}
