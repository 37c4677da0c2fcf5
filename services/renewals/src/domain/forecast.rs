//! What renewals will bring (RN-7), by month, segment and currency.
//!
//! Of what is open, the best case keeps everything to which no notice was given; the expected case weighs each deal with
//! its risk of churn; the worst case does so with that risk multiplied. What is renewed or lost already counts as it is in
//! all three. Hence worst ≤ expected ≤ best, always.

use std::collections::BTreeMap;

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money};

use super::{deal::Deal, risk::ChurnRisk, stage::Stage};

/// A deal, and how likely its account is to leave.
#[derive(Clone, Debug)]
pub struct Prospect {
    /// The deal.
    pub deal: Deal,
    /// Risk of churn of the account.
    pub risk: ChurnRisk,
}

/// Renewals of one month, segment and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// First day of the month.
    pub month: Date,
    /// The segment.
    pub segment: String,
    /// Renewals that fall into the month.
    pub deals: i32,
    /// MRR that comes up.
    pub due: Money,
    /// Renewed already.
    pub renewed: Money,
    /// Lost already.
    pub lost: Money,
    /// Weighed with the risk.
    pub expected: Money,
    /// Nothing more is lost.
    pub best: Money,
    /// Weighed with a multiple of the risk.
    pub worst: Money,
}

/// Lines by month, segment and currency; `worst_factor` is in hundredths. Sums beyond 64-bit minor units stay at its end.
pub fn forecast(prospects: impl IntoIterator<Item = Prospect>, worst_factor: u32) -> Vec<Line> {
    let mut lines: BTreeMap<(Date, String, Currency), Line> = BTreeMap::new();
    for Prospect { deal, risk } in prospects {
        let money = deal.money();
        let month = deal.renewal_on.first_of_month();
        let key = (month, deal.segment.clone(), money.currency);
        let nothing = Money::zero(money.currency);
        let line = lines.entry(key).or_insert_with(|| Line {
            month,
            segment: deal.segment.clone(),
            deals: 0,
            due: nothing,
            renewed: nothing,
            lost: nothing,
            expected: nothing,
            best: nothing,
            worst: nothing,
        });
        let risk = if deal.notice_given_on.is_some() {
            ChurnRisk::certain()
        } else {
            risk
        };
        line.deals += 1;
        add(&mut line.due, money);
        match deal.stage {
            Stage::Renewed => {
                for sum in [&mut line.renewed, &mut line.expected, &mut line.best, &mut line.worst] {
                    add(sum, money);
                }
            }
            Stage::Lost => add(&mut line.lost, money),
            _ => {
                add(&mut line.expected, risk.kept(money));
                add(&mut line.worst, risk.times(worst_factor).kept(money));
                if deal.notice_given_on.is_none() {
                    add(&mut line.best, money);
                }
            }
        }
    }
    lines.into_values().collect()
}

fn add(sum: &mut Money, amount: Money) {
    *sum = sum.checked_add(amount).unwrap_or(Money::new(i64::MAX, sum.currency));
}
