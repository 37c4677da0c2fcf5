//! Scores one account: looks for signals, moves their lives on, adds up health and predicts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    detect::{Sightings, detect},
    facts::Facts,
    features::{Features, missing_inputs},
    health::{Health, HealthRules, health, open_critical},
    lifecycle::{Look, Step, advance},
    model::Model,
    moment::Moment,
    score::{PastHealth, Score},
    signal::{Key, Signal},
    thresholds::Thresholds,
};

/// By what an account is judged.
pub struct Rulebook {
    /// Thresholds of signals.
    pub thresholds: Thresholds,
    /// Points of health.
    pub health: HealthRules,
    /// What predicts.
    pub model: Box<dyn Model>,
}

/// What was known of an account before.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The newest episode of each key.
    pub signals: Vec<Signal>,
    /// The newest score.
    pub score: Option<Score>,
    /// Health a week before.
    pub week_ago: Option<PastHealth>,
}

/// What the facts make of an account.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The new score.
    pub score: Score,
    /// Something in it is new.
    pub is_new: bool,
    /// Signals to write.
    pub steps: Vec<Step>,
}

/// Scores `account_id` from its facts.
pub fn assess(account_id: &str, facts: &Facts, known: &Known, now: Timestamp, rules: &Rulebook) -> Assessment {
    let moment = Moment::at(now, &facts.time_zone());
    let steps = advance_all(account_id, facts, known, &moment, &rules.thresholds);
    let health = health(facts, &moment, &rules.health);
    let signals = after(&known.signals, &steps);
    let score = score(account_id, facts, health, &signals, known, &moment, rules);
    let is_new = known.score.as_ref().is_none_or(|old| score.differs_from(old));
    Assessment { score, is_new, steps }
}

fn advance_all(account_id: &str, facts: &Facts, known: &Known, moment: &Moment, thresholds: &Thresholds) -> Vec<Step> {
    let seen = detect(facts, moment, thresholds);
    let newest: BTreeMap<&Key, &Signal> = known.signals.iter().map(|signal| (&signal.key, signal)).collect();
    let keys: BTreeSet<&Key> = newest.keys().copied().chain(seen.keys()).collect();
    // Several signals often opened at one instant; the facts are looked at again once per instant.
    let mut past: BTreeMap<Timestamp, Sightings> = BTreeMap::new();
    let step = |key: &Key| {
        let look = Look {
            account_id,
            key,
            sighting: seen.get(key),
            moment,
        };
        advance(newest.get(key).copied(), look, &thresholds.life, |opened_at| {
            let then = past
                .entry(opened_at)
                .or_insert_with(|| detect(facts, &moment.back_to(opened_at), thresholds));
            // What can no longer be judged is not called wrong.
            then.get(key).is_some()
        })
    };
    keys.into_iter().filter_map(step).collect()
}

/// The newest episode of every key after `steps`.
fn after(known: &[Signal], steps: &[Step]) -> Vec<Signal> {
    let mut newest: BTreeMap<&Key, &Signal> = known.iter().map(|signal| (&signal.key, signal)).collect();
    newest.extend(steps.iter().map(|step| (&step.signal.key, &step.signal)));
    newest.into_values().cloned().collect()
}

fn score(
    account_id: &str,
    facts: &Facts,
    health: Health,
    signals: &[Signal],
    known: &Known,
    moment: &Moment,
    rules: &Rulebook,
) -> Score {
    let change = known.week_ago.as_ref().map(|past| health.value - past.value);
    let features = Features::of(facts, &health, signals, moment, &rules.thresholds);
    let prediction = rules.model.predict(&Features {
        health_change: change,
        ..features
    });
    let (open_critical, oldest_critical_at) = open_critical(facts, moment.now);
    let score = Score {
        account_id: account_id.to_owned(),
        as_of: moment.as_of,
        scored_at: moment.now,
        missing_inputs: missing_inputs(facts, &health, moment),
        health,
        health_change: None,
        churn_risk: prediction.churn_risk,
        expansion_propensity: prediction.expansion_propensity,
        reasons: prediction.reasons,
        model_version: rules.model.version().to_owned(),
        open_critical,
        oldest_critical_at,
    };
    score.compared_with(known.week_ago.as_ref())
}
