//! The whole picture of an account (I-8), put together from its documents, rollups and what offers told.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::{
    fact::{AccountProfile, Body, ExternalTouch, Ticket},
    rollup::Tally,
    standing::{Document, object_of, standing},
    words::Kind,
};

/// Tickets are shown for so many days, and at most so many.
pub const TICKET_DAYS: i32 = 365;
/// The most tickets shown.
pub const TICKETS_MAX: usize = 200;
/// The most invoices and touches shown.
pub const INVOICES_MAX: usize = 100;
/// The most touches shown.
pub const TOUCHES_MAX: usize = 100;
/// The most facts of other kinds shown.
pub const MOMENTS_MAX: usize = 200;
/// The most survey answers, replies and offers shown.
pub const ANSWERS_MAX: usize = 50;

/// The profile that stands among the documents of one account, with its fact.
pub fn profile(documents: &[Document]) -> Option<(&AccountProfile, &Document)> {
    let document = standing(documents).remove(&(Kind::AccountProfile, String::new()))?;
    match &document.fact.body {
        Body::AccountProfile(profile) => Some((profile, document)),
        _ => None,
    }
}

/// The calendar day of `now` where the account lives; UTC while that is unknown.
pub fn today(profile: Option<&AccountProfile>, now: Timestamp) -> Date {
    let zone = profile
        .and_then(|profile| TimeZone::get(&profile.time_zone).ok())
        .unwrap_or(TimeZone::UTC);
    now.to_zoned(zone).date()
}

/// What a series is called: one kind of fact gives one or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Series {
    /// Sum of a usage metric.
    Usage,
    /// Largest number of active people.
    ActiveUsers,
    /// Sum of logins.
    Logins,
    /// Largest number of people who used a feature.
    FeatureUsers,
    /// Sum of uses of a feature.
    FeatureUses,
    /// Largest number of people who used a premium feature in a trial.
    TrialUsers,
    /// Sum of uses of a premium feature in a trial.
    TrialUses,
    /// Sum of exports to another tool.
    Exports,
}

impl Series {
    /// The series that facts of `kind` feed.
    pub fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Usage => &[Self::Usage],
            Kind::Activity => &[Self::ActiveUsers, Self::Logins],
            Kind::FeatureUse => &[Self::FeatureUsers, Self::FeatureUses],
            Kind::TrialUse => &[Self::TrialUsers, Self::TrialUses],
            Kind::Export => &[Self::Exports],
            _ => &[],
        }
    }

    /// The day's value.
    pub fn value(self, tally: &Tally) -> i64 {
        match self {
            Self::Usage | Self::Logins | Self::FeatureUses | Self::TrialUses | Self::Exports => tally.sum,
            Self::ActiveUsers | Self::FeatureUsers | Self::TrialUsers => tally.max,
        }
    }
}

/// The days of one name: kind and name, then ascending days.
pub type Days = BTreeMap<(Kind, String), BTreeMap<Date, Tally>>;

/// Everything known about one account, not yet put in order.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The account.
    pub account_id: String,
    /// The accounts that are part of it, by id.
    pub parts: Vec<String>,
    /// When its first fact was recorded.
    pub created: Timestamp,
    /// Its counting documents.
    pub documents: Vec<Document>,
    /// Its days of the last 60, and the newest day of every older series.
    pub days: Days,
    /// Its touches in the ledger.
    pub touches: Vec<LedgerTouch>,
    /// Its offers.
    pub offers: Vec<OfferRecord>,
}

/// A daily series in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What is counted.
    pub series: Series,
    /// Metric or feature.
    pub name: String,
    /// Newest day with a count.
    pub last_day: Date,
    /// Sum of the last 30 complete days.
    pub last_30_days: i64,
    /// Sum of the 30 complete days before.
    pub previous_30_days: i64,
    /// The facts behind both windows; None when there are none.
    pub facts: Option<Tally>,
}

/// A line a series, by name. Complete days are those before `today`.
pub fn summaries(days: &Days, today: Date) -> Vec<Summary> {
    let back = |days: i64| today.saturating_sub(days.days());
    let mut lines = Vec::new();
    for ((kind, name), days) in days {
        let Some(last_day) = days.keys().next_back().copied() else {
            continue;
        };
        let window = |from: i64, to: i64| days.range(back(from)..back(to)).map(|(_, tally)| tally);
        for series in Series::of(*kind) {
            let sum = |from, to| window(from, to).fold(0_i64, |sum, tally| sum.saturating_add(series.value(tally)));
            lines.push(Summary {
                series: *series,
                name: name.clone(),
                last_day,
                last_30_days: sum(30, 0),
                previous_30_days: sum(60, 30),
                facts: window(60, 0).copied().reduce(Tally::merge),
            });
        }
    }
    lines.sort_by(|a, b| (&a.name, a.series).cmp(&(&b.name, b.series)));
    lines
}

