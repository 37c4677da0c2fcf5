//! The account's own figures for a business review (RN-5).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use upswell_proto::ingestion::v1::{
    GetAccount360Request, GetAccount360Response, SeriesKind, SeriesSummary, Ticket,
    ingestion_service_client::IngestionServiceClient, survey_answer::Survey,
};
use upswell_runtime::{
    client::{ClientSettings, Peers, call},
    problem::Problem,
};

use crate::domain::care::{Figure, Figures, Person};

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
        goals: Vec::new(),
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
