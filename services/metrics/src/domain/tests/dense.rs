//! The dense pass against its definition.

use proptest::{collection::vec, prelude::*};

use crate::domain::dense::{Dense, pass};

const MONTHS: usize = 8;

fn account() -> impl Strategy<Value = Vec<i64>> {
    vec(prop_oneof![2 => Just(0), 3 => 1..500_i64], MONTHS)
}

proptest! {
    #[test]
    fn k1_to_k6_the_dense_pass_is_the_sum_of_its_accounts(accounts in vec(account(), 0..40)) {
        let table: Vec<i64> = accounts.concat();
        let found = pass(Dense { mrr: &table, months: MONTHS });
        let ends = |month: usize| accounts.iter().map(move |account| {
            (if month == 0 { 0 } else { account[month - 1] }, account[month])
        });
        for (month, told) in found.months.iter().enumerate() {
            let sum = |pick: fn((i64, i64)) -> i64| ends(month).map(pick).sum::<i64>();
            prop_assert_eq!(told.start(), sum(|e| e.0), "the identity of K-1");
            prop_assert_eq!(told.mrr, sum(|e| e.1));
            prop_assert_eq!(told.paying, sum(|e| i64::from(e.1 > 0)));
            prop_assert_eq!(told.retained, sum(|e| if e.0 > 0 { e.1 } else { 0 }));
            prop_assert_eq!(told.retained_gross, sum(|e| e.0.min(e.1)));
            prop_assert_eq!(told.churned, sum(|e| i64::from(e.0 > 0 && e.1 == 0)));
            let expansion = sum(|e| if e.0 > 0 { (e.1 - e.0).max(0) } else { 0 });
            prop_assert_eq!(told.expansion, expansion);
            let first = |account: &&Vec<i64>| account.iter().position(|mrr| *mrr > 0) == Some(month);
            prop_assert_eq!(told.new, accounts.iter().filter(first).map(|account| account[month]).sum::<i64>());
            for age in 0..MONTHS - month {
                let cohort = accounts.iter().filter(first).map(|account| account[month + age]);
                prop_assert_eq!(found.cohort_mrr[month * MONTHS + age], cohort.clone().sum::<i64>());
                let paying = cohort.filter(|mrr| *mrr > 0).count() as i64;
                prop_assert_eq!(found.cohort_paying[month * MONTHS + age], paying);
            }
        }
    }
}
