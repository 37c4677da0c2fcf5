//! Many senders over many channels, killed at any moment: whatever happens, no window over its limit and nothing sent
//! twice. `UPSWELL_OPERATIONS` says how many operations; 1,000,000 takes some minutes.

use std::collections::BTreeMap;

use super::{
    agreement::{KINDS, class},
    lifecycle_kind as kind,
    oracle::{Seen, WRITTEN, faults},
    *,
};

const SENDERS: u64 = 64;
const ACCOUNTS: u64 = 400;
const CHANNELS: [Channel; 6] = [
    Channel::Email,
    Channel::Sms,
    Channel::Whatsapp,
    Channel::Chat,
    Channel::Push,
    Channel::CsmTask,
];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Whether the channel makes one message of a touch that is handed over twice. Through the others an unknown outcome
/// stays as it is: it counts as used.
fn knows_touches(channel: Channel) -> bool {
    matches!(channel, Channel::Email | Channel::CsmTask | Channel::Push)
}

/// One account as the store would hold it.
struct Account {
    standing: Standing,
    touches: BTreeMap<Uuid, Touch>,
}

/// What a sender was about to do; it forgets everything but this when it is killed.
struct Sender {
    command: Option<Reserve>,
    account: usize,
    keys: u64,
}

struct World {
    now: Timestamp,
    policy: CapPolicy,
    accounts: Vec<Account>,
    /// How many messages of each touch left.
    sent: BTreeMap<Uuid, u32>,
}

impl World {
    fn new() -> Self {
        let start: Date = "2026-10-12".parse().unwrap();
        let zones = ["UTC", "Asia/Almaty", "America/New_York"];
        let account = |n: u64| {
            let zone = zones[n as usize % zones.len()];
            // A third has no renewal; the others renew between 20 and 140 days ahead, and stay open.
            let renewals = (!n.is_multiple_of(3)).then(|| start.saturating_add(hours(24 * (20 + n as i64 % 120))));
            let calendar = AccountCalendar {
                time_zone: TimeZone::get(zone).unwrap(),
                renewals: renewals.into_iter().collect(),
            };
            Account {
                standing: standing(calendar),
                touches: BTreeMap::new(),
            }
        };
        Self {
            now: at(MONDAY),
            policy: CapPolicy::default(),
            accounts: (0..ACCOUNTS).map(account).collect(),
            sent: BTreeMap::new(),
        }
    }

    /// The rows that the store would show: those that can matter now, with what is over freed first.
    fn rows(&mut self, account: usize) -> Vec<Row> {
        let (now, account) = (self.now, &mut self.accounts[account]);
        let since = self.policy.since(&account.standing.calendar, now);
        for touch in account.touches.values_mut() {
            if let Some(expired) = touch.expire(now) {
                *touch = expired;
            }
        }
        let counting = account.touches.values().filter(|touch| touch.state.counts());
        counting
            .filter(|touch| touch.counts_at() >= since)
            .map(Touch::row)
            .collect()
    }

    fn put(&mut self, account: usize, touch: Touch) {
        self.accounts[account].touches.insert(touch.id, touch);
    }

    /// A step as it is stored: what has to make way is released.
    fn take(&mut self, account: usize, moved: Moved) -> Touch {
        self.put(account, moved.touch.clone());
        for id in moved.displaced {
            let released = self.accounts[account].touches[&id].release(ReleaseReason::Displaced);
            released.unwrap().into_iter().for_each(|touch| self.put(account, touch));
        }
        moved.touch
    }

    /// Reserve: the same key gives the same touch.
    fn reserve(&mut self, account: usize, command: &Reserve) -> Option<Touch> {
        if let Some(known) = self.accounts[account].touches.get(&command.touch_id()) {
            return Some(known.clone());
        }
        let rows = self.rows(account);
        let granted = command
            .decide(&self.policy, &self.accounts[account].standing, &rows, self.now)
            .ok()?;
        self.put(account, granted.clone());
        Some(granted)
    }

    /// One step of a sender; what it keeps for the next one.
    fn step(&mut self, sender: &mut Sender, dice: &mut Dice) {
        let Some(command) = sender.command.clone() else { return };
        let Some(touch) = self.reserve(sender.account, &command) else {
            sender.command = None;
            return;
        };
        // Killed after the grant: the key will find the touch again.
        if dice.below(8) == 0 {
            return;
        }
        match touch.state {
            TouchState::Reserved => self.begin(sender, &touch, dice),
            // It began and was killed. Only a channel that knows the touch may be handed it again.
            TouchState::Sending if knows_touches(touch.channel) => self.deliver(sender, &touch, dice),
            _ => sender.command = None,
        }
    }

