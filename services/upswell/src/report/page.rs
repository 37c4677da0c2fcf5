//! The page: figures first, then charts, then the rows that the figures open down to.

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use upswell_proto::{
    gtype,
    metrics::v1::{CohortRevenue, LifetimeValue, Movement, RevenueMetrics, RevenueSlice},
};
use upswell_runtime::money;

use super::{Report, charts, held};
use crate::{
    amounts,
    wire::{date, word},
};

/// Rows of one table; the whole is in the exports.
const ROWS: usize = 500;

/// Renders a report as one HTML file that needs nothing else.
///
/// # Errors
/// A chart cannot be drawn.
pub fn render(report: &Report) -> Result<String> {
    let (from, to) = report.days;
    let title = format!("Revenue from existing customers, {from} to {to}");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    p { "Days in UTC, the last one not included. Made on " (report.made.strftime("%Y-%m-%d %H:%M UTC")) "." }
                }
                (held::targets(&report.targets))
                @for metrics in &report.revenue { (revenue(report, metrics)?) }
                @if report.revenue.is_empty() { p { "No account had revenue in these days." } }
                (programme(report)?)
                (held::loyalty(&report.loyalty))
                (cohorts(&report.cohorts))
                (rows(report))
            }
        }
    };
    Ok(page.into_string())
}

fn revenue(report: &Report, metrics: &RevenueMetrics) -> Result<Markup> {
    let currency = &metrics.currency_code;
    let lifetime = report.lifetimes.iter().find(|one| one.currency_code == *currency);
    Ok(html! {
        section {
            h2 { "Revenue in " (currency) }
            ul.cards {
                (card("MRR at the end", &shown(metrics.mrr_end.as_ref()), ""))
                (card("net revenue retention (NRR)", &percent(metrics.nrr), against(metrics.nrr, 1.0)))
                (card("gross revenue retention (GRR)", &percent(metrics.grr), ""))
                (card("expansion MRR, net", &shown(metrics.expansion_net.as_ref()), sign(metrics.expansion_net.as_ref())))
                (card("of the expansion, caused by offers", &shown(metrics.expansion_attributed.as_ref()), ""))
                (card("MRR per paying account (ARPA)", &shown(metrics.arpa.as_ref()), ""))
                (card("ARR", &shown(metrics.arr.as_ref()), ""))
                (card("accounts that left", &percent(metrics.logo_churn), ""))
                (card("quick ratio", &ratio(metrics.quick_ratio), ""))
                (card("lifetime value of an account", &lifetime_value(lifetime), ""))
                @if let Some(change) = lifetime.and_then(|one| one.revenue_change) {
                    (card("lifetime value against as many days before", &signed_percent(change), against(Some(change), 0.0)))
                }
            }
            h3 { "What moved MRR" }
            figure { (PreEscaped(charts::waterfall(metrics)?)) }
            (slices("By segment", "segment", &report.segments, currency))
            (slices("By plan", "plan", &report.plans, currency))
        }
    })
}

fn slices(title: &str, name: &str, slices: &[RevenueSlice], currency: &str) -> Markup {
    let own: Vec<_> = slices
        .iter()
        .filter_map(|slice| Some((slice, slice.metrics.as_ref()?)))
        .filter(|(_, metrics)| metrics.currency_code == currency)
        .collect();
    html! {
        @if !own.is_empty() {
            h3 { (title) }
            div.table { table {
                tr { th { (name) } th { "accounts" } th { "MRR at the start" } th { "MRR at the end" } th { "NRR" } th { "GRR" } th { "ARPA" } }
                @for (slice, metrics) in own {
                    tr {
                        td { @if slice.value.is_empty() { "not known" } @else { (slice.value) } }
                        td { (metrics.paying_accounts_end) }
                        td { (shown(metrics.mrr_start.as_ref())) }
                        td { (shown(metrics.mrr_end.as_ref())) }
                        td { (percent(metrics.nrr)) }
                        td { (percent(metrics.grr)) }
                        td { (shown(metrics.arpa.as_ref())) }
                    }
                }
            } }
        }
    }
}

fn programme(report: &Report) -> Result<Markup> {
    let payment = report.lead_times.signal_to_payment_days.unwrap_or_default();
    let approval = report.lead_times.approval_wait_hours.unwrap_or_default();
    let pressure = &report.pressure;
    let felt = pressure
        .touches_per_account_week
        .map_or_else(none, |felt| format!("{felt:.2}"));
    Ok(html! {
        section {
            h2 { "From signal to payment" }
            ul.cards.six {
                (card("days from signal to payment, mean", &decimal(payment.mean), ""))
                (card("half of them within", &decimal(payment.median), ""))
                (card("nine of ten within", &decimal(payment.p90), ""))
                (card("still open", &payment.open.to_string(), ""))
                (card("touches per account and week", &felt, ""))
                (card("hours of wait for approval, mean", &decimal(approval.mean), ""))
            }
            figure { (PreEscaped(charts::funnel(&report.funnel)?)) }
            @if !report.weeks.is_empty() {
                h3 { "Week by week" }
                figure { (PreEscaped(charts::weeks(&report.weeks)?)) }
            }
            @for (name, slices) in &report.slices { (held::slices(name, slices)) }
            @if !report.motions.is_empty() {
                h3 { "By motion" }
                div.table { table {
                    tr { th { "motion" } th { "sent" } th { "accepted" } th { "paid" } th { "conversion" } th { "expansion MRR" } }
                    @for motion in &report.motions {
                        tr {
                            td { (word(motion.motion().as_str_name(), "MOTION").replace('_', " ")) }
                            td { (motion.sent) }
                            td { (motion.accepted) }
                            td { (motion.paid) }
                            td { (share(motion.accepted, motion.sent)) }
                            td { (motion.expansion.iter().map(|amount| shown(Some(amount))).collect::<Vec<_>>().join(", ")) }
                        }
                    }
                } }
            }
        }
    })
}

