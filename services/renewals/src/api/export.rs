//! The pipeline for other tools: iCalendar (RFC 5545) and CSV.
//!
//! An entry keeps its UID for ever, so that a calendar that is read again moves it instead of making a second one. Texts are
//! escaped; in CSV, cells that a spreadsheet would take for a formula begin with an apostrophe.

use icalendar::{Calendar, Component, Event, Property, Todo};
use upswell_proto::{
    gtype,
    renewals::v1::{Deal, Review, Task, deal::Stage, review, task},
};
use upswell_runtime::money;

/// Everything that is exported.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    /// Deals.
    pub deals: Vec<Deal>,
    /// Tasks; cancelled ones are left out.
    pub tasks: Vec<Task>,
    /// Reviews; dropped ones are marked as cancelled.
    pub reviews: Vec<Review>,
}

/// The pipeline as a calendar: renewal dates, ends of stages, notice days, tasks and reviews. `stamp` is the time of the
/// export in UTC, as `20261012T120000Z`.
pub fn icalendar(pipeline: &Pipeline, stamp: &str) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//Upswell//Renewals//EN"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.name("Upswell renewals");
    for deal in &pipeline.deals {
        for event in deal_events(deal, stamp) {
            calendar.push(event);
        }
    }
    for task in pipeline
        .tasks
        .iter()
        .filter(|task| task.state() != task::State::Cancelled)
    {
        calendar.push(todo(task, stamp));
    }
    for review in &pipeline.reviews {
        calendar.push(review_event(review, stamp));
    }
    calendar.to_string()
}

fn deal_events(deal: &Deal, stamp: &str) -> Vec<Event> {
    let account = deal.account_id.as_str();
    let mut events = vec![all_day(
        &format!("renewal-{}", deal.deal_id),
        deal.renewal_date.as_ref(),
        stamp,
    )];
    events[0].append_property((
        "SUMMARY",
        format!("{account}: renewal ({})", word(deal.stage().as_str_name(), "STAGE_")).as_str(),
    ));
    events[0].append_property(("DESCRIPTION", describe(deal).as_str()));
    if matches!(deal.stage(), Stage::Renewed | Stage::Lost) {
        return events;
    }
    for plan in &deal.plan {
        let stage = word(plan.stage().as_str_name(), "STAGE_");
        let mut event = all_day(
            &format!("stage-{stage}-{}", deal.deal_id),
            plan.end_date.as_ref(),
            stamp,
        );
        event.append_property(("SUMMARY", format!("{account}: {stage} ends").as_str()));
        events.push(event);
    }
    if deal.notice_date.is_some() {
        let mut event = all_day(&format!("notice-{}", deal.deal_id), deal.notice_date.as_ref(), stamp);
        event.append_property(("SUMMARY", format!("{account}: last day for notice").as_str()));
        events.push(event);
    }
    events
}

fn describe(deal: &Deal) -> String {
    let mut lines = vec![
        format!("MRR {}", amount(deal.mrr.as_ref())),
        format!("at risk {}", amount(deal.at_risk.as_ref())),
    ];
    if !deal.owner_id.is_empty() {
        lines.push(format!("owner {}", deal.owner_id));
    }
    if !deal.shift_reason.is_empty() {
        lines.push(format!("stages moved: {}", deal.shift_reason));
    }
    lines.join("\n")
}

fn all_day(uid: &str, day: Option<&gtype::Date>, stamp: &str) -> Event {
    let mut event = Event::with_uid(&format!("{uid}@upswell"));
    event.append_property(("DTSTAMP", stamp));
    event.append_property(
        Property::new("DTSTART", basic(day))
            .add_parameter("VALUE", "DATE")
            .done(),
    );
    event.append_property(("TRANSP", "TRANSPARENT"));
    event
}

fn todo(task: &Task, stamp: &str) -> Todo {
    let mut todo = Todo::with_uid(&format!("task-{}@upswell", task.task_id));
    todo.append_property(("DTSTAMP", stamp));
    todo.append_property(
        Property::new("DUE", basic(task.due_date.as_ref()))
            .add_parameter("VALUE", "DATE")
            .done(),
    );
    todo.append_property((
        "SUMMARY",
        format!("{}: {}", task.account_id, task.kind.replace('_', " ")).as_str(),
    ));
    let status = if task.state() == task::State::Done {
        "COMPLETED"
    } else {
        "NEEDS-ACTION"
    };
    todo.append_property(("STATUS", status));
    if !task.assignee_id.is_empty() {
        todo.append_property(("DESCRIPTION", format!("for {}", task.assignee_id).as_str()));
    }
    todo
}

