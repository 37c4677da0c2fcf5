//! Revenue over many accounts at once, from a dense table of months in memory: waterfall, NRR, GRR, ARPA and cohorts in
//! one pass over the accounts. For what-if questions and backtests over history, and as the measure that the kept sums
//! are compared with.

use rayon::prelude::*;

/// MRR at the end of each month, account by account: `mrr[account × months + month]`, in minor units of one currency.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    /// The amounts.
    pub mrr: &'a [i64],
    /// Months of each account.
    pub months: usize,
}

/// What moved in one month against the month before, and what was retained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Σ MRR at its end.
    pub mrr: i64,
    /// Accounts that pay at its end.
    pub paying: i64,
    /// First MRR of an account.
    pub new: i64,
    /// MRR of an account that had left.
    pub reactivation: i64,
    /// More.
    pub expansion: i64,
    /// Less; negative.
    pub contraction: i64,
    /// Gone; negative.
    pub churn: i64,
    /// Accounts that left.
    pub churned: i64,
    /// Σ end of the accounts that paid the month before: the numerator of NRR.
    pub retained: i64,
    /// Σ min(end, start) of the same: the numerator of GRR.
    pub retained_gross: i64,
}

/// The result of the pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Month by month.
    pub months: Vec<Month>,
    /// `cohort × months + age`: MRR of the accounts that first paid in month `cohort`, `age` months later.
    pub cohort_mrr: Vec<i64>,
    /// The same for the number of paying accounts.
    pub cohort_paying: Vec<i64>,
}

/// Accounts of one task: small enough to stay in the cache of a core.
const CHUNK: usize = 4_096;

/// Passes over all accounts, one chunk per task. Sums that leave 64 bits wrap, which real money does not reach.
pub fn pass(table: Dense<'_>) -> Pass {
    let months = table.months;
    if months == 0 {
        return Pass::empty(0);
    }
    (table.mrr.par_chunks(CHUNK * months))
        .fold(
            || Pass::empty(months),
            |mut pass, chunk| {
                chunk.chunks_exact(months).for_each(|account| pass.add(account));
                pass
            },
        )
        .reduce(|| Pass::empty(months), Pass::merge)
}

impl Month {
    /// MRR at the start: what the month ends with, less what moved.
    pub fn start(&self) -> i64 {
        self.mrr - self.new - self.reactivation - self.expansion - self.contraction - self.churn
    }

    fn merge(&mut self, other: &Self) {
        let Self {
            mrr,
            paying,
            new,
            reactivation,
            expansion,
            contraction,
            churn,
            churned,
            retained,
            retained_gross,
        } = other;
        self.mrr += mrr;
        self.paying += paying;
        self.new += new;
        self.reactivation += reactivation;
        self.expansion += expansion;
        self.contraction += contraction;
        self.churn += churn;
        self.churned += churned;
        self.retained += retained;
        self.retained_gross += retained_gross;
    }
}

impl Pass {
    fn empty(months: usize) -> Self {
        Self {
            months: vec![Month::default(); months],
            cohort_mrr: vec![0; months * months],
            cohort_paying: vec![0; months * months],
        }
    }

    fn add(&mut self, account: &[i64]) {
        let Some(cohort) = account.iter().position(|mrr| *mrr > 0) else {
            return;
        };
        let first = account[cohort];
        let month = &mut self.months[cohort];
        month.new += first;
        month.mrr += first;
        month.paying += 1;
        let row = cohort * account.len();
        self.cohort_mrr[row] += first;
        self.cohort_paying[row] += 1;
        let mut before = first;
        for (age, (mrr, month)) in account[cohort + 1..]
            .iter()
            .zip(&mut self.months[cohort + 1..])
            .enumerate()
        {
            let (mrr, paid, pays) = (*mrr, before > 0, *mrr > 0);
            let delta = mrr - before;
            month.mrr += mrr;
            month.paying += i64::from(pays);
            month.reactivation += if paid { 0 } else { delta };
            month.churn += if paid && !pays { delta } else { 0 };
            month.churned += i64::from(paid && !pays);
            month.expansion += if paid { delta.max(0) } else { 0 };
            month.contraction += if paid && pays { delta.min(0) } else { 0 };
            month.retained += if paid { mrr } else { 0 };
            month.retained_gross += mrr.min(before);
            self.cohort_mrr[row + age + 1] += mrr;
            self.cohort_paying[row + age + 1] += i64::from(pays);
            before = mrr;
        }
    }

    fn merge(mut self, other: Self) -> Self {
        for (sum, part) in self.months.iter_mut().zip(&other.months) {
            sum.merge(part);
        }
        for (sum, part) in self.cohort_mrr.iter_mut().zip(&other.cohort_mrr) {
            *sum += part;
        }
        for (sum, part) in self.cohort_paying.iter_mut().zip(&other.cohort_paying) {
            *sum += part;
        }
        self
    }
}
