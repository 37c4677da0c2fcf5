//! `rules-1`: a base plus the effect of every rule that applies, clamped to 0.01–0.99 and rounded to a thousandth.
//!
//! | churn_risk | effect | | expansion_propensity | effect |
//! |---|---|---|---|---|
//! | base | 0.10 | | base | 0.12 |
//! | health_red | +0.25 | | health_green | +0.08 |
//! | health_yellow | +0.05 | | health_red | −0.40 |
//! | health_falling (10 a week or more) | +0.05 | | health_rising (5 a week or more) | +0.03 |
//! | usage_drop (SG-3 open) | +0.15 | | need: volume_growth or limit_approach open | +0.15 |
//! | payment_overdue | +0.15 | | need: spend_growth, ticket_cluster or feature_embrace open | +0.10 |
//! | critical_ticket | +0.10 | | second_need (two or more of these) | +0.05 |
//! | ticket_cluster (SG-5 open) | +0.03 | | promoter | +0.05 |
//! | nps_detractor | +0.10 | | renewal_clock (SG-6 open) | +0.05 |
//! | promoter | −0.05 | | usage_drop | −0.40 |
//! | volume_growth | −0.03 | | payment_overdue, critical_ticket, nps_detractor | −0.10 each |
//! | renewal_near (60 days or fewer) | +0.05 | | not_paying | −0.20 |
//!
//! So an ordinary paying account with one need stands at 0.22 or more, above the threshold of SC-9 (0.15), while a
//! red account can reach 0.05 at most and a declining one 0.13. The figures are judgement, not measurement: a
//! trained model replaces them.

use super::{Model, Prediction, Reason};
use crate::domain::{features::Features, health::Band, signal::Kind};

/// The rules above.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules;

type Effect = (&'static str, f64);

impl Model for Rules {
    fn version(&self) -> &'static str {
        "rules-1"
    }

    fn predict(&self, features: &Features) -> Prediction {
        let (churn, growth) = (churn(features), expansion(features));
        let named = |score: &'static str, effects: &[Effect]| -> Vec<Reason> {
            let reason = |(feature, effect): &Effect| Reason {
                score: score.to_owned(),
                feature: (*feature).to_owned(),
                effect: *effect,
            };
            effects.iter().map(reason).collect()
        };
        let mut reasons = named("churn_risk", &churn);
        reasons.extend(named("expansion_propensity", &growth));
        reasons.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        Prediction {
            churn_risk: total(0.10, &churn),
            expansion_propensity: total(0.12, &growth),
            reasons,
        }
    }
}

fn total(base: f64, effects: &[Effect]) -> f64 {
    let sum: f64 = base + effects.iter().map(|(_, effect)| effect).sum::<f64>();
    (sum.clamp(0.01, 0.99) * 1000.0).round() / 1000.0
}

fn churn(features: &Features) -> Vec<Effect> {
    applying([
        (features.band == Band::Red, ("health_red", 0.25)),
        (features.band == Band::Yellow, ("health_yellow", 0.05)),
        (
            features.health_change.is_some_and(|change| change <= -10),
            ("health_falling", 0.05),
        ),
        (features.has(Kind::UsageDrop), ("usage_drop", 0.15)),
        (features.overdue_invoices > 0, ("payment_overdue", 0.15)),
        (features.open_critical > 0, ("critical_ticket", 0.10)),
        (features.has(Kind::TicketCluster), ("ticket_cluster", 0.03)),
        (is_detractor(features), ("nps_detractor", 0.10)),
        (features.has(Kind::Promoter), ("promoter", -0.05)),
        (features.has(Kind::VolumeGrowth), ("volume_growth", -0.03)),
        (
            features.days_to_renewal.is_some_and(|days| days <= 60),
            ("renewal_near", 0.05),
        ),
    ])
}

fn expansion(features: &Features) -> Vec<Effect> {
    let needs = needs(features);
    let mut effects = applying([
        (features.band == Band::Green, ("health_green", 0.08)),
        (features.band == Band::Red, ("health_red", -0.40)),
        (
            features.health_change.is_some_and(|change| change >= 5),
            ("health_rising", 0.03),
        ),
        (needs.len() > 1, ("second_need", 0.05)),
        (features.has(Kind::Promoter), ("promoter", 0.05)),
        (features.has(Kind::RenewalClock), ("renewal_clock", 0.05)),
        (features.has(Kind::UsageDrop), ("usage_drop", -0.40)),
        (features.overdue_invoices > 0, ("payment_overdue", -0.10)),
        (features.open_critical > 0, ("critical_ticket", -0.10)),
        (is_detractor(features), ("nps_detractor", -0.10)),
        (!features.is_paying, ("not_paying", -0.20)),
    ]);
    effects.extend(needs.first());
    effects
}

/// The open signals that speak of a need, the strongest first; only the first counts in full.
fn needs(features: &Features) -> Vec<Effect> {
    applying([
        (features.has(Kind::VolumeGrowth), ("volume_growth", 0.15)),
        (features.has(Kind::LimitApproach), ("limit_approach", 0.15)),
        (features.has(Kind::SpendGrowth), ("spend_growth", 0.10)),
        (features.has(Kind::TicketCluster), ("ticket_cluster", 0.10)),
        (features.has(Kind::FeatureEmbrace), ("feature_embrace", 0.10)),
    ])
}

fn is_detractor(features: &Features) -> bool {
    features.nps.is_some_and(|score| score <= 6)
}

fn applying<const N: usize>(rules: [(bool, Effect); N]) -> Vec<Effect> {
    rules
        .into_iter()
        .filter(|(applies, _)| *applies)
        .map(|(_, effect)| effect)
        .collect()
}
