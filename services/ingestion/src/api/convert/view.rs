//! Pictures of accounts on the wire.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use upswell_proto::{
    ingestion::v1 as pb,
    vocabulary::v1::{Channel, Motion, TouchClass},
};
use upswell_runtime::{money, problem::Problem};

use super::out::{
    answer_to_wire, contact_to_wire, day, fact_to_wire, invoice_to_wire, profile_to_wire, reply_to_wire, terms_to_wire,
    ticket_to_wire, wire_time,
};
use crate::{
    app::AccountSeries,
    domain::{
        account360::{
            ANSWERS_MAX, Days, INVOICES_MAX, LedgerTouch, MOMENTS_MAX, OfferRecord, Picture, Series, Summary,
            TICKET_DAYS, TICKETS_MAX, moments, newest, profile, summaries, tickets, touches,
        },
        fact::{Body, Ticket},
        invoice::{InvoiceState, invoices},
        standing::{Document, object_of, standing},
        subscription::{self, Standing, versions},
        words::Kind,
    },
};

/// Invoices that scoring looks at were due in so many days.
const DUE_DAYS: i64 = 400;

/// The whole picture on `today`, the account's calendar day.
pub(crate) fn picture_to_wire(picture: Picture, today: Date) -> Result<pb::GetAccount360Response, Problem> {
    let Picture {
        account_id,
        parts,
        created,
        documents,
        days,
        touches: ledger,
        offers,
    } = picture;
    let versions = versions(&documents);
    let standings = subscription::on(&versions, today).map_err(Problem::internal)?;
    let mrr = subscription::total(&standings).map_err(Problem::internal)?;
    let first_ticket = start_of(today.saturating_sub(i64::from(TICKET_DAYS).days()), TimeZone::UTC);
    let recent = |ticket: &Ticket| ticket.open_time >= first_ticket;
    Ok(pb::GetAccount360Response {
        account: Some(account_to_wire(&account_id, parts, created, &documents)),
        contacts: contacts(&documents),
        subscriptions: standings.iter().map(subscription_to_wire).collect(),
        series: summaries(&days, today).into_iter().map(summary_to_wire).collect(),
        tickets: tickets(&documents, recent)
            .take(TICKETS_MAX)
            .map(ticket_state)
            .collect(),
        surveys: newest(&documents, Kind::Survey)
            .filter_map(answer_state)
            .take(ANSWERS_MAX)
            .collect(),
        invoices: invoices(&documents)
            .iter()
            .take(INVOICES_MAX)
            .map(invoice_state)
            .collect(),
        touches: touches(ledger, &documents).into_iter().map(touch_record).collect(),
        replies: newest(&documents, Kind::Reply)
            .filter_map(reply_record)
            .take(ANSWERS_MAX)
            .collect(),
        offers: offers.into_iter().map(offer_record).collect(),
        mrr: mrr.into_iter().map(money::to_proto).collect(),
        moments: moments(&documents).into_iter().take(MOMENTS_MAX).map(moment).collect(),
    })
}

/// What scoring needs of one account, for the days from `first` to `last`.
pub(crate) fn facts_to_wire(account: AccountSeries, (first, last): (Date, Date)) -> pb::AccountFacts {
    let AccountSeries {
        account_id,
        documents,
        days,
    } = account;
    let profile = profile(&documents).map(|(profile, _)| profile);
    let zone = profile
        .and_then(|profile| TimeZone::get(&profile.time_zone).ok())
        .unwrap_or(TimeZone::UTC);
    let (start, end) = (
        start_of(first, zone.clone()),
        start_of(last.saturating_add(1.day()), zone),
    );
    let open = |ticket: &Ticket| ticket.open_time < end && ticket.resolve_time.is_none_or(|at| at >= start);
    let due = first.min(last.saturating_sub(DUE_DAYS.days()))..=last;
    let mut surveys: Vec<pb::TimedSurveyAnswer> = newest(&documents, Kind::Survey).filter_map(timed_answer).collect();
    surveys.reverse();
    pb::AccountFacts {
        account_id,
        profile: profile.map(profile_to_wire),
        subscriptions: versions(&documents)
            .iter()
            .map(|version| terms_to_wire(version.terms))
            .collect(),
        series: series(&days),
        tickets: tickets(&documents, open)
            .map(|(ticket, _)| ticket_to_wire(ticket))
            .collect(),
        surveys,
        invoices: (invoices(&documents).iter())
            .filter(|state| due.contains(&state.invoice.due_date))
            .map(invoice_state)
            .collect(),
        moments: (moments_by_time(&documents).iter())
            .filter(|document| {
                let at = document.fact.occur_time;
                object_of(&document.fact.body).is_some() || (start..end).contains(&at)
            })
            .map(|document| fact_to_wire(&document.fact))
            .collect(),
        contacts: contacts(&documents)
            .into_iter()
            .filter_map(|contact| contact.profile)
            .collect(),
    }
}

fn moments_by_time(documents: &[Document]) -> Vec<&Document> {
    let mut found = moments(documents);
    found.reverse();
    found
}

fn moment(document: &Document) -> pb::Moment {
    pb::Moment {
        fact: Some(fact_to_wire(&document.fact)),
        record_time: Some(wire_time(document.recorded)),
    }
}

pub(super) fn account_to_wire(
    account_id: &str,
    parts: Vec<String>,
    created: Timestamp,
    documents: &[Document],
) -> pb::Account {
    let found = profile(documents);
    pb::Account {
        account_id: account_id.to_owned(),
        profile: found.map(|(profile, _)| profile_to_wire(profile)),
        provenance: found.map(|(_, document)| provenance(document)),
        create_time: Some(wire_time(created)),
        merged_account_ids: parts,
    }
}

