//! Scores one account: looks for signals, moves their lives on, adds up health and predicts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    detect::{Segment, Sightings, detect, detect_lifecycle, segment},
    facts::Facts,
    features::{Features, missing_inputs},
    health::{Health, HealthRules, health, open_critical},
    history::has_moved,
    icp::{IcpFit, IcpRules, icp_fit},
    lifecycle::{Look, Step, advance},
    model::{
        Model, Prediction,
        champion::{Champions, Foreseen, version_of},
        history::{History, day_number},
    },
    moment::Moment,
    score::{PastHealth, Score},
    signal::{Key, Sighting, Signal},
    stage::{Onboarding, OnboardingRules, Tier, onboarding, potential, qualification},
    thresholds::Thresholds,
};

/// By what an account is judged.
#[derive(Clone)]
pub struct Rulebook {
    /// Thresholds of signals.
    pub thresholds: Thresholds,
    /// Points of health.
    pub health: HealthRules,
    /// Points of the fit to the ideal customer.
    pub icp: IcpRules,
    /// Stages of onboarding.
    pub onboarding: OnboardingRules,
    /// What predicts where no trained model does.
    pub model: Arc<dyn Model>,
    /// Trained models in use.
    pub champions: Arc<Champions>,
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
    /// Class by growth potential, as the weekly computation has it.
    pub tier: Option<Tier>,
}

/// What the facts make of an account.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The new score.
    pub score: Score,
    /// Something in it is new.
    pub is_new: bool,
    /// A figure in it moved, so that the history keeps it.
    pub has_moved: bool,
    /// Signals to write.
    pub steps: Vec<Step>,
}

/// What the facts alone say, without what was known before. The dear part of scoring: it needs no store.
#[derive(Clone, Debug)]
pub struct Looked {
    /// When.
    pub moment: Moment,
    /// Conditions that hold.
    pub seen: Sightings,
    health: Health,
    segment: Segment,
    onboarding: Option<Onboarding>,
    icp: IcpFit,
    foreseen: Foreseen,
}

/// Looks at the facts of an account.
pub fn look(facts: &Facts, now: Timestamp, rules: &Rulebook) -> Looked {
    let moment = Moment::at(now, &facts.time_zone());
    let health = health(facts, &moment, &rules.health);
    Looked {
        seen: look_at(facts, &moment, &health, &rules.thresholds),
        segment: segment(facts, &health, &moment, &rules.thresholds.lifecycle),
        onboarding: onboarding(facts, &moment, &rules.onboarding),
        icp: icp_fit(facts, &moment, &rules.icp),
        // The account's own name does not matter to a model.
        foreseen: rules
            .champions
            .foresee(|| History::of("", facts), day_number(moment.as_of)),
        health,
        moment,
    }
}

/// The conditions at a moment by another table of thresholds.
pub fn look_with(facts: &Facts, moment: &Moment, rules: &Rulebook, thresholds: &Thresholds) -> Sightings {
    look_at(facts, moment, &health(facts, moment, &rules.health), thresholds)
}

fn look_at(facts: &Facts, moment: &Moment, health: &Health, thresholds: &Thresholds) -> Sightings {
    let mut seen = detect(facts, moment, thresholds);
    detect_lifecycle(facts, health, moment, &thresholds.lifecycle, &mut seen);
    seen
}

/// What the rules would have said at `moment`, by the facts as they stood then: every condition that held counts as an
/// open signal.
pub fn rules_at(facts: &Facts, moment: &Moment, rules: &Rulebook) -> Prediction {
    let health_now = health(facts, moment, &rules.health);
    let week_ago = moment
        .now
        .checked_sub(SignedDuration::from_hours(24 * 7))
        .map(|then| health(facts, &moment.back_to(then), &rules.health));
    let seen = look_at(facts, moment, &health_now, &rules.thresholds);
    let holds = |(key, sighting): (&Key, &Sighting)| matches!(sighting, Sighting::Holds(_)).then_some(key.kind);
    let features = Features {
        health_change: week_ago.ok().map(|then| health_now.value - then.value),
        open_signals: seen.iter().filter_map(holds).collect(),
        ..Features::of(facts, &health_now, &[], moment, &rules.thresholds)
    };
    rules.model.predict(&features)
}

/// Scores `account_id` from its facts.
pub fn assess(account_id: &str, facts: &Facts, known: &Known, now: Timestamp, rules: &Rulebook) -> Assessment {
    conclude(account_id, facts, look(facts, now, rules), known, rules)
}

/// Sets what was seen beside what was known.
pub fn conclude(account_id: &str, facts: &Facts, looked: Looked, known: &Known, rules: &Rulebook) -> Assessment {
    let steps = advance_all(account_id, facts, known, &looked, rules);
    let signals = after(&known.signals, &steps);
    let score = score(account_id, facts, looked, &signals, known, rules);
    let old = known.score.as_ref();
    Assessment {
        is_new: old.is_none_or(|old| score.differs_from(old)),
        has_moved: old.is_none_or(|old| has_moved(old, &score)),
        score,
        steps,
    }
}

fn advance_all(account_id: &str, facts: &Facts, known: &Known, looked: &Looked, rules: &Rulebook) -> Vec<Step> {
    let Looked { seen, moment, .. } = looked;
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
        advance(newest.get(key).copied(), look, &rules.thresholds.life, |opened_at| {
            let then = past.entry(opened_at).or_insert_with(|| {
                let moment = moment.back_to(opened_at);
                look_at(
                    facts,
                    &moment,
                    &health(facts, &moment, &rules.health),
                    &rules.thresholds,
                )
            });
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
    looked: Looked,
    signals: &[Signal],
    known: &Known,
    rules: &Rulebook,
) -> Score {
    let Looked {
        moment,
        seen: _,
        health,
        segment,
        onboarding,
        icp,
        foreseen,
    } = looked;
    let change = known.week_ago.as_ref().map(|past| health.value - past.value);
    let features = Features::of(facts, &health, signals, &moment, &rules.thresholds);
    let by_rules = rules.model.predict(&Features {
        health_change: change,
        ..features
    });
    let (prediction, sources) = foreseen.over(by_rules, rules.model.version());
    let (open_critical, oldest_critical_at) = open_critical(facts, moment.now);
    let score = Score {
        account_id: account_id.to_owned(),
        as_of: moment.as_of,
        scored_at: moment.now,
        missing_inputs: missing_inputs(facts, &health, &moment),
        qualification: qualification(facts, &health, signals),
        potential: potential(&icp, &prediction),
        health,
        health_change: None,
        churn_risk: prediction.churn_risk,
        expansion_propensity: prediction.expansion_propensity,
        reasons: prediction.reasons,
        model_version: version_of(&sources),
        sources,
        open_critical,
        oldest_critical_at,
        icp,
        segment,
        onboarding,
        tier: known.tier,
    };
    score.compared_with(known.week_ago.as_ref())
}