fn review_event(review: &Review, stamp: &str) -> Event {
    let mut event = Event::with_uid(&format!("review-{}@upswell", review.review_id));
    event.append_property(("DTSTAMP", stamp));
    match review
        .start_time
        .as_ref()
        .and_then(|at| jiff::Timestamp::new(at.seconds, 0).ok())
    {
        Some(start) => {
            let start = jiff::tz::TimeZone::UTC.to_datetime(start);
            event.append_property(("DTSTART", start.strftime("%Y%m%dT%H%M%SZ").to_string().as_str()));
        }
        None => {
            event.append_property(
                Property::new("DTSTART", basic(review.date.as_ref()))
                    .add_parameter("VALUE", "DATE")
                    .done(),
            );
        }
    }
    event.append_property(("DURATION", format!("PT{}M", review.minutes).as_str()));
    event.append_property(("SUMMARY", format!("{}: business review", review.account_id).as_str()));
    let lines = review.agenda.iter().flat_map(|item| item.lines.iter().cloned());
    event.append_property(("DESCRIPTION", lines.collect::<Vec<_>>().join("\n").as_str()));
    let status = if review.state() == review::State::Dropped {
        "CANCELLED"
    } else {
        "CONFIRMED"
    };
    event.append_property(("STATUS", status));
    event
}

/// The deals as CSV, one a line, with a header; amounts in major units without grouping, days in ISO 8601.
///
/// # Errors
/// Writing to memory failed.
pub fn csv(pipeline: &Pipeline) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record([
        "deal_id",
        "account_id",
        "subscription_id",
        "segment",
        "owner_id",
        "stage",
        "renewal_date",
        "negotiation_end_date",
        "shift",
        "shift_reason",
        "notice_date",
        "auto_renew",
        "currency",
        "mrr",
        "co_terminating_mrr",
        "at_risk",
        "health",
        "loss_category",
        "loss_detail",
        "competitor",
        "missing_integration",
    ])?;
    for deal in &pipeline.deals {
        let negotiation = deal.plan.iter().find(|plan| plan.stage() == Stage::Negotiation);
        let loss = deal.loss_reason.clone().unwrap_or_default();
        let category = deal
            .loss_reason
            .as_ref()
            .map(|loss| word(loss.category().as_str_name(), "CATEGORY_"));
        let terms = deal.terms.unwrap_or_default();
        let currency = deal.mrr.as_ref().map(|mrr| mrr.currency_code.clone());
        let cells = [
            deal.deal_id.clone(),
            deal.account_id.clone(),
            deal.subscription_id.clone(),
            deal.segment.clone(),
            deal.owner_id.clone(),
            word(deal.stage().as_str_name(), "STAGE_"),
            iso(deal.renewal_date.as_ref()),
            iso(negotiation.and_then(|plan| plan.end_date.as_ref())),
            word(deal.shift().as_str_name(), "SHIFT_").replace("unspecified", ""),
            deal.shift_reason.clone(),
            iso(deal.notice_date.as_ref()),
            terms.auto_renew.to_string(),
            currency.unwrap_or_default(),
            number(deal.mrr.as_ref()),
            number(deal.co_terminating_mrr.as_ref()),
            number(deal.at_risk.as_ref()),
            deal.health.map(|health| health.to_string()).unwrap_or_default(),
            category.unwrap_or_default(),
            loss.detail,
            loss.competitor,
            loss.missing_integration,
        ];
        writer.write_record(cells.map(harmless))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A cell that no spreadsheet takes for a formula. Amounts are never negative here.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase()
}

fn basic(day: Option<&gtype::Date>) -> String {
    day.map(|day| format!("{:04}{:02}{:02}", day.year, day.month, day.day))
        .unwrap_or_default()
}

fn iso(day: Option<&gtype::Date>) -> String {
    day.map(|day| format!("{:04}-{:02}-{:02}", day.year, day.month, day.day))
        .unwrap_or_default()
}

fn number(amount: Option<&gtype::Money>) -> String {
    let Some(amount) = amount.and_then(|amount| money::from_proto(amount).ok()) else {
        return String::new();
    };
    let exponent = amount.currency.exponent();
    let unit = 10_i64.pow(exponent);
    let (whole, rest) = (amount.minor / unit, (amount.minor % unit).abs());
    if exponent == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{rest:0width$}", width = exponent as usize)
    }
}

fn amount(amount: Option<&gtype::Money>) -> String {
    let currency = amount.map(|amount| amount.currency_code.clone()).unwrap_or_default();
    format!("{} {currency}", number(amount))
}
