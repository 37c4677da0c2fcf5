//! Forecasts, reasons for losses and calendars on the wire.

use jiff::civil::Date;
use upswell_proto::renewals::v1::{
    CalendarEntry, ForecastLine, GetAccountCalendarRequest, GetAccountCalendarResponse, GetForecastRequest,
    GetForecastResponse, GetLossAnalysisRequest, GetLossAnalysisResponse, LossQuarter, LossShare, NamedCount,
    calendar_entry::Kind,
};
use upswell_runtime::{
    money::to_proto,
    problem::{Problem, Violations},
    text,
};

use super::{
    convert::{date, filter_key, optional, settled},
    render::{wire_category, wire_date},
};
use crate::{
    app::AccountCalendar,
    domain::{
        care::ReviewState,
        forecast::Line,
        losses::{Quarter, Share},
        stage::Stage,
        task::TaskState,
    },
    store::ListedDeal,
};

/// Months or quarters: the default where none are asked for.
fn count(field: &str, asked: i32, default: i32, most: i32, violations: &mut Violations) -> i32 {
    if !(0..=most).contains(&asked) {
        violations.add(field, format!("must be between 0 and {most}"));
    }
    if asked == 0 { default } else { asked }
}

pub(super) fn forecast_asked(wire: GetForecastRequest) -> Result<(Option<Date>, i32, Option<String>), Problem> {
    let mut violations = Violations::new();
    let from = optional("from_date", wire.from_date, &mut violations, date);
    let months = count("months", wire.months, 12, 36, &mut violations);
    let segment = filter_key("segment", &wire.segment, &mut violations);
    Ok((settled(from, violations)?, months, segment))
}

pub(super) fn losses_asked(wire: GetLossAnalysisRequest) -> Result<(Option<Date>, i32), Problem> {
    let mut violations = Violations::new();
    let from = optional("from_date", wire.from_date, &mut violations, date);
    let quarters = count("quarters", wire.quarters, 1, 20, &mut violations);
    Ok((settled(from, violations)?, quarters))
}

/// Which calendar.
pub(super) struct CalendarAsked {
    pub(super) account_id: String,
    from: Option<Date>,
    to: Option<Date>,
}

pub(super) fn calendar_asked(wire: GetAccountCalendarRequest) -> Result<CalendarAsked, Problem> {
    let mut violations = Violations::new();
    let account_id = violations.take("account_id", text::key(&wire.account_id));
    let from = optional("from_date", wire.from_date, &mut violations, date);
    let to = optional("to_date", wire.to_date, &mut violations, date);
    let asked = (|| {
        Some(CalendarAsked {
            account_id: account_id?,
            from: from?,
            to: to?,
        })
    })();
    settled(asked, violations)
}

pub(super) fn forecast(lines: Vec<Line>) -> GetForecastResponse {
    let line = |line: Line| {
        let Line {
            month,
            segment,
            deals,
            due,
            renewed,
            lost,
            expected,
            best,
            worst,
        } = line;
        ForecastLine {
            month: Some(wire_date(month)),
            segment,
            deals,
            due: Some(to_proto(due)),
            renewed: Some(to_proto(renewed)),
            lost: Some(to_proto(lost)),
            expected: Some(to_proto(expected)),
            best: Some(to_proto(best)),
            worst: Some(to_proto(worst)),
        }
    };
    GetForecastResponse {
        lines: lines.into_iter().map(line).collect(),
    }
}

pub(super) fn losses(quarters: Vec<Quarter>) -> GetLossAnalysisResponse {
    let names = |names: Vec<(String, i32)>| {
        names
            .into_iter()
            .map(|(name, count)| NamedCount { name, count })
            .collect()
    };
    let share = |share: Share| {
        let Share {
            category,
            count,
            share,
            mrr,
            competitors,
            integrations,
            product_signal,
        } = share;
        LossShare {
            category: wire_category(category).into(),
            count,
            share,
            mrr: mrr.into_iter().map(to_proto).collect(),
            competitors: names(competitors),
            integrations: names(integrations),
            product_signal,
        }
    };
    let quarter = |quarter: Quarter| LossQuarter {
        quarter: Some(wire_date(quarter.first_on)),
        lost: quarter.lost,
        shares: quarter.shares.into_iter().map(share).collect(),
    };
    GetLossAnalysisResponse {
        quarters: quarters.into_iter().map(quarter).collect(),
    }
}

