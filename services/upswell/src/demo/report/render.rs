//! The report as a page of text.

use std::fmt::Write as _;

use comfy_table::Table;

use super::{Count, LeadTime, Report, Revenue};
use crate::{amounts::amount, tables};

/// The report for people.
pub fn render(report: &Report) -> String {
    let mut page = String::new();
    headline(report, &mut page);
    section(&mut page, "Money", revenue(report));
    section(&mut page, "Offers by motion", motions(report));
    section(&mut page, "From signal to payment", funnel(report));
    section(&mut page, "Week by week", weeks(report));
    pressure(report, &mut page);
    people(report, &mut page);
    facts(report, &mut page);
    page
}

fn headline(report: &Report, page: &mut String) {
    let money = &report.revenue;
    let line = |page: &mut String, text: String| page.push_str(&(text + "\n"));
    line(page, format!("\n{}", report.title));
    line(
        page,
        format!(
            "{} to {}, {} accounts, {} in the holdout\n",
            report.start, report.end, report.accounts, report.holdout
        ),
    );
    line(
        page,
        format!(
            "  Expansion MRR {}   NRR {}   GRR {}   cap violations {}",
            signed(money.expansion_gross, &report.currency),
            percent(money.nrr),
            percent(money.grr),
            report.checker.violations.len(),
        ),
    );
}

fn section(page: &mut String, title: &str, table: Table) {
    let _ = write!(page, "\n{title}\n{table}\n");
}

/// The first column names things, the others count them.
fn table(header: &[&str]) -> Table {
    tables::table(header.iter().enumerate().map(|(at, name)| (*name, at > 0)))
}

fn revenue(report: &Report) -> Table {
    let mut windows: Vec<&Revenue> = vec![&report.revenue];
    windows.extend(&report.quarter);
    let mut header = vec!["".to_owned()];
    header.extend(windows.iter().map(|window| format!("to {}", window.until)));
    let mut table = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let mut row = |name: &str, value: &dyn Fn(&Revenue) -> String| {
        let mut cells = vec![name.to_owned()];
        cells.extend(windows.iter().map(|window| value(window)));
        table.add_row(cells);
    };
    let amount = |minor: i64| amount(minor, &report.currency);
    row("MRR at the start", &|window| amount(window.mrr_start));
    row("expansion", &|window| amount(window.expansion_gross));
    row("  caused by Upswell's offers", &|window| {
        amount(window.expansion_attributed)
    });
    row("expansion less contraction", &|window| amount(window.expansion_net));
    row("MRR at the end", &|window| amount(window.mrr_end));
    row("ARPA", &|window| amount(window.arpa));
    row("NRR", &|window| percent(window.nrr));
    row("GRR", &|window| percent(window.grr));
    row("accounts lost", &|window| window.churned.to_string());
    row("expansion revenue earned so far", &|window| {
        amount(window.expansion_cumulative)
    });
    table
}

fn motions(report: &Report) -> Table {
    let mut table = table(&[
        "motion",
        "sent",
        "accepted",
        "declined",
        "no answer",
        "open",
        "kept back",
        "paid",
        "expansion MRR",
    ]);
    for motion in &report.motions {
        let numbers = [
            motion.sent,
            motion.accepted,
            motion.declined,
            motion.expired,
            motion.open,
            motion.kept_back,
            motion.paid,
        ];
        let mut row = vec![motion.motion.clone()];
        row.extend(numbers.iter().map(ToString::to_string));
        row.push(amount(motion.expansion_mrr, &report.currency));
        table.add_row(row);
    }
    table
}

fn funnel(report: &Report) -> Table {
    let mut table = table(&["step", "count", "of the step before"]);
    let mut before: Option<i64> = None;
    for step in &report.funnel {
        let share = before
            .filter(|before| *before > 0)
            .map(|before| step.count as f64 / before as f64);
        table.add_row([
            step.name.clone(),
            step.count.to_string(),
            share.map_or(String::new(), |share| percent(Some(share))),
        ]);
        before = Some(step.count);
    }
    table
}

fn weeks(report: &Report) -> Table {
    let mut table = table(&[
        "week from",
        "signals",
        "sent",
        "accepted",
        "paid",
        "touches",
        "expansion MRR",
    ]);
    for week in &report.weeks {
        let mut row = vec![week.start.clone()];
        row.extend(
            [week.signals, week.sent, week.accepted, week.paid, week.touches]
                .iter()
                .map(ToString::to_string),
        );
        row.push(amount(week.expansion, &report.currency));
        table.add_row(row);
    }
    table
}

fn pressure(report: &Report, page: &mut String) {
    let _ = writeln!(
        page,
        "\nPressure\n  {} touches, {:.2} per account and week, at most {} on one account ({})",
        report.pressure.touches,
        report.pressure.per_account_week,
        report.pressure.busiest,
        list(&report.touches),
    );
    let _ = writeln!(
        page,
        "  the ledger read again by an independent checker: {} touches, {:.2} per account and week, {} limits broken",
        report.checker.touches,
        report.checker.per_account_week,
        report.checker.violations.len(),
    );
    for violation in &report.checker.violations {
        let _ = writeln!(page, "    {violation}");
    }
}

fn people(report: &Report, page: &mut String) {
    let LeadTime {
        complete,
        open,
        mean,
        median,
        p90,
    } = &report.signal_to_payment;
    let days = |value: &Option<f64>| value.map_or("–".to_owned(), |days| format!("{days:.1}"));
    let _ = writeln!(
        page,
        "\nSignal to payment\n  mean {} days, median {}, p90 {} over {complete}; {open} still open",
        days(mean),
        days(median),
        days(p90),
    );
    let _ = writeln!(page, "\nApprovals\n  {}", list(&report.approvals));
    for wait in &report.longest_waits {
        let _ = writeln!(
            page,
            "  {:>6.1} h  {}  asked {}: {}",
            wait.hours, wait.account, wait.approver, wait.state
        );
    }
    let _ = writeln!(page, "\nRenewals\n  {}", list(&report.renewals));
}

fn facts(report: &Report, page: &mut String) {
    let facts = &report.facts;
    let _ = writeln!(
        page,
        "\nFacts\n  {} sent, {} different, {} in conflict, {} refused, {} lines without a fact; signals: {}",
        facts.sent,
        facts.distinct,
        facts.conflicts,
        facts.rejected.len(),
        facts.broken.len(),
        list(&report.signals),
    );
    for reason in facts.rejected.iter().chain(&facts.broken) {
        let _ = writeln!(page, "    {reason}");
    }
}

fn list(counts: &[Count]) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts
        .iter()
        .map(|entry| format!("{} {}", entry.count, entry.name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn signed(minor: i64, currency: &str) -> String {
    format!("{}{}", if minor > 0 { "+" } else { "" }, amount(minor, currency))
}