fn start_of(day: Date, zone: TimeZone) -> Timestamp {
    day.to_zoned(zone).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

fn provenance(document: &Document) -> pb::Provenance {
    pb::Provenance {
        source: document.fact.source.clone(),
        external_id: document.fact.external_id.clone(),
        occur_time: Some(wire_time(document.fact.occur_time)),
        record_time: Some(wire_time(document.recorded)),
    }
}

fn contacts(documents: &[Document]) -> Vec<pb::Contact> {
    let states = standing(documents).into_values();
    let contacts = states.filter_map(|document| match &document.fact.body {
        Body::ContactProfile(contact) => Some(pb::Contact {
            profile: Some(contact_to_wire(contact)),
            provenance: Some(provenance(document)),
        }),
        _ => None,
    });
    contacts.collect()
}

fn subscription_to_wire(standing: &Standing<'_>) -> pb::Subscription {
    let Standing { version, active, mrr } = standing;
    pb::Subscription {
        terms: Some(terms_to_wire(version.terms)),
        mrr: Some(money::to_proto(*mrr)),
        active: *active,
        provenance: Some(provenance(version.document)),
    }
}

fn series_kind(series: Series) -> i32 {
    let kind = match series {
        Series::Usage => pb::SeriesKind::Usage,
        Series::ActiveUsers => pb::SeriesKind::ActiveUsers,
        Series::Logins => pb::SeriesKind::Logins,
        Series::FeatureUsers => pb::SeriesKind::FeatureUsers,
        Series::FeatureUses => pb::SeriesKind::FeatureUses,
        Series::TrialUsers => pb::SeriesKind::TrialUsers,
        Series::TrialUses => pb::SeriesKind::TrialUses,
        Series::Exports => pb::SeriesKind::Exports,
    };
    kind.into()
}

fn summary_to_wire(summary: Summary) -> pb::SeriesSummary {
    let Summary {
        series,
        name,
        last_day,
        last_30_days,
        previous_30_days,
        facts,
    } = summary;
    pb::SeriesSummary {
        kind: series_kind(series),
        name,
        last_day: Some(day(last_day)),
        last_30_days,
        previous_30_days,
        fact_count: facts.map_or(0, |facts| facts.fact_count),
        first_record_time: facts.map(|facts| wire_time(facts.first_recorded)),
        last_record_time: facts.map(|facts| wire_time(facts.last_recorded)),
    }
}

fn series(days: &Days) -> Vec<pb::DailySeries> {
    let mut all = Vec::new();
    for ((kind, name), days) in days {
        for series in Series::of(*kind) {
            all.push(pb::DailySeries {
                kind: series_kind(*series),
                name: name.clone(),
                days: days.keys().map(|day| upswell_runtime::db::epoch_day(*day)).collect(),
                values: days.values().map(|tally| series.value(tally)).collect(),
            });
        }
    }
    all
}

fn ticket_state((ticket, document): (&Ticket, &Document)) -> pb::TicketState {
    pb::TicketState {
        ticket: Some(ticket_to_wire(ticket)),
        provenance: Some(provenance(document)),
    }
}

fn answer_state(document: &Document) -> Option<pb::SurveyState> {
    let Body::Survey(answer) = &document.fact.body else {
        return None;
    };
    Some(pb::SurveyState {
        answer: Some(answer_to_wire(answer)),
        provenance: Some(provenance(document)),
    })
}

fn timed_answer(document: &Document) -> Option<pb::TimedSurveyAnswer> {
    let Body::Survey(answer) = &document.fact.body else {
        return None;
    };
    let occur_time = Some(wire_time(document.fact.occur_time));
    Some(pb::TimedSurveyAnswer {
        occur_time,
        answer: Some(answer_to_wire(answer)),
    })
}

fn invoice_state(state: &InvoiceState<'_>) -> pb::InvoiceState {
    pb::InvoiceState {
        invoice: Some(invoice_to_wire(state.invoice)),
        paid: Some(money::to_proto(state.paid)),
        paid_in_full_date: state.paid_in_full.map(day),
        provenance: Some(provenance(state.document)),
    }
}

fn reply_record(document: &Document) -> Option<pb::ReplyRecord> {
    let Body::Reply(reply) = &document.fact.body else {
        return None;
    };
    Some(pb::ReplyRecord {
        reply: Some(reply_to_wire(reply)),
        provenance: Some(provenance(document)),
    })
}

fn touch_record(touch: LedgerTouch) -> pb::TouchRecord {
    let LedgerTouch {
        touch_id,
        account_id: _,
        class,
        channel,
        sender,
        touch_time,
        state,
    } = touch;
    pb::TouchRecord {
        touch_id,
        class: TouchClass::from_str_name(&name("TOUCH_CLASS", &class))
            .unwrap_or_default()
            .into(),
        channel: Channel::from_str_name(&name("CHANNEL", &channel))
            .unwrap_or_default()
            .into(),
        sender,
        touch_time: Some(wire_time(touch_time)),
        state,
    }
}

fn offer_record(offer: OfferRecord) -> pb::OfferRecord {
    let OfferRecord {
        offer_id,
        account_id: _,
        playbook,
        motion,
        state,
        state_time,
    } = offer;
    pb::OfferRecord {
        offer_id,
        playbook,
        motion: Motion::from_str_name(&name("MOTION", &motion))
            .unwrap_or_default()
            .into(),
        state,
        state_time: Some(wire_time(state_time)),
    }
}

/// The contract's name of a stored word.
fn name(prefix: &str, word: &str) -> String {
    format!("{prefix}_{}", word.to_uppercase())
}