/// Tickets as they stand, the newest first, that `keep` keeps.
pub fn tickets(documents: &[Document], keep: impl Fn(&Ticket) -> bool) -> impl Iterator<Item = (&Ticket, &Document)> {
    let tickets = standing(documents)
        .into_values()
        .filter_map(|document| match &document.fact.body {
            Body::Ticket(ticket) => Some((ticket, document)),
            _ => None,
        });
    let mut tickets: Vec<_> = tickets.filter(|(ticket, _)| keep(ticket)).collect();
    tickets.sort_by_key(|(ticket, _)| (Reverse(ticket.open_time), &ticket.ticket_id));
    tickets.into_iter()
}

/// Documents of one kind, the newest first.
pub fn newest(documents: &[Document], kind: Kind) -> impl Iterator<Item = &Document> {
    let mut found: Vec<_> = documents
        .iter()
        .filter(|document| document.fact.body.kind() == kind)
        .collect();
    found.sort_by(|a, b| b.rank().cmp(&a.rank()));
    found.into_iter()
}

/// What says *why now*, the newest first: of states the one that stands, of what happened every fact.
pub fn moments(documents: &[Document]) -> Vec<&Document> {
    let stands = standing(documents);
    let keep = |document: &&Document| {
        let body = &document.fact.body;
        let latest =
            object_of(body).is_none_or(|object| stands.get(&object).is_some_and(|it| it.rank() == document.rank()));
        body.kind().is_moment() && latest
    };
    let mut moments: Vec<&Document> = documents.iter().filter(keep).collect();
    moments.sort_by(|a, b| b.rank().cmp(&a.rank()));
    moments
}

/// A touch in the ledger, as offers told it. Words are those of the contract, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTouch {
    /// The touch.
    pub touch_id: String,
    /// The account.
    pub account_id: String,
    /// Its class.
    pub class: String,
    /// Its channel.
    pub channel: String,
    /// Who made it.
    pub sender: String,
    /// When it was made, or is planned.
    pub touch_time: Timestamp,
    /// Where it is in its life.
    pub state: String,
}

/// An offer, as offers told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRecord {
    /// The offer.
    pub offer_id: String,
    /// The account.
    pub account_id: String,
    /// Its playbook.
    pub playbook: String,
    /// Its motion.
    pub motion: String,
    /// Where it is in its life.
    pub state: String,
    /// Since when.
    pub state_time: Timestamp,
}

/// The touches of an account, the newest first: those of the ledger, and those by other tools that the ledger has not
/// entered yet.
pub fn touches(ledger: Vec<LedgerTouch>, documents: &[Document]) -> Vec<LedgerTouch> {
    let unseen = newest(documents, Kind::ExternalTouch).filter_map(|document| match &document.fact.body {
        Body::ExternalTouch(touch) => Some(observed(document, touch)),
        _ => None,
    });
    let same = |a: &LedgerTouch, b: &LedgerTouch| {
        (&a.class, &a.channel, &a.sender, a.touch_time) == (&b.class, &b.channel, &b.sender, b.touch_time)
    };
    let unseen: Vec<_> = unseen
        .filter(|touch| !ledger.iter().any(|entered| same(entered, touch)))
        .collect();
    let mut touches: Vec<_> = ledger.into_iter().chain(unseen).collect();
    touches.sort_by(|a, b| (b.touch_time, &b.touch_id).cmp(&(a.touch_time, &a.touch_id)));
    touches.truncate(TOUCHES_MAX);
    touches
}

fn observed(document: &Document, touch: &ExternalTouch) -> LedgerTouch {
    LedgerTouch {
        touch_id: String::new(),
        account_id: document.fact.account_id.clone(),
        class: touch.class.as_str().to_owned(),
        channel: touch.channel.as_str().to_owned(),
        sender: touch.sender.clone(),
        touch_time: document.fact.occur_time,
        state: "observed".to_owned(),
    }
}
