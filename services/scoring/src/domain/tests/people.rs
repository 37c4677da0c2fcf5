//! SG-5, SG-6, SG-10 and SG-18.

use jiff::SignedDuration;

use super::build::*;
use crate::domain::{
    facts::{Facts, Mark, Ticket},
    moment::{Moment, days_after, days_before},
    signal::{Grade, Kind},
};

#[test]
fn sg5_three_tickets_on_one_topic_in_30_days() {
    let month = 30 * 24;
    for (hours, count) in [
        (vec![1, 2], None),
        (vec![1, 2, month - 1], Some(3.0)),
        (vec![1, 2, month], None),
        (vec![1, 2, 3, 4], Some(4.0)),
        (vec![1, 2, -1], None),
    ] {
        let mut facts = account();
        facts.tickets = hours.iter().map(|hours| ticket("integrations", *hours)).collect();
        facts.tickets.push(ticket("billing", 1));
        let seen = seen(&facts);
        let found = observation(&seen, Kind::TicketCluster, "integrations").map(|found| figure(found, "tickets"));
        assert_eq!(found, count, "{hours:?}");
        assert_eq!(grade(&seen, Kind::TicketCluster, "billing"), None);
    }
}

fn answered(hours: i64, minutes: i64) -> Ticket {
    let ticket = ticket(&format!("topic-{hours}"), hours);
    Ticket {
        replied_at: Some(ticket.opened_at + SignedDuration::from_mins(minutes)),
        ..ticket
    }
}

#[test]
fn sg5_time_to_reply_up_25_percent_with_three_answers_in_each_window() {
    let month = 30 * 24;
    for (minutes, now, before, holds) in [
        (124, 3, 3, false),
        (125, 3, 3, true),
        (126, 3, 3, true),
        (500, 2, 3, false),
        (500, 3, 2, false),
    ] {
        let recent = (1..=now).map(|n| answered(n, minutes));
        let earlier = (1..=before).map(|n| answered(month + n, 100));
        let facts = Facts {
            tickets: recent.chain(earlier).collect(),
            ..account()
        };
        let seen = seen(&facts);
        let found = observation(&seen, Kind::TicketCluster, "reply_time");
        assert_eq!(found.is_some(), holds, "{minutes} {now} {before}");
        // Playbooks about tickets ask how many there were.
        assert!(found.is_none_or(|found| figure(found, "tickets") == f64::from(i32::try_from(now).unwrap())));
    }
}

fn mark(days: i32, reached: i32, renewal: i32) -> Mark {
    let today = moment().today;
    Mark {
        deal_id: "deal".into(),
        days,
        reached: days_before(today, reached),
        renewal: days_after(today, renewal),
    }
}

#[test]
fn sg6_a_mark_stands_until_the_next_one_or_the_renewal() {
    let cases: [(&[Mark], &[&str]); 6] = [
        (&[mark(120, 0, 120)], &["120"]),
        (&[mark(120, 59, 61)], &["120"]),
        (&[mark(120, 60, 60), mark(60, 0, 60)], &["60"]),
        (&[mark(120, 90, 30), mark(60, 30, 30), mark(30, 0, 30)], &["30"]),
        (&[mark(30, 30, 0)], &["30"]),
        (&[mark(30, 31, -1)], &[]),
    ];
    for (marks, expected) in cases {
        let facts = Facts {
            marks: marks.to_vec(),
            ..account()
        };
        let seen = seen(&facts);
        let found: Vec<&str> = seen.keys().map(|key| key.subject.as_str()).collect();
        assert_eq!(found, expected, "{marks:?}");
    }
    let seen = seen(&Facts {
        marks: vec![mark(60, 2, 58)],
        ..account()
    });
    let found = observation(&seen, Kind::RenewalClock, "60").unwrap();
    assert_eq!(
        (figure(found, "mark_days"), figure(found, "days_to_renewal")),
        (60.0, 58.0)
    );
}

#[test]
fn sg10_three_people_on_eight_of_fourteen_days() {
    for (users, days, holds) in [(3, 8, true), (3, 7, false), (2, 14, false), (4, 9, true)] {
        let mut facts = account();
        facts.feature_users.insert("routes".into(), series(run(0, days, users)));
        assert_eq!(
            grade(&seen(&facts), Kind::FeatureEmbrace, "routes").is_some(),
            holds,
            "{users} {days}"
        );
    }
    let mut facts = account();
    facts.feature_users.insert("routes".into(), series(run(7, 14, 5)));
    assert_eq!(
        grade(&seen(&facts), Kind::FeatureEmbrace, "routes"),
        None,
        "only seven of the days are recent"
    );
}

#[test]
fn sg18_the_last_answer_speaks() {
    for (answers, holds) in [
        (vec![nps(9, 1)], true),
        (vec![nps(8, 1)], false),
        (vec![nps(10, 1)], true),
        (vec![nps(10, 50), nps(6, 1)], false),
        (vec![nps(6, 50), nps(9, 1)], true),
        (vec![nps(9, 364 * 24)], true),
        (vec![nps(9, 366 * 24)], false),
        (vec![nps(9, -1)], false),
    ] {
        let facts = Facts {
            nps: answers.clone(),
            ..account()
        };
        assert_eq!(
            grade(&seen(&facts), Kind::Promoter, "nps"),
            holds.then_some(Grade::Normal),
            "{answers:?}"
        );
    }
}

#[test]
fn days_are_those_of_the_account() {
    // 20:00 UTC is one o'clock of the next day in Almaty.
    let moment = Moment::at("2026-10-19T20:00:00Z".parse().unwrap(), &zone());
    assert_eq!(
        (moment.today.to_string(), moment.as_of.to_string()),
        ("2026-10-20".into(), "2026-10-19".into())
    );
    assert_eq!(moment.next_day_at(1), "2026-10-21T01:00:00+05:00".parse().unwrap());
}
