//! Facts of an account on the wire, in few words. Days are counted back from 2026-10-19.

use jiff::civil::Date;
use upswell_proto::{
    gtype,
    ingestion::v1::{
        AccountFacts, AccountProfile, DailySeries, SeriesKind, SubscriptionTerms, SurveyAnswer, Ticket,
        TimedSurveyAnswer, subscription_terms::Kind, survey_answer::Survey, ticket::Severity,
    },
};

pub(crate) fn day(text: &str) -> gtype::Date {
    let day: Date = text.parse().unwrap();
    gtype::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

pub(crate) fn time(text: &str) -> prost_types::Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    prost_types::Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    }
}

/// Shipments of the last fortnight at `now` a day and at `before` earlier; `people` active on each of the last 30 days.
pub(crate) fn account(account_id: &str, before: i64, now: i64, people: i64) -> AccountFacts {
    let last = upswell_runtime::db::epoch_day("2026-10-19".parse().unwrap());
    let days: Vec<i32> = (last - 99..=last).collect();
    let shipments = days
        .iter()
        .map(|day| if last - day < 14 { now } else { before })
        .collect();
    let active = days
        .iter()
        .map(|day| if last - day < 30 { people } else { 0 })
        .collect();
    let series = |kind: SeriesKind, name: &str, values| DailySeries {
        kind: kind.into(),
        name: name.to_owned(),
        days: days.clone(),
        values,
    };
    AccountFacts {
        account_id: account_id.to_owned(),
        profile: Some(AccountProfile {
            display_name: account_id.to_owned(),
            time_zone: "Asia/Almaty".to_owned(),
            primary_metric: "shipments".to_owned(),
            ..AccountProfile::default()
        }),
        subscriptions: vec![SubscriptionTerms {
            subscription_id: format!("{account_id}-plan"),
            kind: Kind::Plan.into(),
            effective_date: Some(day("2026-01-01")),
            renewal_date: Some(day("2027-05-01")),
            seats: 20,
            ..SubscriptionTerms::default()
        }],
        series: vec![
            series(SeriesKind::Usage, "shipments", shipments),
            series(SeriesKind::ActiveUsers, "", active),
        ],
        ..AccountFacts::default()
    }
}

pub(crate) fn ticket(id: &str, topic: &str, severity: Severity, opened: &str) -> Ticket {
    Ticket {
        ticket_id: id.to_owned(),
        topic: topic.to_owned(),
        severity: severity.into(),
        open_time: Some(time(opened)),
        ..Ticket::default()
    }
}

pub(crate) fn nps(score: i32, at: &str) -> TimedSurveyAnswer {
    let answer = SurveyAnswer {
        survey: Survey::Nps.into(),
        score,
        contact_id: String::new(),
    };
    TimedSurveyAnswer {
        occur_time: Some(time(at)),
        answer: Some(answer),
    }
}