fn cohorts(cohorts: &[CohortRevenue]) -> Markup {
    let months = cohorts
        .iter()
        .map(|cohort| cohort.months.len())
        .max()
        .unwrap_or(0)
        .min(13);
    html! {
        @if !cohorts.is_empty() {
            section {
                h2 { "MRR kept of the accounts that came in each month" }
                div.table { table {
                    tr { th { "month" } th { "accounts" } @for age in 0..months { th { (age) } } }
                    @for cohort in cohorts {
                        tr {
                            td { (cohort.cohort) " " (cohort.currency_code) }
                            td { (cohort.accounts) }
                            @for age in 0..months {
                                @let kept = cohort.months.get(age).and_then(|month| month.mrr_retention);
                                td style=[kept.map(tint)] { (kept.map_or_else(String::new, |kept| format!("{:.0} %", kept * 100.0))) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn rows(report: &Report) -> Markup {
    html! {
        section {
            h2 { "Behind the figures" }
            details {
                summary { (report.accounts.len()) " accounts" }
                div.table { table {
                    tr { th { "account" } th { "MRR at the start" } th { "MRR at the end" } th { "movements" } }
                    @for account in report.accounts.iter().take(ROWS) {
                        tr {
                            td { (account.account_id) }
                            td { (shown(account.mrr_start.as_ref())) }
                            td { (shown(account.mrr_end.as_ref())) }
                            td { (account.movements.iter().map(|moved| moved.count).sum::<i64>()) }
                        }
                    }
                } }
                (cut(report.accounts.len()))
            }
            details {
                summary { (report.movements.len()) " movements and the facts behind them" }
                div.table { table {
                    tr { th { "day" } th.text { "account" } th.text { "kind" } th.text { "cause" } th { "change" } th { "MRR after" } th.text { "facts" } }
                    @for moved in report.movements.iter().take(ROWS) { (movement(moved)) }
                } }
                (cut(report.movements.len()))
            }
        }
    }
}

fn movement(moved: &Movement) -> Markup {
    html! {
        tr {
            td { (date(moved.day.as_ref()).map_or_else(none, |day| day.to_string())) }
            td.text { (moved.account_id) }
            td.text { (word(moved.kind().as_str_name(), "MOVEMENT_KIND")) }
            td.text { (word(moved.cause().as_str_name(), "MOVEMENT_CAUSE").replace('_', " ")) }
            td { (shown(moved.amount.as_ref())) }
            td { (shown(moved.mrr_after.as_ref())) }
            td.text { @for fact in &moved.version_ids { code { (fact) } " " } }
        }
    }
}

fn cut(rows: usize) -> Markup {
    html! { @if rows > ROWS { p { "The first " (ROWS) "; all of them come with " code { "upswell metrics export" } "." } } }
}

fn card(name: &str, value: &str, class: &str) -> Markup {
    html! { li class=(class) { b { (value) } span { (name) } } }
}

fn against(value: Option<f64>, level: f64) -> &'static str {
    match value {
        Some(value) if value >= level => "good",
        Some(_) => "bad",
        None => "",
    }
}

fn sign(amount: Option<&gtype::Money>) -> &'static str {
    match amount {
        Some(amount) if amount.units > 0 || amount.nanos > 0 => "good",
        Some(amount) if amount.units < 0 || amount.nanos < 0 => "bad",
        _ => "",
    }
}

/// Green where more was kept than came, red where little was left.
fn tint(kept: f64) -> String {
    let hue = 120.0 * (kept.clamp(0.5, 1.0) - 0.5) / 0.5;
    format!("background:hsl({hue:.0} 60% 90%)")
}

fn lifetime_value(lifetime: Option<&LifetimeValue>) -> String {
    match lifetime {
        Some(LifetimeValue {
            margin: Some(value), ..
        }) => shown(Some(value)),
        Some(LifetimeValue {
            revenue: Some(value), ..
        }) => shown(Some(value)),
        _ => "nobody left".to_owned(),
    }
}

pub(super) fn shown(amount: Option<&gtype::Money>) -> String {
    amount
        .and_then(|amount| money::from_proto(amount).ok())
        .map_or_else(none, amounts::money)
}

pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{:.1} %", value * 100.0))
}

fn signed_percent(value: f64) -> String {
    format!("{:+.1} %", value * 100.0).replace('-', "−")
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "nothing lost".to_owned(), |value| format!("{value:.2}"))
}

pub(super) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.1}"))
}

fn share(part: i64, whole: i64) -> String {
    if whole == 0 {
        none()
    } else {
        format!("{:.0} %", part as f64 * 100.0 / whole as f64)
    }
}

pub(super) fn none() -> String {
    "–".to_owned()
}
