//! Reads the dated history of accounts from ingestion, one account after the other.

use jiff::civil::Date;
use tokio_stream::StreamExt as _;
use upswell_proto::{
    gtype,
    ingestion::v1::{
        AccountFacts, BatchGetAccountFactsRequest, DailySeries, InvoiceState, SeriesKind, StreamAccountFactsRequest,
        SubscriptionTerms, Ticket as WireTicket, TimedSurveyAnswer, ingestion_service_client::IngestionServiceClient,
        subscription_terms, survey_answer::Survey, ticket::Severity,
    },
    vocabulary::v1::BillingPeriod,
};
use upswell_runtime::{
    client::{ClientSettings, Peers, Traced, call},
    db::{epoch_day, from_epoch_day},
    problem::Problem,
};

use crate::domain::model::history::{Day, History, Invoice, Line, Ticket};

/// Ten years of one account, with room.
const MAX_ANSWER: usize = 64 << 20;
/// Days of history that are learnt from.
const DAYS: i32 = 3650;
/// Days that one prediction looks back on; the windows are shorter.
const PREDICT_DAYS: i32 = 450;
/// Streams that break are taken up again this often before a training gives up.
const RESUMES: usize = 5;

/// The client.
#[derive(Clone, Debug)]
pub struct Histories {
    client: IngestionServiceClient<Traced>,
    settings: ClientSettings,
}

impl Histories {
    /// A client of the peer `ingestion`.
    pub fn new(peers: &Peers, settings: ClientSettings) -> Result<Self, Problem> {
        let client = IngestionServiceClient::new(peers.channel("ingestion")?).max_decoding_message_size(MAX_ANSWER);
        Ok(Self { client, settings })
    }

    /// Gives every account's history up to the end of `until` to `take`, in bounded memory. A broken stream is resumed
    /// after the last account taken. Errors: UNAVAILABLE when it keeps breaking.
    pub async fn all(&self, until: Day, mut take: impl FnMut(History)) -> Result<usize, Problem> {
        let (mut token, mut accounts, mut broken) = (String::new(), 0, 0);
        loop {
            match self.some(until, &mut token, &mut take).await {
                Ok(count) => return Ok(accounts + count),
                Err((count, problem)) => {
                    accounts += count;
                    broken += 1;
                    if broken > RESUMES {
                        return Err(problem);
                    }
                }
            }
        }
    }

    async fn some(
        &self,
        until: Day,
        token: &mut String,
        take: &mut impl FnMut(History),
    ) -> Result<usize, (usize, Problem)> {
        let request = StreamAccountFactsRequest {
            until_day: Some(wire_date(from_epoch_day(until))),
            days: DAYS,
            segment: String::new(),
            resume_token: token.clone(),
        };
        let problem = |status: tonic::Status| Problem::unavailable("INGESTION_UNAVAILABLE", status.message());
        let mut stream = match self.client.clone().stream_account_facts(request).await {
            Ok(stream) => stream.into_inner(),
            Err(status) => return Err((0, problem(status))),
        };
        let mut count = 0;
        while let Some(answer) = stream.next().await {
            let answer = answer.map_err(|status| (count, problem(status)))?;
            if let Some(account) = answer.account {
                take(history(account));
                count += 1;
            }
            *token = answer.resume_token;
        }
        Ok(count)
    }

    /// The history of one account; `None` when ingestion does not know it. Errors: UNAVAILABLE, DEADLINE_EXCEEDED.
    pub async fn one(&self, account_id: &str, until: Day) -> Result<Option<History>, Problem> {
        let request = BatchGetAccountFactsRequest {
            account_ids: vec![account_id.to_owned()],
            until_day: Some(wire_date(from_epoch_day(until))),
            days: PREDICT_DAYS,
        };
        let ask = || {
            let (mut client, request) = (self.client.clone(), request.clone());
            async move { client.batch_get_account_facts(request).await }
        };
        let answer = call(&self.settings, "ingestion.BatchGetAccountFacts", ask).await?;
        Ok(answer.accounts.into_iter().next().map(history))
    }
}

fn history(wire: AccountFacts) -> History {
    let invoices = wire.invoices.into_iter().filter_map(invoice);
    let mut history = History {
        account_id: wire.account_id,
        lines: wire.subscriptions.into_iter().filter_map(line).collect(),
        tickets: wire.tickets.iter().filter_map(ticket).collect(),
        nps: wire.surveys.into_iter().filter_map(nps).collect(),
        invoices: invoices.collect(),
        ..History::default()
    };
    for series in wire.series {
        let Some(name) = series_name(&series) else { continue };
        let values = series.values.iter().map(|value| *value as f64);
        history
            .series
            .insert(name, series.days.iter().copied().zip(values).collect());
    }
    history
}

fn series_name(series: &DailySeries) -> Option<String> {
    match series.kind() {
        SeriesKind::Usage => Some(format!("usage/{}", series.name)),
        SeriesKind::ActiveUsers => Some("active_users".to_owned()),
        SeriesKind::Logins => Some("logins".to_owned()),
        SeriesKind::FeatureUsers => Some(format!("feature/{}", series.name)),
        _ => None,
    }
}

fn line(terms: SubscriptionTerms) -> Option<Line> {
    let months = match terms.period() {
        BillingPeriod::Year => 12.0,
        BillingPeriod::Quarter => 3.0,
        BillingPeriod::Week => 12.0 / 365.25 * 7.0,
        BillingPeriod::Day => 1.0 / 30.4375,
        _ => 1.0,
    };
    let is_plan = terms.kind() == subscription_terms::Kind::Plan;
    let price = terms
        .unit_price
        .as_ref()
        .and_then(|price| upswell_runtime::money::from_proto(price).ok())?;
    Some(Line {
        mrr: price.minor as f64 * terms.quantity as f64 / months,
        seats: terms.seats as f64,
        period_months: months,
        is_plan,
        effective: day(terms.effective_date.as_ref())?,
        end: day(terms.end_date.as_ref()),
        renewal: day(terms.renewal_date.as_ref()),
        subscription_id: terms.subscription_id,
        product: terms.product,
    })
}

fn ticket(wire: &WireTicket) -> Option<Ticket> {
    Some(Ticket {
        opened: instant_day(wire.open_time)?,
        resolved: instant_day(wire.resolve_time),
        critical: wire.severity() == Severity::Critical,
    })
}

fn nps(wire: TimedSurveyAnswer) -> Option<(Day, i32)> {
    let answer = wire.answer.filter(|answer| answer.survey() == Survey::Nps)?;
    Some((instant_day(wire.occur_time)?, answer.score))
}

fn invoice(wire: InvoiceState) -> Option<Invoice> {
    let invoice = wire.invoice?;
    Some(Invoice {
        issued: day(invoice.issue_date.as_ref())?,
        due: day(invoice.due_date.as_ref())?,
        paid: day(wire.paid_in_full_date.as_ref()),
    })
}

fn day(wire: Option<&gtype::Date>) -> Option<Day> {
    let gtype::Date { year, month, day } = wire?;
    let date = Date::new(
        (*year).try_into().ok()?,
        (*month).try_into().ok()?,
        (*day).try_into().ok()?,
    )
    .ok()?;
    Some(epoch_day(date))
}

fn instant_day(wire: Option<prost_types::Timestamp>) -> Option<Day> {
    wire.and_then(|time| Day::try_from(time.seconds.div_euclid(86_400)).ok())
}

fn wire_date(day: Date) -> gtype::Date {
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}
