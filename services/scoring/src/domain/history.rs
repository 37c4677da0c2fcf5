//! What moved a score since when (SC-3). The history keeps a score when something in it moved; the movements are read off
//! two neighbours.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{overrides::tier_number, score::Score};

/// Something in a score moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// When.
    pub at: Timestamp,
    /// The number that it belongs to, e.g. `health`.
    pub number: String,
    /// The component, e.g. `logins`; empty for the number itself.
    pub component: String,
    /// Before; `None` when it was not there.
    pub before: Option<f64>,
    /// After; `None` when it is no longer there.
    pub after: Option<f64>,
    /// In words, where a number says too little.
    pub note: String,
}

type Figures = BTreeMap<(&'static str, String), f64>;

/// True when a figure of `new` differs from that of `old`. Observations, dates and times do not count: they change daily
/// and move nothing.
pub fn has_moved(old: &Score, new: &Score) -> bool {
    figures(old) != figures(new) || words(old) != words(new)
}

/// What moved through `scores`, the oldest first; each against the one before it.
pub fn movements(scores: &[Score]) -> Vec<Movement> {
    scores.windows(2).flat_map(|pair| between(&pair[0], &pair[1])).collect()
}

fn between(old: &Score, new: &Score) -> Vec<Movement> {
    let (before, after) = (figures(old), figures(new));
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut moved: Vec<Movement> = keys
        .into_iter()
        .filter(|key| before.get(key) != after.get(key))
        .map(|key| Movement {
            at: new.scored_at,
            number: key.0.to_owned(),
            component: key.1.clone(),
            before: before.get(key).copied(),
            after: after.get(key).copied(),
            note: String::new(),
        })
        .collect();
    let changed = words(old).into_iter().zip(words(new)).filter(|(old, new)| old != new);
    moved.extend(changed.map(|((number, was), (_, is))| Movement {
        at: new.scored_at,
        number: number.to_owned(),
        component: String::new(),
        before: None,
        after: None,
        note: format!("{was} → {is}"),
    }));
    moved
}

fn figures(score: &Score) -> Figures {
    let mut figures = Figures::from([
        (("health", String::new()), f64::from(score.health.value)),
        (("churn_risk", String::new()), score.churn_risk),
        (("expansion_propensity", String::new()), score.expansion_propensity),
        (("icp_fit", String::new()), f64::from(score.icp.value)),
    ]);
    for part in &score.health.parts {
        figures.insert(("health", part.name.clone()), f64::from(part.points));
    }
    for part in &score.icp.parts {
        figures.insert(("icp_fit", part.name.clone()), f64::from(part.points));
    }
    for reason in &score.reasons {
        let number = match reason.score.as_str() {
            "churn_risk" => "churn_risk",
            _ => "expansion_propensity",
        };
        figures.insert((number, reason.feature.clone()), reason.effect);
    }
    if let Some(tier) = score.tier {
        figures.insert(("tier", String::new()), tier_number(tier));
    }
    figures
}

fn words(score: &Score) -> [(&'static str, String); 3] {
    let stage = score.onboarding.map_or("none", |onboarding| onboarding.stage.as_str());
    [
        ("segment", score.segment.as_str().to_owned()),
        ("onboarding", stage.to_owned()),
        ("model", score.model_version.clone()),
    ]
}
