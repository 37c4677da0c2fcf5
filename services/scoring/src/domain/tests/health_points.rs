//! SC-2 and SC-3.

use jiff::SignedDuration;

use super::build::*;
use crate::domain::{
    assess::{Known, assess},
    facts::{Facts, Ticket},
    health::{Band, Health, health},
    score::PastHealth,
};

fn of(facts: &Facts) -> Health {
    health(facts, &moment(), &rulebook().health)
}

fn points(facts: &Facts, part: &str) -> (i32, bool) {
    let health = of(facts);
    let part = health.parts.iter().find(|known| known.name == part).unwrap();
    (part.points, part.missing)
}

fn critical(hours: i64) -> Ticket {
    Ticket {
        critical: true,
        ..ticket("outage", hours)
    }
}

fn scored(login_days: i32, active: i64, score: i32) -> Facts {
    Facts {
        logins: series(run(0, login_days, 5)),
        active_users: series(run(0, login_days, active)),
        terms: vec![terms(20, &[])],
        nps: vec![nps(score, 100)],
        invoices: (0..6).map(|month| invoice(10 + month * 30, 100)).collect(),
        ..account()
    }
}

#[test]
fn sc2_goldens() {
    let best = of(&scored(30, 20, 10));
    assert_eq!((best.value, best.raw, best.band), (100, 100, Band::Green));
    let middle = of(&scored(10, 11, 8));
    assert_eq!((middle.value, middle.raw, middle.band), (65, 65, Band::Yellow));
    let mut worst = scored(4, 0, 0);
    worst.tickets = vec![critical(8 * 24)];
    worst.invoices[2].paid = None;
    let worst = of(&worst);
    assert_eq!((worst.value, worst.raw, worst.band), (0, -35, Band::Red));
    let names: Vec<_> = worst.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["logins", "active_users", "critical_tickets", "nps", "payments"]);
}

#[test]
fn sc2_logins() {
    for (days, expected) in [(0, 0), (4, 0), (5, 15), (15, 15), (16, 30), (30, 30)] {
        let facts = Facts {
            logins: series(run(0, days, 1).chain(run(30, 60, 9))),
            ..account()
        };
        assert_eq!(points(&facts, "logins"), (expected, false), "{days}");
    }
    assert_eq!(points(&account(), "logins"), (0, true));
}

#[test]
fn i2_days_with_active_people_stand_for_logins() {
    let facts = Facts {
        active_users: series(run(0, 16, 3)),
        logins: series(run(0, 16, 0)),
        ..account()
    };
    assert_eq!(points(&facts, "logins"), (30, false));
}

#[test]
fn sc2_active_users_above_half_of_the_licences() {
    for (active, seats, expected) in [(9, 20, 0), (10, 20, 0), (11, 20, 20), (1, 1, 20)] {
        let facts = Facts {
            terms: vec![terms(seats, &[])],
            ..scored(10, active, 8)
        };
        assert_eq!(points(&facts, "active_users"), (expected, false), "{active} of {seats}");
    }
    let without = Facts {
        terms: vec![terms(0, &[])],
        ..scored(10, 11, 8)
    };
    assert_eq!(points(&without, "active_users"), (0, true));
}

#[test]
fn sc2_critical_tickets() {
    let week = 7 * 24;
    let resolved = Ticket {
        resolved_at: Some(hours_ago(1)),
        ..critical(500)
    };
    for (tickets, expected) in [
        (vec![], 15),
        (vec![critical(1)], 0),
        (vec![critical(week)], 0),
        (vec![critical(week + 1)], -20),
        (vec![critical(1), critical(week + 1)], -20),
        (vec![resolved], 15),
        (vec![ticket("question", 500)], 15),
    ] {
        let facts = Facts { tickets, ..account() };
        assert_eq!(
            points(&facts, "critical_tickets"),
            (expected, false),
            "{:?}",
            facts.tickets
        );
    }
    let mut rules = rulebook().health;
    rules.has_tickets = false;
    let unknown = health(&account(), &moment(), &rules);
    assert_eq!((unknown.parts[2].points, unknown.parts[2].missing), (0, true));
}