/// The entries in the range that was asked for, by day. What is over, dropped or cancelled is no entry.
pub(super) fn calendar(calendar: AccountCalendar, asked: &CalendarAsked) -> GetAccountCalendarResponse {
    let AccountCalendar {
        deals,
        tasks,
        reviews,
        contacts,
    } = calendar;
    let mut entries: Vec<(Date, Option<Date>, CalendarEntry)> = Vec::new();
    for listed in &deals {
        deal_entries(listed, &mut entries);
    }
    for listed in tasks
        .into_iter()
        .filter(|listed| listed.task.state != TaskState::Cancelled)
    {
        let task = listed.task;
        let entry = entry(
            Kind::Task,
            task.kind.to_string(),
            task.task_id.to_string(),
            task.assignee_id,
            task.state.to_string(),
        );
        entries.push((task.due_on, None, entry));
    }
    for listed in reviews
        .into_iter()
        .filter(|listed| listed.review.state != ReviewState::Dropped)
    {
        let review = listed.review;
        let title = "business review".to_owned();
        let entry = entry(
            Kind::Review,
            title,
            review.review_id.to_string(),
            listed.account.owner_id,
            review.state.to_string(),
        );
        entries.push((review.held_on, None, entry));
    }
    for contact in contacts {
        let day = jiff::tz::TimeZone::UTC.to_datetime(contact.planned_at).date();
        let id = contact.contact_id.to_string();
        entries.push((
            day,
            None,
            entry(
                Kind::Contact,
                contact.kind.to_string(),
                id,
                contact.actor,
                contact.state.to_string(),
            ),
        ));
    }
    entries.retain(|(day, end, _)| {
        asked.from.is_none_or(|from| end.unwrap_or(*day) >= from) && asked.to.is_none_or(|to| *day < to)
    });
    entries.sort_by_key(|(day, end, entry)| (*day, *end, entry.kind, entry.subject_id.clone()));
    let dated = |(day, end, entry): (Date, Option<Date>, CalendarEntry)| CalendarEntry {
        date: Some(wire_date(day)),
        end_date: end.map(wire_date),
        ..entry
    };
    GetAccountCalendarResponse {
        entries: entries.into_iter().map(dated).collect(),
    }
}

fn deal_entries(listed: &ListedDeal, entries: &mut Vec<(Date, Option<Date>, CalendarEntry)>) {
    let deal = &listed.deal;
    let of = |kind, title: &str| {
        entry(
            kind,
            title.to_owned(),
            deal.deal_id.to_string(),
            deal.owner_id.clone(),
            deal.stage.to_string(),
        )
    };
    entries.push((deal.renewal_on, None, of(Kind::Renewal, "renewal")));
    if !deal.is_open() {
        return;
    }
    let schedule = deal.schedule();
    for stage in Stage::ALL.iter().filter(|stage| stage.is_for_people()) {
        let (opens, ends) = (schedule.opens(*stage), schedule.ends(*stage));
        if opens <= ends {
            entries.push((opens, Some(ends), of(Kind::Stage, stage.as_str())));
        }
    }
    entries.extend(
        deal.notice_on()
            .map(|day| (day, None, of(Kind::Notice, "last day for notice"))),
    );
}

fn entry(kind: Kind, title: String, subject_id: String, owner_id: String, state: String) -> CalendarEntry {
    CalendarEntry {
        date: None,
        end_date: None,
        kind: kind.into(),
        title,
        subject_id,
        owner_id,
        state,
    }
}
