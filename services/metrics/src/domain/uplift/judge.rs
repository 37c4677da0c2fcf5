//! A reading: gates first, then the measures together.

use std::collections::BTreeMap;

use super::{
    Arm, Finding, Lack, Measure, Member, Policy, Reading, Uplift,
    measure::{Comparison, Prepared},
};
use crate::domain::stats::{
    multiple::holm,
    sequential::spent_at,
    srm::{Srm, srm},
};

/// What `members` say at `reading`. The same members, reading and seed give the same answer.
pub fn judge(members: &[Member], reading: Reading, policy: &Policy, seed: u64) -> Uplift {
    let (holdout, treatment) = (arm(members, true), arm(members, false));
    let srm = ratio(holdout, treatment, policy);
    let mut uplift = Uplift {
        reading: Some(reading),
        holdout,
        treatment,
        srm,
        lacks: Vec::new(),
        findings: Vec::new(),
    };
    uplift.lacks = gates(&uplift, policy);
    if uplift.lacks.is_empty() {
        uplift.findings = findings(members, reading, policy, seed);
    }
    uplift
}

fn arm(members: &[Member], holdout: bool) -> Arm {
    let of = members.iter().filter(|member| member.holdout == holdout);
    of.fold(Arm::default(), |arm, member| Arm {
        accounts: arm.accounts + 1,
        offered: arm.offered + usize::from(member.offered),
    })
}

fn ratio(holdout: Arm, treatment: Arm, policy: &Policy) -> Option<Srm> {
    let observed = [holdout.accounts as u64, treatment.accounts as u64];
    srm(&observed, &[policy.holdout_share, 1.0 - policy.holdout_share])
}

fn gates(uplift: &Uplift, policy: &Policy) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if uplift.holdout.accounts == 0 {
        return vec![Lack::NoHoldout];
    }
    for (is_holdout, arm) in [(true, uplift.holdout), (false, uplift.treatment)] {
        if arm.accounts < policy.accounts_min {
            lacks.push(Lack::TooFewAccounts(is_holdout, arm.accounts, policy.accounts_min));
        }
    }
    if let Some(srm) = uplift.srm.filter(Srm::is_broken) {
        lacks.push(Lack::SampleRatio(srm.p));
    }
    lacks
}

fn findings(members: &[Member], reading: Reading, policy: &Policy, seed: u64) -> Vec<Finding> {
    let prepared = prepared(members, policy, seed);
    let claimable = claims(&prepared, policy, reading);
    let mut compared = claimable.into_iter();
    prepared
        .into_iter()
        .map(|(measure, prepared)| Finding {
            measure,
            outcome: prepared.and_then(|prepared| {
                let (p, adjusted) = compared.next().ok_or(Lack::NoVariation)?;
                Ok(prepared.compare(policy.alpha, reading.number, p, adjusted))
            }),
        })
        .collect()
}

type Measures = Vec<(Measure, Result<Prepared, Lack>)>;

fn prepared(members: &[Member], policy: &Policy, seed: u64) -> Measures {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for member in members {
        let next = numbers.len();
        numbers.entry(member.stratum.as_str()).or_insert(next);
    }
    let numbered: Vec<(usize, &Member)> = members
        .iter()
        .map(|member| (numbers[member.stratum.as_str()], member))
        .collect();
    let of = |measure| Prepared::of(measure, &numbered, policy.accounts_min, seed);
    Measure::ALL.into_iter().map(|measure| (measure, of(measure))).collect()
}

/// p-values of the measures that can be compared, as they are and corrected for their number.
fn claims(measures: &Measures, policy: &Policy, reading: Reading) -> Vec<(f64, f64)> {
    let level = spent_at(policy.alpha, reading.number) / Measure::ALL.len() as f64;
    let usable = measures.iter().filter_map(|(_, prepared)| prepared.as_ref().ok());
    let p: Vec<f64> = usable.map(|prepared| prepared.p(level)).collect();
    p.iter().copied().zip(holm(&p)).collect()
}

/// The measures that would be claimed at this reading, by p-values alone: what simulations ask, without intervals.
pub fn claimed(members: &[Member], reading: Reading, policy: &Policy, seed: u64) -> Vec<Measure> {
    let prepared = prepared(members, policy, seed);
    let spent = spent_at(policy.alpha, reading.number);
    let usable = prepared.iter().filter(|(_, prepared)| prepared.is_ok());
    usable
        .zip(claims(&prepared, policy, reading))
        .filter(|(_, (_, adjusted))| *adjusted <= spent)
        .map(|((measure, _), _)| *measure)
        .collect()
}

/// The comparison of a measure, where there is one.
pub fn comparison(uplift: &Uplift, measure: Measure) -> Option<&Comparison> {
    let finding = uplift.findings.iter().find(|finding| finding.measure == measure)?;
    finding.outcome.as_ref().ok()
}
