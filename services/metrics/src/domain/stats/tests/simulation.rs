//! A/A: nothing was changed, and nothing is claimed. `UPSWELL_ROUNDS=10000` plays the whole of it.

use rayon::prelude::*;

use crate::domain::{
    stats::{
        proportion::{Proportion, TwoProportions},
        random::Draws,
    },
    uplift::{
        Member, Policy, Reading, judge,
        judge::{claimed, comparison},
        measure::Measure,
    },
    variants::{ACCOUNTS_MIN, look},
};

const LOOKS: u32 = 20;
const ALPHA: f64 = 0.05;
/// Rounds from which on a share is within half a point of the truth.
const WHOLE: u64 = 10_000;

fn rounds() -> u64 {
    std::env::var("UPSWELL_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12)
}

/// Accounts: those of the rule, and when all is played what lies between.
fn sizes() -> Vec<usize> {
    if rounds() < WHOLE {
        vec![30, 100, 300, 1_000]
    } else {
        vec![30, 50, 100, 200, 300, 500, 1_000]
    }
}

/// Three standard deviations of a share of `rounds` that is `share` in truth.
fn chance(share: f64, rounds: u64) -> f64 {
    3.0 * (share * (1.0 - share) / rounds as f64).sqrt()
}

/// `n` accounts in four strata, an eighth of each held out; MRR is skewed as in life.
fn base(n: usize, draws: &mut Draws) -> Vec<Member> {
    let mut members = Vec::with_capacity(n);
    for stratum in 0..4 {
        let size = n / 4 + usize::from(stratum < n % 4);
        let held = (size as f64 / 8.0 + draws.unit()).floor() as usize;
        let mut arms: Vec<bool> = (0..size).map(|index| index < held).collect();
        draws.choose(&mut arms, size);
        members.extend(arms.into_iter().map(|holdout| {
            let mrr = (11.0 + 0.5 * f64::from(stratum as u8) + draws.normal()).exp() as i64 + 1;
            Member {
                stratum: format!("s{stratum}"),
                holdout,
                offered: !holdout,
                before: mrr,
                after: mrr,
                expanded: false,
            }
        }));
    }
    members
}

/// A week in the life of the accounts, the same for both arms.
fn live(members: &mut [Member], draws: &mut Draws) {
    for member in members {
        let chance = draws.unit();
        if chance < 0.005 {
            member.after = 0;
        } else if chance < 0.03 && member.after > 0 {
            member.after += (member.after as f64 * 0.5 * draws.unit()) as i64 + 1;
            member.expanded = true;
        }
    }
}

fn reading(number: u32) -> Reading {
    Reading {
        number,
        on: jiff::civil::date(2026, 1, 1),
    }
}

/// No account too few: the test must hold where the product would not even answer.
fn policy() -> Policy {
    Policy {
        accounts_min: 2,
        ..Policy::default()
    }
}

#[derive(Default)]
struct Tally {
    claims: [u64; 3],
    any: u64,
    covered: [u64; 3],
    told: [u64; 3],
}

impl Tally {
    fn plus(mut self, other: &Self) -> Self {
        for index in 0..3 {
            self.claims[index] += other.claims[index];
            self.covered[index] += other.covered[index];
            self.told[index] += other.told[index];
        }
        self.any += other.any;
        self
    }
}

fn play(n: usize, seed: u64) -> Tally {
    let (mut draws, mut tally) = (Draws::of(seed), Tally::default());
    let mut members = base(n, &mut draws);
    for number in 1..=LOOKS {
        live(&mut members, &mut draws);
        for measure in claimed(&members, reading(number), &policy(), seed ^ u64::from(number)) {
            tally.claims[measure as usize] = 1;
            tally.any = 1;
        }
    }
    // One look by itself, with the draws of a first reading.
    let told = judge(&members, reading(1), &policy(), seed);
    for measure in Measure::ALL {
        if let Some(found) = comparison(&told, measure) {
            tally.told[measure as usize] = 1;
            tally.covered[measure as usize] = u64::from(found.interval.contains(0.0));
        }
    }
    tally
}

#[test]
fn k10_a_a_readings_claim_nothing_and_cover() {
    let rounds = rounds();
    for n in sizes() {
        let tally = (0..rounds)
            .into_par_iter()
            .map(|round| play(n, round * 1_000_003 + n as u64))
            .reduce(Tally::default, |a, b| a.plus(&b));
        let share = |count: u64, of: u64| count as f64 / of.max(1) as f64;
        let covered = Measure::ALL.map(|m| share(tally.covered[m as usize], tally.told[m as usize]));
        println!(
            "n {n}: false claims {:.4} ({:?}), coverage {covered:?} of {:?}",
            share(tally.any, rounds),
            tally.claims,
            tally.told
        );
        assert!(share(tally.any, rounds) <= ALPHA + chance(ALPHA, rounds), "{n}");
        for measure in Measure::ALL {
            let (cover, told) = (covered[measure as usize], tally.told[measure as usize]);
            // Played as a whole the shares are known well enough for the bounds as they are.
            let noise = if rounds < WHOLE {
                chance(ALPHA, told.max(1))
            } else {
                0.0
            };
            assert!(
                (0.93 - noise..=0.97 + noise).contains(&cover),
                "{n} {measure:?} {cover}"
            );
        }
    }
}

#[test]
fn k11_a_a_variants_claim_nothing_at_any_look() {
    let rounds = rounds();
    for (n, share) in [
        (30_u64, 0.1),
        (30, 0.5),
        (100, 0.05),
        (100, 0.3),
        (300, 0.1),
        (1_000, 0.05),
        (1_000, 0.3),
    ] {
        let claims: u64 = (0..rounds)
            .into_par_iter()
            .map(|round| u64::from(peeked(n, share, round)))
            .sum();
        let found = claims as f64 / rounds as f64;
        println!("variants n {n} share {share}: false claims {found:.4}");
        assert!(found <= ALPHA + chance(ALPHA, rounds), "{n} {share}: {found}");
    }
}

/// Whether any of the looks at growing arms claims a difference.
fn peeked(n: u64, share: f64, round: u64) -> bool {
    let mut draws = Draws::of(round * 7_919 + n);
    let mut arms = [Proportion::new(0, 0); 2];
    let mut claimed = false;
    for look_number in 1..=u64::from(LOOKS) {
        while arms[0].n + arms[1].n < n * look_number / u64::from(LOOKS) {
            let arm = &mut arms[usize::from(draws.unit() < 0.5)];
            *arm = Proportion::new(arm.x + u64::from(draws.unit() < share), arm.n + 1);
        }
        let [control, treatment] = arms;
        let enough = control.n.min(treatment.n) >= ACCOUNTS_MIN;
        claimed |= enough && look(TwoProportions { control, treatment }, ALPHA).p <= ALPHA;
    }
    claimed
}
