//! SG-5: three or more tickets on one topic opened in 30 days, or the time to the first reply up 25 % on the 30 days
//! before. It fires as facts arrive (SG-R4), so the windows end now and not with the last complete day.
//!
//! Subject: the topic, or `reply_time`. Evidence: `tickets` (baseline: the 30 days before) for both; for `reply_time` also
//! `reply_growth_percent` and `reply_hours` (baseline: the mean of the 30 days before).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Sightings, reaches, strength};
use crate::domain::{
    facts::{Facts, Ticket},
    moment::Moment,
    series::Window,
    signal::{Evidence, Grade, Kind, Observation, Sighting},
    thresholds::TicketCluster,
};

pub(super) fn detect(facts: &Facts, moment: &Moment, rule: &TicketCluster, seen: &mut Sightings) {
    let span = SignedDuration::from_hours(i64::from(rule.days) * 24);
    let start = moment.now.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let earlier = start.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let now: Vec<_> = opened(facts, start, moment.now).collect();
    let before: Vec<_> = opened(facts, earlier, start).collect();
    let window = Window::ending(moment.today, rule.days);
    let earlier = by_topic(&before);
    for (topic, count) in by_topic(&now) {
        if count >= rule.count {
            let baseline = earlier.get(topic).copied().unwrap_or_default();
            let evidence = Evidence::new(
                "tickets",
                f64::from(count),
                "tickets",
                window,
                &format!("ticket/{topic}"),
            );
            let strength = strength(f64::from(count), f64::from(rule.count));
            seen.add(
                Kind::TicketCluster,
                topic,
                Some(holds(strength, vec![evidence.against(f64::from(baseline))])),
            );
        }
    }
    seen.add(Kind::TicketCluster, "reply_time", replies(&now, &before, window, rule));
}

fn opened(facts: &Facts, after: Timestamp, until: Timestamp) -> impl Iterator<Item = &Ticket> {
    facts
        .tickets
        .iter()
        .filter(move |ticket| after < ticket.opened_at && ticket.opened_at <= until)
}

fn by_topic<'a>(tickets: &[&'a Ticket]) -> BTreeMap<&'a str, i32> {
    let mut counts = BTreeMap::new();
    for ticket in tickets {
        *counts.entry(ticket.topic.as_str()).or_default() += 1;
    }
    counts
}

fn replies(now: &[&Ticket], before: &[&Ticket], window: Window, rule: &TicketCluster) -> Option<Sighting> {
    let (hours, baseline) = (mean_hours(now, rule)?, mean_hours(before, rule)?);
    let growth = (hours / baseline - 1.0) * 100.0;
    if baseline <= 0.0 || !reaches(growth, rule.reply_percent) {
        return None;
    }
    let (tickets, earlier) = (now.len() as f64, before.len() as f64);
    let evidence = vec![
        Evidence::new("reply_growth_percent", growth, "%", window, "ticket"),
        Evidence::new("reply_hours", hours, "h", window, "ticket").against(baseline),
        Evidence::new("tickets", tickets, "tickets", window, "ticket").against(earlier),
    ];
    Some(holds(strength(growth, rule.reply_percent), evidence))
}

/// Mean hours to the first reply; `None` with too few answered tickets.
fn mean_hours(tickets: &[&Ticket], rule: &TicketCluster) -> Option<f64> {
    let waits = tickets
        .iter()
        .filter_map(|ticket| Some(ticket.replied_at?.duration_since(ticket.opened_at)));
    let hours: Vec<f64> = waits.map(|wait| wait.as_secs_f64() / 3600.0).collect();
    let count = i32::try_from(hours.len()).unwrap_or(i32::MAX);
    (count >= rule.reply_min_tickets.max(1)).then(|| hours.iter().sum::<f64>() / f64::from(count))
}

fn holds(strength: f64, evidence: Vec<Evidence>) -> Sighting {
    Sighting::Holds(Observation {
        grade: Grade::Normal,
        strength,
        evidence,
        raised_by: None,
    })
}
