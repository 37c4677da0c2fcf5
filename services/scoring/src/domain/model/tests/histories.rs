//! Features as of a day know nothing of what came after it.

use proptest::prelude::*;

use crate::domain::model::history::{Corpus, Day, History, Invoice, Kind, Line, Ticket, outcome, point};

fn line(subscription: &str, effective: Day, end: Option<Day>, seats: f64) -> Line {
    Line {
        subscription_id: subscription.to_owned(),
        product: "pro".to_owned(),
        is_plan: subscription == "plan",
        mrr: seats * 1000.0,
        seats,
        period_months: 1.0,
        effective,
        end,
        renewal: Some(effective + 365),
    }
}

fn history(end: Option<Day>) -> History {
    let mut history = History {
        account_id: "a".to_owned(),
        lines: vec![line("plan", 0, end, 10.0), line("extra", 100, None, 0.0)],
        tickets: vec![Ticket {
            opened: 150,
            resolved: Some(230),
            critical: true,
        }],
        nps: vec![(120, 9), (260, 3)],
        invoices: vec![
            Invoice {
                issued: 100,
                due: 130,
                paid: Some(210),
            },
            Invoice {
                issued: 190,
                due: 250,
                paid: None,
            },
        ],
        ..History::default()
    };
    history.series.insert(
        "usage/calls".to_owned(),
        (0..400).map(|day| (day, f64::from(day % 50))).collect(),
    );
    history.series.insert(
        "active_users".to_owned(),
        (0..400).map(|day| (day, f64::from(day % 9))).collect(),
    );
    history
}

/// The same account with everything after `day` changed, added to and taken away.
fn other_future(history: &History, day: Day, seed: i32) -> History {
    let mut other = history.clone();
    for line in &mut other.lines {
        if line.end.is_none_or(|end| end > day) {
            line.end = Some(day + 1 + seed);
        }
    }
    other.lines.retain(|line| line.effective <= day);
    other.lines.push(line("plan", day + 1 + seed % 3, Some(day + 40), 99.0));
    for series in other.series.values_mut() {
        series.retain(|(at, _)| *at <= day);
        series.push((day + 1, 1e6 + f64::from(seed)));
    }
    other.series.insert("usage/new".to_owned(), vec![(day + 2, 5.0)]);
    other.tickets.retain(|ticket| ticket.opened <= day);
    for ticket in &mut other.tickets {
        ticket.resolved = ticket.resolved.filter(|resolved| *resolved <= day);
    }
    other.tickets.push(Ticket {
        opened: day + 1,
        resolved: None,
        critical: true,
    });
    other.nps.retain(|(at, _)| *at <= day);
    other.nps.push((day + 1, 0));
    for invoice in &mut other.invoices {
        invoice.paid = invoice.paid.filter(|paid| *paid <= day);
    }
    other.invoices.push(Invoice {
        issued: day + 1,
        due: day + 2,
        paid: None,
    });
    other
}

proptest! {
    #[test]
    fn sc5_features_are_the_same_whatever_comes_after(day in 0..390_i32, seed in 0..200_i32, end in prop::option::of(1..500_i32)) {
        let history = history(end);
        prop_assert_eq!(point(&history, day), point(&other_future(&history, day, seed), day));
    }
}

#[test]
fn sc5_a_planted_leak_is_caught() {
    let leaky = |history: &History, day: Day| -> f64 {
        history
            .lines
            .iter()
            .filter_map(|line| line.end)
            .map(|end| f64::from(end - day))
            .sum()
    };
    let history = history(Some(300));
    assert_ne!(
        leaky(&history, 200),
        leaky(&other_future(&history, 200, 3), 200),
        "the other future differs where a leak looks"
    );
    let late = |history: &History, day: Day| {
        history.series["usage/calls"]
            .iter()
            .filter(|(at, _)| *at <= day + 1)
            .map(|(_, value)| value)
            .sum::<f64>()
    };
    assert_ne!(late(&history, 200), late(&other_future(&history, 200, 3), 200));
}

#[test]
fn sc5_outcomes_are_what_followed_and_only_what_is_known() {
    let leaver = history(Some(300));
    for (day, until, expected) in [
        (209, 400, Some(false)),
        (210, 400, Some(true)),
        (299, 400, Some(true)),
        (300, 400, None),
        (250, 339, None),
    ] {
        assert_eq!(
            outcome(&leaver, Kind::Churn, day, 90, until),
            expected,
            "day {day}, known until {until}"
        );
    }
    let mut grower = history(None);
    grower.lines.push(line("plan", 300, None, 12.0));
    for (day, expected) in [
        (9, Some(false)),
        (10, Some(true)),
        (99, Some(true)),
        (100, Some(false)),
        (209, Some(false)),
        (210, Some(true)),
        (300, Some(false)),
    ] {
        assert_eq!(
            outcome(&grower, Kind::Expansion, day, 90, 900),
            expected,
            "day {day}: an add-on on 100, seats on 300"
        );
    }
}

#[test]
fn sc5_rows_stand_at_the_end_of_each_month_while_the_outcome_is_known() {
    let mut corpus = Corpus::default();
    corpus.take(&history(None), 90, 399);
    let days = corpus.dataset(Kind::Churn).times.unwrap();
    assert_eq!(days[..3], [30, 58, 89], "the months that began on 1970-01-01");
    assert!(days.iter().all(|day| day + 90 <= 399) && days.len() == 10, "{days:?}");
}
