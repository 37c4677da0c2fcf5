//! M1: waterfall, NRR, GRR, ARPA and cohorts over 1 M accounts × 24 months in one pass; and how the time grows with the
//! number of accounts (X2). `cargo bench -p upswell-metrics --bench dense`.

use std::{hint::black_box, time::Instant};

use upswell_metrics::domain::dense::{Dense, pass};

const MONTHS: usize = 24;
const ROUNDS: usize = 7;

fn main() {
    println!("accounts  active account-months  median ms  ns per account-month");
    let mut points = Vec::new();
    for accounts in [10_000, 100_000, 1_000_000] {
        let mrr = table(accounts);
        let active = mrr.iter().filter(|mrr| **mrr > 0).count();
        let mut times: Vec<f64> = (0..ROUNDS).map(|_| time(&mrr)).collect();
        times.sort_by(f64::total_cmp);
        let median = times[ROUNDS / 2];
        println!(
            "{accounts:>8}  {active:>21}  {:>9.2}  {:>20.2}",
            median * 1e3,
            median * 1e9 / active as f64
        );
        points.push((accounts as f64, median));
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    println!("log-log slope {:.2}", (last.1 / first.1).ln() / (last.0 / first.0).ln());
}

fn time(mrr: &[i64]) -> f64 {
    let start = Instant::now();
    let found = pass(Dense { mrr, months: MONTHS });
    let last = found.months[MONTHS - 1];
    let rates = (
        last.retained * 10_000 / last.start(),
        last.retained_gross * 10_000 / last.start(),
    );
    black_box((rates, last.mrr / last.paying, found.cohort_mrr));
    start.elapsed().as_secs_f64()
}

/// Accounts that come in some month, grow, shrink, leave and return; the same for every run.
fn table(accounts: usize) -> Vec<i64> {
    let mut state = 42_u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64
    };
    let mut mrr = vec![0; accounts * MONTHS];
    for account in mrr.chunks_exact_mut(MONTHS) {
        let mut level = 0;
        let comes = (next() % MONTHS as i64) as usize;
        for (month, cell) in account.iter_mut().enumerate().skip(comes) {
            level = match next() % 100 {
                _ if month == comes => 1_000 + next() % 100_000,
                0..3 => 0,
                3..8 => level + next() % 5_000,
                8..11 => level * 9 / 10,
                _ => level,
            };
            *cell = level;
        }
    }
    mrr
}
