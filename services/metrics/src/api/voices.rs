//! What an account said or reached, read into facts.

use upswell_proto::{
    ingestion::v1::{Fact as WireFact, VoiceHeard, fact::Body, survey_answer::Survey},
    offers::v1::ContactUnsubscribed,
};
use upswell_runtime::problem::{Problem, Violations};

use super::{
    convert::{date, optional, required, settled, time, word},
    events::id,
};
use crate::{
    app::Fact,
    domain::journey::{Voice, VoiceKind},
};

pub(super) fn voice(wire: VoiceHeard) -> Result<Fact, Problem> {
    let VoiceHeard {
        account_id,
        fact,
        superseded,
    } = wire;
    let mut violations = Violations::new();
    let account_id = id("account_id", account_id, &mut violations);
    let fact = required("fact", fact, &mut violations, Ok::<_, String>);
    let voice = account_id.zip(fact).and_then(|(account_id, fact)| {
        violations.at("fact", |violations| voice_in(account_id, fact, superseded, violations))
    });
    settled(voice, violations).map(Fact::Voice)
}

/// A person and a channel are told of once; telling again replaces what was told.
pub(super) fn unsubscribed(wire: ContactUnsubscribed) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let channel = word(wire.channel().as_str_name(), "CHANNEL_");
    if channel.is_empty() {
        violations.add("channel", "is required");
    }
    let ContactUnsubscribed {
        account_id,
        contact_id,
        channel: _,
        unsubscribe_time,
    } = wire;
    let account_id = id("account_id", account_id, &mut violations);
    let contact_id = id("contact_id", contact_id, &mut violations);
    let heard_at = required("unsubscribe_time", unsubscribe_time, &mut violations, time);
    let voice = (|| {
        Some(Voice {
            fact_id: format!("unsubscribed/{}/{channel}", contact_id?),
            account_id: account_id?,
            kind: VoiceKind::Unsubscribed,
            subject: channel,
            heard_at: heard_at?,
            score: 0,
            reached_on: None,
            superseded: false,
        })
    })();
    settled(voice, violations).map(Fact::Voice)
}

fn voice_in(account_id: String, fact: WireFact, superseded: bool, violations: &mut Violations) -> Option<Voice> {
    let heard_at = required("occur_time", fact.occur_time, violations, time);
    let source = id("source", fact.source, violations);
    let external_id = id("external_id", fact.external_id, violations);
    let (kind, subject, score, reached_on) = match fact.body {
        Some(Body::Survey(answer)) => match answer.survey() {
            Survey::Nps => (VoiceKind::Nps, String::new(), answer.score, None),
            Survey::Csat => (VoiceKind::Csat, String::new(), answer.score, None),
            Survey::Unspecified => {
                violations.add("survey.survey", "is not known here");
                return None;
            }
        },
        Some(Body::Complaint(_)) => (VoiceKind::Complaint, String::new(), 0, None),
        Some(Body::Goal(goal)) => {
            let reached_on = optional("goal.reach_date", goal.reach_date, violations, date)?;
            (VoiceKind::Goal, goal.goal_id, 0, reached_on)
        }
        _ => {
            violations.add("body", "is no survey, complaint or goal");
            return None;
        }
    };
    Some(Voice {
        fact_id: format!("{}/{}", source?, external_id?),
        account_id,
        kind,
        subject,
        heard_at: heard_at?,
        score,
        reached_on,
        superseded,
    })
}
