//! What stands beside the three numbers: fit, segments, classes, judgements, movements, what history says.

use upswell_proto::scoring::v1 as wire;

use super::{part, score, signal, time};
use crate::{
    app::Explained,
    domain::{
        backtest::Tally,
        detect::Segment,
        history::Movement,
        icp::IcpFit,
        overrides::{Override, Subject},
        stage::{Onboarding, Qualification, Stage, Tier},
    },
    store::{Coverage, Raiser},
};
use upswell_runtime::db::from_micros;

pub(super) fn icp(fit: &IcpFit) -> wire::IcpFit {
    let IcpFit { value, parts } = fit;
    wire::IcpFit {
        value: *value,
        components: parts.iter().map(part).collect(),
    }
}

pub(super) fn segment(segment: Segment) -> wire::score::Segment {
    match segment {
        Segment::New => wire::score::Segment::New,
        Segment::Leaving => wire::score::Segment::Leaving,
        Segment::Active => wire::score::Segment::Active,
        Segment::Middling => wire::score::Segment::Middling,
    }
}

pub(super) fn tier(tier: Tier) -> wire::score::Tier {
    match tier {
        Tier::A => wire::score::Tier::A,
        Tier::B => wire::score::Tier::B,
        Tier::C => wire::score::Tier::C,
    }
}

pub(super) fn onboarding(onboarding: Onboarding) -> wire::Onboarding {
    let Onboarding { stage, is_reached } = onboarding;
    let stage = match stage {
        Stage::FirstTask => wire::onboarding::Stage::FirstTask,
        Stage::RegularUsers => wire::onboarding::Stage::RegularUsers,
        Stage::Benefit => wire::onboarding::Stage::Benefit,
    };
    wire::Onboarding {
        stage: stage.into(),
        reached: is_reached,
    }
}

pub(super) fn qualification(qualification: Qualification) -> wire::Qualification {
    let Qualification {
        is_adopted,
        is_able,
        is_aligned,
    } = qualification;
    wire::Qualification {
        adopted: is_adopted,
        able: is_able,
        aligned: is_aligned,
    }
}

pub(in crate::api) fn judgement(made: &Override) -> wire::Override {
    let Override {
        id,
        account_id,
        subject,
        value,
        computed,
        author,
        reason,
        made_at,
        expires_at,
        ended_at,
    } = made;
    wire::Override {
        override_id: id.to_string(),
        account_id: account_id.clone(),
        subject: match subject {
            Subject::Health => wire::r#override::Subject::Health,
            Subject::ChurnRisk => wire::r#override::Subject::ChurnRisk,
            Subject::ExpansionPropensity => wire::r#override::Subject::ExpansionPropensity,
            Subject::IcpFit => wire::r#override::Subject::IcpFit,
            Subject::Tier => wire::r#override::Subject::Tier,
        }
        .into(),
        value: *value,
        computed_value: *computed,
        author: author.clone(),
        reason: reason.clone(),
        make_time: Some(time(*made_at)),
        expire_time: Some(time(*expires_at)),
        end_time: ended_at.map(time),
    }
}

/// The subject of a judgement; `None` when it is not set or not known.
pub(in crate::api) fn subject(wire: i32) -> Option<Subject> {
    match wire::r#override::Subject::try_from(wire).ok()? {
        wire::r#override::Subject::Unspecified => None,
        wire::r#override::Subject::Health => Some(Subject::Health),
        wire::r#override::Subject::ChurnRisk => Some(Subject::ChurnRisk),
        wire::r#override::Subject::ExpansionPropensity => Some(Subject::ExpansionPropensity),
        wire::r#override::Subject::IcpFit => Some(Subject::IcpFit),
        wire::r#override::Subject::Tier => Some(Subject::Tier),
    }
}

pub(in crate::api) fn explained(explained: &Explained) -> wire::ExplainScoreResponse {
    wire::ExplainScoreResponse {
        score: Some(score(&explained.score, &explained.overrides)),
        movements: explained.movements.iter().map(movement).collect(),
        signals: explained.signals.iter().map(signal).collect(),
    }
}

fn movement(movement: &Movement) -> wire::Movement {
    let Movement {
        at,
        number,
        component,
        before,
        after,
        note,
    } = movement;
    wire::Movement {
        move_time: Some(time(*at)),
        number: number.clone(),
        component: component.clone(),
        before: *before,
        after: *after,
        note: note.clone(),
    }
}

pub(in crate::api) fn raiser(raiser: Raiser) -> wire::Raiser {
    let Raiser {
        raised_by,
        raised,
        offered,
        accepted,
    } = raiser;
    wire::Raiser {
        author: raised_by,
        raised,
        offered,
        accepted,
    }
}

pub(in crate::api) fn backtest(tally: Tally) -> wire::BacktestTally {
    let Tally {
        fired,
        accounts,
        expanded,
        contracted,
        churned,
        unchanged,
        pending,
        not_paying,
    } = tally;
    wire::BacktestTally {
        fired,
        accounts,
        expanded,
        contracted,
        churned,
        unchanged,
        pending,
        not_paying,
    }
}

pub(in crate::api) fn coverage(coverage: Coverage) -> wire::GetCoverageResponse {
    let Coverage {
        accounts,
        fresh,
        oldest_at,
    } = coverage;
    wire::GetCoverageResponse {
        accounts,
        fresh,
        percent: (accounts > 0).then(|| fresh as f64 * 100.0 / accounts as f64),
        oldest_score_time: oldest_at.map(|oldest| time(from_micros(oldest))),
    }
}
