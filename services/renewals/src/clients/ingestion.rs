//! The account's own figures for a business review (RN-5).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use upswell_proto::{
    gtype,
    ingestion::v1::{
        GetAccount360Request, GetAccount360Response, Moment, SeriesKind, SeriesSummary, Ticket, fact::Body,
        ingestion_service_client::IngestionServiceClient, survey_answer::Survey,
    },
};
use upswell_runtime::{
    client::{ClientSettings, Peers, call},
    problem::Problem,
};

use crate::domain::care::{Figure, Figures, Goal, Person};

/// Half a year of a large account, with room.
const MAX_ANSWER: usize = 16 << 20;
/// A quarter.
const QUARTER: SignedDuration = SignedDuration::from_hours(91 * 24);

/// The client of ingestion.
#[derive(Clone, Debug)]
pub struct Ingestion {
    peers: Peers,
    settings: ClientSettings,
}

impl Ingestion {
    /// A client of the peer `ingestion`.
    pub fn new(peers: Peers, settings: ClientSettings) -> Self {
        Self { peers, settings }
    }

    /// What is known of an account. Errors: NOT_FOUND, UNAVAILABLE, DEADLINE_EXCEEDED.
    pub async fn figures(&self, account_id: &str, now: Timestamp) -> Result<Figures, Problem> {
        let channel = self.peers.channel("ingestion")?;
        let client = IngestionServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER);
        let request = GetAccount360Request {
            account_id: account_id.to_owned(),
        };
        let ask = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.get_account360(request).await }
        };
        Ok(read(call(&self.settings, "ingestion.GetAccount360", ask).await?, now))
    }
}

fn read(picture: GetAccount360Response, now: Timestamp) -> Figures {
    let person = |contact: upswell_proto::ingestion::v1::Contact| {
        let profile = contact.profile?;
        Some(Person {
            contact_id: profile.contact_id,
            decides: profile.renewal_decision_maker,
            holds_budget: profile.budget_holder,
        })
    };
    let tickets: Vec<Ticket> = picture.tickets.into_iter().filter_map(|state| state.ticket).collect();
    let ago = |wire: Option<&prost_types::Timestamp>| {
        let at = Timestamp::new(wire?.seconds, wire?.nanos).ok()?;
        Some(now.duration_since(at))
    };
    let solved_in = |from: SignedDuration, to: SignedDuration| {
        let within =
            move |ticket: &&Ticket| ago(ticket.resolve_time.as_ref()).is_some_and(|ago| from <= ago && ago < to);
        topics(tickets.iter().filter(within))
    };
    let (now_solved, before) = (
        solved_in(SignedDuration::ZERO, QUARTER),
        solved_in(QUARTER, QUARTER * 2),
    );
    let open = topics(tickets.iter().filter(|ticket| ticket.resolve_time.is_none()));
    let figure = |what: &str, (topic, value): (String, i64), previous| Figure {
        name: format!("{what} {topic}"),
        value,
        previous,
    };
    let nps = picture
        .surveys
        .into_iter()
        .filter_map(|state| state.answer)
        .find(|answer| answer.survey() == Survey::Nps);
    Figures {
        people: picture.contacts.into_iter().filter_map(person).collect(),
        use_of: picture.series.into_iter().filter_map(use_of).collect(),
        goals: picture.moments.into_iter().filter_map(goal).collect(),
        solved: now_solved
            .into_iter()
            .map(|(topic, count)| {
                let previous = before.get(&topic).copied();
                figure("tickets solved:", (topic, count), previous)
            })
            .collect(),
        open: open
            .into_iter()
            .map(|entry| figure("tickets open:", entry, None))
            .collect(),
        nps: nps.map(|answer| answer.score),
    }
}

/// A goal as it stands; a day that is none is left out.
fn goal(moment: Moment) -> Option<Goal> {
    let Body::Goal(goal) = moment.fact?.body? else {
        return None;
    };
    let day = |wire: Option<gtype::Date>| {
        let gtype::Date { year, month, day } = wire?;
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
    };
    Some(Goal {
        title: goal.title,
        target_on: day(goal.target_date),
        reached_on: day(goal.reach_date),
    })
}

fn use_of(series: SeriesSummary) -> Option<Figure> {
    let what = match series.kind() {
        SeriesKind::Usage => "usage",
        SeriesKind::Logins => "logins",
        SeriesKind::FeatureUses => "uses of",
        SeriesKind::Exports => "exports to",
        // Counts of people do not add up over days, and a trial is no use yet.
        _ => return None,
    };
    let name = format!("{what} {}", series.name).trim_end().to_owned();
    Some(Figure {
        name,
        value: series.last_30_days,
        previous: Some(series.previous_30_days),
    })
}

fn topics<'a>(tickets: impl Iterator<Item = &'a Ticket>) -> BTreeMap<String, i64> {
    let mut topics = BTreeMap::new();
    for ticket in tickets {
        *topics.entry(ticket.topic.clone()).or_default() += 1;
    }
    topics
}

#[cfg(test)]
mod tests {
    use upswell_proto::ingestion::v1::{self as pb, Fact};

    use super::*;

    #[test]
    fn rn5_goals_are_read_from_the_moments_of_the_account() {
        let moment = |body| Moment {
            fact: Some(Fact {
                body: Some(body),
                ..Fact::default()
            }),
            record_time: None,
        };
        let reached = pb::Goal {
            goal_id: "g-1".into(),
            title: "Two days less per shipment".into(),
            target_date: None,
            reach_date: Some(gtype::Date {
                year: 2026,
                month: 10,
                day: 10,
            }),
        };
        let picture = GetAccount360Response {
            moments: vec![
                moment(Body::Complaint(pb::Complaint::default())),
                moment(Body::Goal(reached)),
            ],
            ..GetAccount360Response::default()
        };
        let goals = read(picture, Timestamp::UNIX_EPOCH).goals;
        let day = jiff::civil::date(2026, 10, 10);
        assert_eq!(goals.len(), 1, "a complaint is no goal");
        assert_eq!(
            (goals[0].title.as_str(), goals[0].reached_on),
            ("Two days less per shipment", Some(day))
        );
    }
}
