//! The events that this service takes.

use std::{fmt::Display, sync::Arc};

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use prost::Name as _;
use upswell_proto::{
    gtype,
    ingestion::v1::{self as ingestion, complaint, fact::Body, subscription_terms, survey_answer::Survey, ticket},
    renewals::v1::{self as renewals, deal},
    scoring::v1::{self as scoring, signal},
};
use upswell_runtime::{
    db::{Tx, epoch_day, micros},
    inbox::{Inbound, Inbox},
    money,
    problem::Problem,
};

use super::{convert, words};
use crate::{
    app::{App, answers},
    domain::{ledger::Observe, loyalty::ReactionKind, vocabulary::SubscriptionKind},
    store::{
        copies,
        entities::{self, account, contact, score, subscription},
        json, learning,
        pictures::{StoredEvidence, StoredLimit, StoredPoint},
    },
};

/// Applies what other services tell.
pub(crate) struct OffersInbox(pub(crate) Arc<App>);

#[async_trait]
impl Inbox for OffersInbox {
    async fn apply(&self, tx: &Tx, event: &Inbound) -> Result<(), Problem> {
        let app = &self.0;
        match event.topic.as_str() {
            topic if topic == ingestion::AccountProfileChanged::full_name() => {
                app.account_known(tx, profile(event.decode()?)?).await
            }
            topic if topic == ingestion::ContactChanged::full_name() => {
                app.contact_known(tx, contact(event.decode()?)?).await
            }
            topic if topic == ingestion::SubscriptionChanged::full_name() => {
                copies::subscription_save(tx, subscription(event.decode()?)?).await
            }
            topic if topic == ingestion::TouchObserved::full_name() => {
                let event: ingestion::TouchObserved = event.decode()?;
                if event.superseded {
                    return app.touch_unseen(tx, &touch(event)?).await;
                }
                app.touch_seen(tx, &touch(event)?).await
            }
            topic if topic == ingestion::ReplyReceived::full_name() => {
                let event: ingestion::ReplyReceived = event.decode()?;
                if event.superseded {
                    return Ok(app.reply_superseded(tx, &event.fact_id, &event.account_id).await?);
                }
                Ok(app.reply(tx, reply(event)?).await?)
            }
            topic if topic == ingestion::PaymentRecorded::full_name() => {
                Ok(app.paid(tx, payment(event.decode()?)?).await?)
            }
            topic if topic == ingestion::AccountsMerged::full_name() => app.merged(tx, merged(event.decode()?)).await,
            topic if topic == ingestion::AccountsUnmerged::full_name() => {
                app.unmerged(tx, unmerged(event.decode()?)).await
            }
            topic if topic == ingestion::VoiceHeard::full_name() => match reaction(event.decode()?)? {
                Some(reaction) => learning::reaction_save(tx, reaction).await,
                None => Ok(()),
            },
            topic if topic == ingestion::TicketChanged::full_name() => ticket_changed(tx, event.decode()?).await,
            topic if topic == scoring::SignalChanged::full_name() => {
                app.signal_known(tx, signal(event.decode()?, event)?).await
            }
            topic if topic == scoring::ScoreChanged::full_name() => {
                copies::score_save(tx, score(event.decode()?)?).await
            }
            topic if topic == renewals::DealChanged::full_name() => app.deal_known(tx, deal(event.decode()?)?).await,
            _ => Err(event.unknown()),
        }
    }
}

/// The part of an event that must be there.
fn part<T>(name: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::invalid_field(name, "is missing"))
}

fn good<T, E: Display>(name: &'static str, value: Result<T, E>) -> Result<T, Problem> {
    value.map_err(|fault| Problem::invalid_field(name, fault.to_string()))
}

fn instant(name: &'static str, value: Option<prost_types::Timestamp>) -> Result<Timestamp, Problem> {
    good(name, convert::from_instant(&part(name, value)?))
}

fn instant_or_none(name: &'static str, value: Option<prost_types::Timestamp>) -> Result<Option<i64>, Problem> {
    value
        .map(|value| good(name, convert::from_instant(&value)).map(micros))
        .transpose()
}

fn day(name: &'static str, value: Option<gtype::Date>) -> Result<Date, Problem> {
    good(name, convert::from_day(&part(name, value)?))
}

fn day_or_none(name: &'static str, value: Option<gtype::Date>) -> Result<Option<i32>, Problem> {
    value
        .map(|value| good(name, convert::from_day(&value)).map(epoch_day))
        .transpose()
}

