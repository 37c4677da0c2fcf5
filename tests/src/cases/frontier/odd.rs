//! What happens to single accounts, and what real feeds get wrong.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::START;
use crate::cases::lines::{Lines, at, day, plus};

/// Tickets, touches by others, corrections, conflicts, rubbish.
pub(super) fn write(lines: &mut Lines) {
    tickets(lines);
    other_tools(lines);
    second_thoughts(lines);
    rubbish(lines);
}

fn on(offset: i64, hour: i8) -> Timestamp {
    at(plus(day(START), offset), hour, 0)
}

fn ticket(
    lines: &mut Lines,
    account: &str,
    number: i64,
    topic: &str,
    severity: &str,
    opened: i64,
    resolved: Option<i64>,
) {
    let ticket_id = format!("t-{account}-{number}");
    let mut content = json!({
        "ticket_id": ticket_id, "topic": topic, "severity": severity, "opened": on(opened, 8).to_string(),
    });
    lines.fact(
        "helpdesk",
        &format!("{ticket_id}@1"),
        account,
        on(opened, 8),
        "ticket",
        content.clone(),
    );
    if let Some(resolved) = resolved {
        content["first_reply"] = json!(on(opened, 12).to_string());
        content["resolved"] = json!(on(resolved, 15).to_string());
        lines.fact(
            "helpdesk",
            &format!("{ticket_id}@2"),
            account,
            on(resolved, 15),
            "ticket",
            content,
        );
    }
}

fn tickets(lines: &mut Lines) {
    // A cluster while a critical ticket is open: nobody sells anything to f-10 before day 24.
    ticket(lines, "f-10", 0, "outage", "critical", -2, Some(24));
    for number in 1..=4 {
        ticket(
            lines,
            "f-10",
            number,
            "integrations",
            "normal",
            number,
            Some(number + 2),
        );
    }
    // A cluster inside the last 30 days before a renewal.
    for number in 1..=3 {
        ticket(
            lines,
            "f-06",
            number,
            "integrations",
            "normal",
            number,
            Some(number + 1),
        );
    }
    // A cluster as it should be.
    for number in 1..=3 {
        ticket(
            lines,
            "f-22",
            number,
            "integrations",
            "high",
            number + 2,
            Some(number + 3),
        );
    }
    // Two tickets are no cluster.
    for number in 1..=2 {
        ticket(
            lines,
            "f-24",
            number,
            "integrations",
            "normal",
            number,
            Some(number + 1),
        );
    }
}

fn other_tools(lines: &mut Lines) {
    // A sales person and a newsletter write to f-16 on their own.
    let touch = |sender: &str| json!({"class": "commercial", "channel": "email", "sender": sender});
    lines.fact("crm", "call-f-16-1", "f-16", on(-1, 15), "touch", touch("sales-dora"));
    lines.fact("crm", "call-f-16-2", "f-16", on(9, 15), "touch", touch("newsletter"));
    // A reply that is no answer.
    let reply = json!({"channel": "email", "text": "please send the invoice again", "contact_id": "f-25-finance"});
    lines.fact("inbox", "mail-f-25", "f-25", on(4, 9), "reply", reply);
}

fn second_thoughts(lines: &mut Lines) {
    // A day of f-19 was counted ten times over and is corrected a week later.
    let date = plus(day(START), 3).to_string();
    let usage = |value: i64| json!({"metric": "records", "day": date, "value": value});
    lines.fact("product", "extra-f-19", "f-19", on(4, 1), "usage", usage(1_500));
    let head: [(&str, Value); 1] = [("supersedes", json!("extra-f-19"))];
    lines.full_fact(
        "product",
        "extra-f-19-fixed",
        "f-19",
        on(10, 6),
        "usage",
        usage(150),
        &head,
    );
    // The same id with other content: the first stands.
    let answer = |score: i64| json!({"survey": "csat", "score": score, "contact_id": "f-20-business"});
    lines.fact("survey", "csat-f-20", "f-20", on(5, 7), "survey", answer(4));
    let head: [(&str, Value); 1] = [("known_at", json!(on(6, 7).to_string()))];
    lines.full_fact("survey", "csat-f-20", "f-20", on(5, 7), "survey", answer(1), &head);
}

fn rubbish(lines: &mut Lines) {
    lines.raw(r#"{"source":"crm","external_id":"half a line"#);
    let invoice =
        |amount: &str| json!({"invoice_id": "inv-odd", "amount": amount, "issued": "2026-03-05", "due": "2026-03-19"});
    lines.fact(
        "billing",
        "odd-currency",
        "f-30",
        on(3, 5),
        "invoice",
        invoice("10.00 XQQ"),
    );
    lines.fact(
        "billing",
        "odd-sign",
        "f-30",
        on(3, 5),
        "invoice",
        invoice("-10.00 USD"),
    );
    let usage = json!({"metric": "records", "day": "1970-01-01", "value": 1});
    let head: [(&str, Value); 1] = [("known_at", json!(on(3, 6).to_string()))];
    lines.full_fact(
        "product",
        "odd-year",
        "f-30",
        Timestamp::UNIX_EPOCH,
        "usage",
        usage,
        &head,
    );
    let period = json!({"subscription_id": "sub-odd", "product": "pro", "kind": "add_on", "unit_price": "9.00 USD",
        "quantity": 1, "period": "fortnight", "effective": "2026-03-05"});
    lines.fact("billing", "odd-period", "f-30", on(3, 5), "subscription", period);
    let reply = json!({"channel": "email", "text": "a\u{0000}b \u{202e}gro.elpmaxe"});
    lines.fact("inbox", "odd-text", "f-30", on(3, 5), "reply", reply);
    // A good neighbour of all of these.
    let answer = json!({"survey": "nps", "score": 8, "contact_id": "f-30-business"});
    lines.fact("survey", "nps-f-30-b", "f-30", on(3, 5), "survey", answer);
}
