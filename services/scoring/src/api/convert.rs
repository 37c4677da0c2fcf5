//! Domain → wire.

mod beside;

pub(super) use self::beside::{backtest, coverage, explained, judgement, raiser, subject};

use jiff::{Timestamp, civil::Date};
use upswell_proto::{gtype, scoring::v1 as wire, vocabulary::v1::SignalKind};

use crate::domain::{
    health::{Band, Health, Part},
    model::{Reason, champion::Source},
    overrides::Override,
    score::Score,
    signal::{Evidence, Grade, Kind, Signal, State},
};

/// A score with the judgements that stand beside it.
pub(super) fn score(score: &Score, overrides: &[Override]) -> wire::Score {
    let Score {
        account_id,
        as_of,
        scored_at,
        health,
        health_change,
        churn_risk,
        expansion_propensity,
        ..
    } = score;
    let Score {
        reasons,
        model_version,
        sources,
        open_critical,
        oldest_critical_at,
        missing_inputs,
        icp,
        segment,
        onboarding,
        qualification,
        potential,
        tier,
        ..
    } = score;
    wire::Score {
        account_id: account_id.clone(),
        as_of_day: Some(date(*as_of)),
        score_time: Some(time(*scored_at)),
        health: Some(self::health(health)),
        health_change: *health_change,
        churn_risk: *churn_risk,
        expansion_propensity: *expansion_propensity,
        reasons: reasons.iter().map(reason).collect(),
        model_version: model_version.clone(),
        open_critical_tickets: *open_critical,
        oldest_critical_open_time: oldest_critical_at.map(time),
        missing_inputs: missing_inputs.clone(),
        icp_fit: Some(beside::icp(icp)),
        segment: beside::segment(*segment).into(),
        onboarding: onboarding.map(beside::onboarding),
        qualification: Some(beside::qualification(*qualification)),
        potential: *potential,
        tier: tier.map_or(wire::score::Tier::Unspecified, beside::tier).into(),
        overrides: overrides.iter().map(judgement).collect(),
        sources: sources.iter().map(source).collect(),
    }
}

fn health(health: &Health) -> wire::Health {
    let Health {
        value,
        raw,
        band,
        parts,
    } = health;
    let band = match band {
        Band::Red => wire::health::Band::Red,
        Band::Yellow => wire::health::Band::Yellow,
        Band::Green => wire::health::Band::Green,
    };
    wire::Health {
        value: *value,
        raw: *raw,
        band: band.into(),
        components: parts.iter().map(part).collect(),
    }
}

fn part(part: &Part) -> wire::HealthComponent {
    let Part {
        name,
        points,
        previous_points,
        missing,
        observation,
    } = part;
    wire::HealthComponent {
        name: name.clone(),
        points: *points,
        previous_points: *previous_points,
        missing: *missing,
        observation: observation.clone(),
    }
}

fn source(source: &Source) -> wire::ScoreSource {
    let Source { score, model, reason } = source;
    wire::ScoreSource {
        score: score.clone(),
        model: model.clone(),
        reason: reason.clone(),
    }
}

fn reason(reason: &Reason) -> wire::Reason {
    let Reason { score, feature, effect } = reason;
    wire::Reason {
        score: score.clone(),
        feature: feature.clone(),
        effect: *effect,
    }
}

pub(super) fn signal(signal: &Signal) -> wire::Signal {
    let Signal {
        id,
        account_id,
        key,
        episode: _,
        state,
        grade,
        strength,
        evidence,
        ..
    } = signal;
    let Signal {
        opened_at,
        last_seen_at,
        closed_at,
        offer_id,
        quiet_since: _,
        told_strength: _,
        raised_by: _,
        ..
    } = signal;
    wire::Signal {
        signal_id: id.to_string(),
        account_id: account_id.clone(),
        kind: kind(key.kind).into(),
        subject: key.subject.clone(),
        state: self::state(*state).into(),
        grade: self::grade(*grade).into(),
        strength: *strength,
        evidence: evidence.iter().map(figure).collect(),
        open_time: Some(time(*opened_at)),
        last_seen_time: Some(time(*last_seen_at)),
        close_time: closed_at.map(time),
        offer_id: offer_id.clone().unwrap_or_default(),
    }
}

/// The kind of a wire value; `None` when it is not set or not known.
pub(super) fn kind_of(wire: i32) -> Option<Kind> {
    let wire = SignalKind::try_from(wire).ok()?;
    Kind::ALL.iter().copied().find(|known| kind(*known) == wire)
}

fn kind(kind: Kind) -> SignalKind {
    match kind {
        Kind::SpendGrowth => SignalKind::SpendGrowth,
        Kind::VolumeGrowth => SignalKind::VolumeGrowth,
        Kind::UsageDrop => SignalKind::UsageDrop,
        Kind::WeakAdoption => SignalKind::WeakAdoption,
        Kind::TicketCluster => SignalKind::TicketCluster,
        Kind::RenewalClock => SignalKind::RenewalClock,
        Kind::LimitApproach => SignalKind::LimitApproach,
        Kind::SeatsShort => SignalKind::SeatsShort,
        Kind::TariffSaturation => SignalKind::TariffSaturation,
        Kind::FeatureEmbrace => SignalKind::FeatureEmbrace,
        Kind::Interest => SignalKind::Interest,
        Kind::ValueReached => SignalKind::ValueReached,
        Kind::PowerUsers => SignalKind::PowerUsers,
        Kind::WorkflowFriction => SignalKind::WorkflowFriction,
        Kind::Initiative => SignalKind::Initiative,
        Kind::CompanyGrowth => SignalKind::CompanyGrowth,
        Kind::TrialEnding => SignalKind::TrialEnding,
        Kind::Promoter => SignalKind::Promoter,
        Kind::ProofRequest => SignalKind::ProofRequest,
        Kind::BudgetMoment => SignalKind::BudgetMoment,
        Kind::CsmRaised => SignalKind::CsmRaised,
        Kind::DowngradeAttempt => SignalKind::DowngradeAttempt,
        Kind::HeavyTrialUse => SignalKind::HeavyTrialUse,
        Kind::Lifecycle => SignalKind::Lifecycle,
    }
}

fn state(state: State) -> wire::signal::State {
    match state {
        State::Open => wire::signal::State::Open,
        State::Consumed => wire::signal::State::Consumed,
        State::Expired => wire::signal::State::Expired,
        State::Withdrawn => wire::signal::State::Withdrawn,
    }
}

fn grade(grade: Grade) -> wire::signal::Grade {
    match grade {
        Grade::Low => wire::signal::Grade::Low,
        Grade::Normal => wire::signal::Grade::Normal,
        Grade::High => wire::signal::Grade::High,
        Grade::Exceeded => wire::signal::Grade::Exceeded,
    }
}

fn figure(evidence: &Evidence) -> wire::Evidence {
    let Evidence {
        name,
        value,
        unit,
        baseline,
        first_day,
        last_day,
        facts,
    } = evidence;
    wire::Evidence {
        name: name.clone(),
        value: *value,
        unit: unit.clone(),
        baseline: *baseline,
        window_start_day: Some(date(*first_day)),
        window_end_day: Some(date(*last_day)),
        facts: facts.clone(),
    }
}

pub(super) fn date(day: Date) -> gtype::Date {
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

fn time(instant: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    }
}