#[test]
fn sc2_nps() {
    for (score, expected) in [(0, -15), (6, -15), (7, 0), (8, 0), (9, 20), (10, 20)] {
        let facts = Facts {
            nps: vec![nps(3, 900), nps(score, 1)],
            ..account()
        };
        assert_eq!(points(&facts, "nps"), (expected, false), "{score}");
    }
    assert_eq!(points(&account(), "nps"), (0, true));
}

#[test]
fn sc2_payments_on_time_for_six_months() {
    let paid = |days_late: i32| {
        let mut invoice = invoice(20, 100);
        invoice.paid = Some(invoice.due.saturating_add(jiff::Span::new().days(days_late)));
        Facts {
            invoices: vec![invoice],
            ..account()
        }
    };
    assert_eq!(points(&paid(-1), "payments"), (15, false));
    assert_eq!(points(&paid(0), "payments"), (15, false));
    assert_eq!(points(&paid(1), "payments"), (0, false));
    let mut old = invoice(250, 100);
    old.paid = None;
    let facts = Facts {
        invoices: vec![old.clone(), invoice(20, 100)],
        ..account()
    };
    assert_eq!(
        points(&facts, "payments"),
        (15, false),
        "what fell due before the six months is forgotten"
    );
    let facts = Facts {
        invoices: vec![old],
        ..account()
    };
    assert_eq!(points(&facts, "payments"), (0, true));
    let mut open = invoice(2, 100);
    open.paid = None;
    let facts = Facts {
        invoices: vec![open, invoice(20, 100)],
        ..account()
    };
    assert_eq!(points(&facts, "payments"), (15, false), "not due yet");
}

#[test]
fn sc2_bands_are_configuration() {
    for (login_days, expected) in [(16, Band::Yellow), (4, Band::Red)] {
        let facts = Facts {
            logins: series(run(0, login_days, 1).chain(run(30, 60, 1))),
            ..account()
        };
        assert_eq!(of(&facts).band, expected);
    }
    let mut rules = rulebook().health;
    (rules.green, rules.yellow) = (45, 20);
    let facts = Facts {
        logins: series(run(0, 16, 1)),
        ..account()
    };
    assert_eq!(health(&facts, &moment(), &rules).band, Band::Green);
}

#[test]
fn sc3_change_names_the_parts_that_moved_it() {
    let past = |value, logins| PastHealth {
        day: back(7),
        value,
        points: [("logins".to_owned(), logins)].into(),
    };
    for (week_ago, change, trend) in [
        (None, None, 0),
        (Some(past(50, 0)), Some(15), 1),
        (Some(past(75, 30)), Some(-10), -1),
    ] {
        let known = Known {
            week_ago: week_ago.clone(),
            ..nothing_known()
        };
        let score = assess("acme", &scored(10, 11, 8), &known, now(), &rulebook()).score;
        assert_eq!((score.health_change, score.trend()), (change, trend));
        let before = week_ago.and_then(|past| past.points.get("logins").copied());
        assert_eq!(score.health.parts[0].previous_points, before);
        assert_eq!(score.health.parts[1].previous_points, None);
    }
}

#[test]
fn a_score_is_new_only_when_something_but_its_time_differs() {
    let facts = scored(30, 11, 8);
    let first = assess("acme", &facts, &nothing_known(), now(), &rulebook());
    assert!(first.is_new);
    let known = Known {
        score: Some(first.score.clone()),
        ..nothing_known()
    };
    let later = now() + SignedDuration::from_hours(1);
    assert!(!assess("acme", &facts, &known, later, &rulebook()).is_new);
    let changed = Facts {
        nps: vec![nps(10, 1)],
        ..facts
    };
    assert!(assess("acme", &changed, &known, later, &rulebook()).is_new);
}
