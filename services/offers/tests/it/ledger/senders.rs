//! Many senders at once: whatever they do, never one touch too many.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use upswell_offers::domain::{
    ledger::{ReleaseReason, Reserve, Touch},
    vocabulary::{Channel, TouchClass, TouchState},
};

use super::{
    World,
    oracle::{Kind, Seen, WRITTEN, faults},
};

/// Account, time zone, renewal. The last two are moved while the senders work.
const ACCOUNTS: [(&str, &str, Option<&str>); 5] = [
    ("far", "UTC", None),
    ("sixty", "America/New_York", Some("2026-12-05")),
    ("thirty", "Asia/Almaty", Some("2026-11-20")),
    ("moved-1", "America/Havana", Some("2027-03-01")),
    ("moved-2", "Asia/Kathmandu", Some("2026-11-15")),
];
const SENDERS: u64 = 12;
const CALLS: u64 = 12;

/// SplitMix64: the interleaving is up to the machine, what is asked is not.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c1_to_c9_many_senders_never_make_one_touch_too_many() {
    let world = Arc::new(World::new().await);
    for (account, zone, renewal) in ACCOUNTS {
        world
            .account(account, zone, renewal.map(|date| date.parse().unwrap()))
            .await;
    }
    let senders = (0..SENDERS).map(|sender| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { send(&world, sender).await })
    });
    let mut granted = 0;
    for sender in senders.collect::<Vec<_>>() {
        granted += sender.await.unwrap();
        for (account, zone, renewal) in &ACCOUNTS[..3] {
            assert_eq!(
                wrong(&world.touches(account).await, zone, *renewal, false),
                vec![],
                "{account}"
            );
        }
    }
    assert!(granted >= 10, "the senders only got {granted} touches");
    for (account, zone, _) in &ACCOUNTS[3..] {
        let moved = world.renew(account, "2026-12-01".parse().unwrap(), false).await;
        drop(moved);
        assert_eq!(
            wrong(&world.touches(account).await, zone, Some("2026-12-01"), true),
            vec![],
            "{account}"
        );
    }
}

/// One sender's work; how many touches it was granted.
async fn send(world: &World, sender: u64) -> usize {
    let mut dice = Dice(sender);
    let mut granted = 0;
    for call in 0..CALLS {
        if dice.below(6) == 0 {
            let account = ACCOUNTS[3 + dice.below(2) as usize].0;
            let day: Date = "2026-11-01".parse().unwrap();
            world
                .renew(
                    account,
                    day.saturating_add(SignedDuration::from_hours(24 * dice.below(120) as i64)),
                    false,
                )
                .await;
        }
        if dice.below(8) == 0 {
            world.pass(24);
        }
        let command = ask(&mut dice, world.clock.now(), sender, call);
        match world.ledger.reserve(&command).await {
            Ok(Ok(touch)) => {
                granted += 1;
                finish(world, &mut dice, &touch).await;
            }
            Ok(Err(refusal)) => assert!(!refusal.allowed()),
            // Another sender turned the clock on.
            Err(problem) => assert_eq!(problem.violations()[0].field, "planned_time", "{problem}"),
        }
    }
    granted
}

fn ask(dice: &mut Dice, now: Timestamp, sender: u64, call: u64) -> Reserve {
    use TouchClass::{Commercial, Contractual, Educational, Renewal};
    let class = dice.of(&[Commercial, Commercial, Renewal, Educational, Contractual]);
    Reserve {
        account_id: dice.of(&ACCOUNTS).0.to_owned(),
        class,
        proposes_expansion: class == Renewal && dice.below(2) == 0,
        channel: dice.of(Channel::ALL),
        sender: format!("sender-{sender}"),
        idempotency_key: call.to_string(),
        planned_at: Some(now + SignedDuration::from_hours(dice.below(30) as i64 * dice.of(&[0, 24, 48]))),
        contact_id: String::new(),
        offer_id: String::new(),
    }
}

/// Goes some way with a touch. Every answer is allowed; what is in the table afterwards must be legal.
async fn finish(world: &World, dice: &mut Dice, touch: &Touch) {
    let way = dice.below(8);
    if way == 0 {
        drop(world.ledger.release(touch.id, ReleaseReason::Cancelled).await);
    }
    if way < 4 || world.ledger.begin_send(touch.id).await.is_err() {
        return;
    }
    if way == 4 {
        drop(world.ledger.release(touch.id, ReleaseReason::Bounced).await);
    }
    if way > 5 {
        drop(world.ledger.confirm(touch.id, None).await);
    }
}

/// What the oracle has against the touches that use their places.
fn wrong(touches: &[Touch], zone: &str, renewal: Option<&str>, moved: bool) -> Vec<(&'static str, Vec<usize>)> {
    let counting: Vec<&Touch> = touches.iter().filter(|touch| touch.state.counts()).collect();
    let seen: Vec<Seen> = counting
        .iter()
        .enumerate()
        .map(|(id, t)| Seen {
            id,
            kind: kind(t),
            at: t.counts_at(),
        })
        .collect();
    let renewal = renewal.map(|date| date.parse().unwrap());
    let mut found = faults(&seen, WRITTEN, &TimeZone::get(zone).unwrap(), renewal);
    // After a renewal date moved, what was sent cannot be helped; reservations can.
    found.retain(|(_, ids)| !moved || ids.iter().any(|id| counting[*id].state == TouchState::Reserved));
    found
}

fn kind(touch: &Touch) -> Kind {
    match (touch.class, touch.proposes_expansion) {
        (TouchClass::Commercial, _) => Kind::Commercial,
        (TouchClass::Renewal, true) => Kind::RenewalWithExpansion,
        (TouchClass::Renewal, false) => Kind::Renewal,
        (TouchClass::Educational, _) => Kind::Educational,
        (TouchClass::Contractual, _) => Kind::Contractual,
    }
}