fn profile(event: ingestion::AccountProfileChanged) -> Result<account::Model, Problem> {
    let ingestion::AccountProfileChanged { account_id, profile } = event;
    let profile = part("profile", profile)?;
    Ok(account::Model {
        account_id,
        customer_since_on: day_or_none("customer_since", profile.customer_since)?,
        display_name: profile.display_name,
        segment: profile.segment,
        industry: profile.industry,
        country: profile.country_code,
        time_zone: profile.time_zone,
        language: profile.language_code,
        enterprise: profile.enterprise,
        csm_id: profile.csm_id,
        next_slot_at: 0,
        decide_now: false,
    })
}

fn contact(event: ingestion::ContactChanged) -> Result<contact::Model, Problem> {
    let ingestion::ContactChanged { account_id, contact } = event;
    let person = part("contact", contact)?;
    let mut points = Vec::with_capacity(person.points.len());
    for ingestion::ContactPoint {
        channel,
        address,
        consent,
    } in person.points
    {
        points.push(StoredPoint {
            channel: part("channel", words::channel(channel))?,
            address,
            consent,
        });
    }
    Ok(contact::Model {
        contact_id: person.contact_id,
        account_id,
        first_name: person.first_name,
        role: part("role", words::role(person.role))?.to_string(),
        budget_holder: person.budget_holder,
        renewal_decision_maker: person.renewal_decision_maker,
        champion: person.champion,
        points: json(&points)?,
        language: person.language_code,
    })
}

fn subscription(event: ingestion::SubscriptionChanged) -> Result<subscription::Model, Problem> {
    let ingestion::SubscriptionChanged {
        account_id,
        version_id,
        terms,
        mrr,
        occur_time,
        superseded,
        renewal_mrr: _,
    } = event;
    let terms = part("terms", terms)?;
    let mrr = good("mrr", money::from_proto(&part("mrr", mrr)?))?;
    let kind = match terms.kind() {
        subscription_terms::Kind::Plan => SubscriptionKind::Plan,
        subscription_terms::Kind::AddOn => SubscriptionKind::AddOn,
        subscription_terms::Kind::Unspecified => return Err(Problem::invalid_field("kind", "is missing")),
    };
    let limit = |limit: ingestion::Limit| StoredLimit {
        metric: limit.metric,
        value: limit.value,
    };
    let limits: Vec<StoredLimit> = terms.limits.into_iter().map(limit).collect();
    Ok(subscription::Model {
        version_id,
        account_id,
        subscription_id: terms.subscription_id,
        product: terms.product,
        kind: kind.to_string(),
        quantity: terms.quantity,
        mrr_minor: mrr.minor,
        currency: mrr.currency.to_string(),
        effective_on: epoch_day(day("effective_date", terms.effective_date)?),
        end_on: day_or_none("end_date", terms.end_date)?,
        renewal_on: day_or_none("renewal_date", terms.renewal_date)?,
        limits: json(&limits)?,
        occurred_at: micros(instant("occur_time", occur_time)?),
        superseded,
    })
}

fn touch(event: ingestion::TouchObserved) -> Result<Observe, Problem> {
    let ingestion::TouchObserved {
        account_id,
        touch,
        touch_time,
        fact_id,
        superseded: _,
        supersedes_fact_id: _,
    } = event;
    let touch = part("touch", touch)?;
    Ok(Observe {
        fact_id,
        account_id,
        class: part("class", words::class(touch.class))?,
        proposes_expansion: touch.proposes_expansion,
        channel: part("channel", words::channel(touch.channel))?,
        sender: touch.sender,
        contact_id: touch.contact_id,
        made_at: instant("touch_time", touch_time)?,
    })
}

fn reply(event: ingestion::ReplyReceived) -> Result<answers::Reply, Problem> {
    let ingestion::ReplyReceived {
        account_id,
        reply,
        reply_time,
        fact_id,
        superseded: _,
        supersedes_fact_id: _,
    } = event;
    let reply = part("reply", reply)?;
    Ok(answers::Reply {
        fact_id,
        account_id,
        offer_id: reply.offer_id,
        channel: part("channel", words::channel(reply.channel))?,
        words: reply.text,
        replied_at: instant("reply_time", reply_time)?,
    })
}

fn payment(event: ingestion::PaymentRecorded) -> Result<answers::Paid, Problem> {
    let ingestion::PaymentRecorded {
        account_id: _,
        payment,
        pay_time,
        fact_id,
        superseded,
        supersedes_fact_id: _,
    } = event;
    let order_id = part("payment", payment)?.order_id;
    Ok(answers::Paid {
        fact_id,
        superseded,
        order_id,
        paid_at: instant("pay_time", pay_time)?,
    })
}

fn merged(event: ingestion::AccountsMerged) -> entities::merge::Model {
    let ingestion::AccountsMerged {
        account_id,
        merged_account_id,
        merge_id,
    } = event;
    entities::merge::Model {
        merge_id,
        account_id,
        part_id: merged_account_id,
        undone: false,
    }
}