    fn begin(&mut self, sender: &mut Sender, touch: &Touch, dice: &mut Dice) {
        if dice.below(10) == 0 {
            let released = touch.release(ReleaseReason::Cancelled).unwrap();
            released.into_iter().for_each(|touch| self.put(sender.account, touch));
            sender.command = None;
            return;
        }
        let rows = self.rows(sender.account);
        let standing = self.accounts[sender.account].standing.clone();
        match touch.begin(&self.policy, &standing, &rows, self.now) {
            Ok(Some(begun)) => {
                let touch = self.take(sender.account, begun);
                if dice.below(8) > 0 {
                    self.deliver(sender, &touch, dice);
                }
            }
            // Not due yet: it stays with its plan, or is left to free itself.
            Err(TouchFault::NotDue(_)) if dice.below(3) > 0 => {}
            _ => sender.command = None,
        }
    }

    fn deliver(&mut self, sender: &mut Sender, touch: &Touch, dice: &mut Dice) {
        let left = self.sent.entry(touch.id).or_default();
        if *left == 0 || !knows_touches(touch.channel) {
            *left += 1;
        }
        match dice.below(10) {
            // Killed after the message left: it counts as used.
            0 => return,
            1 => {
                let bounced = touch.release(ReleaseReason::Bounced).unwrap();
                bounced.into_iter().for_each(|touch| self.put(sender.account, touch));
            }
            _ => {
                let rows = self.rows(sender.account);
                let calendar = self.accounts[sender.account].standing.calendar.clone();
                let outcome = touch.confirm(&self.policy, &calendar, &rows, None, self.now);
                let Ok(Some(confirmed)) = outcome else { return };
                self.take(sender.account, confirmed);
            }
        }
        sender.command = None;
    }

    fn windows_over_limit(&self) -> usize {
        let over = |account: &&Account| {
            let ours = account.touches.values().filter(|touch| touch.state.counts());
            let seen: Vec<Seen> = ours
                .enumerate()
                .map(|(id, touch)| Seen {
                    id,
                    kind: kind(touch),
                    at: touch.counts_at(),
                })
                .collect();
            let calendar = &account.standing.calendar;
            !faults(&seen, WRITTEN, &calendar.time_zone, calendar.renewal()).is_empty()
        };
        self.accounts.iter().filter(over).count()
    }
}

fn command(sender: &mut Sender, number: u64, now: Timestamp, dice: &mut Dice) -> Reserve {
    let (class, proposes_expansion) = class(KINDS[dice.below(KINDS.len() as u64) as usize]);
    sender.account = dice.below(ACCOUNTS) as usize;
    sender.keys += 1;
    Reserve {
        account_id: format!("acc-{}", sender.account),
        class,
        proposes_expansion,
        channel: CHANNELS[dice.below(6) as usize],
        sender: format!("sender-{number}"),
        idempotency_key: sender.keys.to_string(),
        planned_at: (dice.below(3) == 0).then(|| now + hours(dice.below(200) as i64)),
        contact_id: String::new(),
        offer_id: String::new(),
    }
}

#[test]
fn c6_senders_that_are_killed_send_nothing_twice_and_break_no_window() {
    let operations: u64 = std::env::var("UPSWELL_OPERATIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let (mut world, mut dice) = (World::new(), Dice(7));
    let idle = || Sender {
        command: None,
        account: 0,
        keys: 0,
    };
    let mut senders: Vec<Sender> = (0..SENDERS).map(|_| idle()).collect();
    // However many operations, they spread over 150 days.
    let tick = SignedDuration::from_secs(150 * 86_400) / i32::try_from(operations).unwrap();
    for _ in 0..operations {
        world.now += tick;
        let number = dice.below(SENDERS);
        let sender = &mut senders[number as usize];
        if sender.command.is_none() {
            sender.command = Some(command(sender, number, world.now, &mut dice));
        }
        world.step(sender, &mut dice);
    }
    assert_eq!(world.windows_over_limit(), 0);
    assert!(world.sent.values().all(|times| *times == 1));
    let left: usize = world.sent.len();
    assert!(left as u64 >= ACCOUNTS, "only {left} touches left");
    // Whatever left and did not bounce counts.
    for (id, touch) in world.accounts.iter().flat_map(|account| &account.touches) {
        let bounced = touch.release_reason == ReleaseReason::Bounced.as_str();
        assert!(
            !world.sent.contains_key(id) || touch.state.counts() || bounced,
            "{touch:?}"
        );
    }
}