fn unmerged(event: ingestion::AccountsUnmerged) -> entities::merge::Model {
    let ingestion::AccountsUnmerged {
        account_id,
        merged_account_id,
        merge_id,
    } = event;
    entities::merge::Model {
        merge_id,
        account_id,
        part_id: merged_account_id,
        undone: true,
    }
}

/// What an account said, as far as it tells of harm (C-15); none for praise, goals and complaints about the product.
fn reaction(event: ingestion::VoiceHeard) -> Result<Option<entities::reaction::Model>, Problem> {
    let ingestion::VoiceHeard {
        account_id,
        fact,
        superseded,
    } = event;
    let fact = part("fact", fact)?;
    let heard_at = micros(instant("occur_time", fact.occur_time)?);
    let kind = match fact.body {
        Some(Body::Complaint(about)) => {
            let harms = matches!(about.kind(), complaint::Kind::Pressure | complaint::Kind::Other);
            harms.then_some(ReactionKind::Complaint)
        }
        Some(Body::Survey(answer)) => match (answer.survey(), answer.score) {
            (Survey::Nps, ..=6) => Some(ReactionKind::Detractor),
            (Survey::Csat, ..=2) => Some(ReactionKind::Dissatisfied),
            _ => None,
        },
        _ => None,
    };
    Ok(kind.map(|kind| entities::reaction::Model {
        reaction_id: format!("{}/{}", fact.source, fact.external_id),
        account_id,
        offer_id: None,
        kind: kind.to_string(),
        heard_at,
        superseded,
    }))
}

/// Only critical tickets matter here (SC-9).
async fn ticket_changed(tx: &Tx, event: ingestion::TicketChanged) -> Result<(), Problem> {
    let ingestion::TicketChanged { account_id, ticket } = event;
    let ticket = part("ticket", ticket)?;
    if ticket.severity() != ticket::Severity::Critical {
        return copies::ticket_delete(tx, &ticket.ticket_id).await;
    }
    let row = entities::ticket::Model {
        opened_at: micros(instant("open_time", ticket.open_time)?),
        resolved_at: instant_or_none("resolve_time", ticket.resolve_time)?,
        ticket_id: ticket.ticket_id,
        account_id,
    };
    copies::ticket_save(tx, row).await
}

fn signal(event: scoring::SignalChanged, inbound: &Inbound) -> Result<entities::signal::Model, Problem> {
    let signal = part("signal", event.signal)?;
    let state = match signal.state() {
        signal::State::Open => "open",
        signal::State::Consumed => "consumed",
        signal::State::Expired => "expired",
        signal::State::Withdrawn => "withdrawn",
        signal::State::Unspecified => return Err(Problem::invalid_field("state", "is missing")),
    };
    let figure = |figure: &scoring::Evidence| StoredEvidence {
        name: figure.name.clone(),
        value: figure.value,
        unit: figure.unit.clone(),
        baseline: figure.baseline,
    };
    let evidence: Vec<StoredEvidence> = signal.evidence.iter().map(figure).collect();
    Ok(entities::signal::Model {
        kind: part("kind", words::kind(signal.kind))?.to_string(),
        state: state.to_owned(),
        grade: part("grade", words::grade(signal.grade))?.to_string(),
        evidence: json(&evidence)?,
        opened_at: micros(instant("open_time", signal.open_time)?),
        signal_id: signal.signal_id,
        account_id: signal.account_id,
        subject: signal.subject,
        strength: signal.strength,
        offer_id: signal.offer_id,
        traceparent: inbound.trace.traceparent.clone(),
        tracestate: inbound.trace.tracestate.clone(),
    })
}

fn score(event: scoring::ScoreChanged) -> Result<score::Model, Problem> {
    let score = part("score", event.score)?;
    let health = part("health", score.health)?;
    Ok(score::Model {
        scored_at: micros(instant("score_time", score.score_time)?),
        health: health.value,
        band: part("band", words::band(health.band))?.to_string(),
        health_change: score.health_change,
        churn_risk: score.churn_risk,
        propensity: score.expansion_propensity,
        model_version: score.model_version,
        open_critical: score.open_critical_tickets,
        oldest_critical_at: instant_or_none("oldest_critical_open_time", score.oldest_critical_open_time)?,
        account_id: score.account_id,
    })
}

fn deal(event: renewals::DealChanged) -> Result<entities::deal::Model, Problem> {
    let renewals::DealChanged {
        deal,
        previous_renewal_date: _,
    } = event;
    let deal = part("deal", deal)?;
    Ok(entities::deal::Model {
        closed: matches!(deal.stage(), deal::Stage::Renewed | deal::Stage::Lost),
        renewal_on: epoch_day(day("renewal_date", deal.renewal_date)?),
        deal_id: deal.deal_id,
        account_id: deal.account_id,
    })
}
