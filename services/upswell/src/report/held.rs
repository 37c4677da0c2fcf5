//! Parts of the page: numbers against their targets, the programme by slice, and loyalty.

use maud::{Markup, html};
use upswell_proto::metrics::v1::{
    LoyaltyChange, LoyaltyVerdict, ProgrammeSlice, ProgrammeStep, SegmentLoyalty, TargetStanding, TargetState,
};

use super::page::{decimal, none, percent, shown};

/// Shares among the targets; the others are days, scores or ratios.
const SHARES: [&str; 3] = ["nrr", "grr", "expansion_share"];

pub(super) fn targets(targets: &[TargetStanding]) -> Markup {
    html! {
        @if !targets.is_empty() {
            section {
                h2 { "Against the targets" }
                div.table { table {
                    tr { th.text { "number" } th { "value" } th { "target" } th { "before the launch" } th.text { "stands" } }
                    @for one in targets { (target(one)) }
                } }
            }
        }
    }
}

fn target(one: &TargetStanding) -> Markup {
    let is_share = SHARES.contains(&one.name.as_str());
    let told = |value: Option<f64>| if is_share { percent(value) } else { decimal(value) };
    let (class, stands) = match one.state() {
        TargetState::Met => ("good", "met"),
        TargetState::Missed => ("", "missed"),
        TargetState::Alarm => ("bad", "alarm: worse than before the launch"),
        TargetState::Unspecified => ("", one.reason.as_str()),
    };
    html! {
        tr {
            td.text { (name(&one.name)) }
            td { (told(one.value)) }
            td { (if one.at_most { "≤ " } else { "≥ " }) (told(Some(one.target))) }
            td { (told(one.baseline)) }
            td.text.(class) { (stands) }
        }
    }
}

fn name(name: &str) -> String {
    match name {
        "nrr" => "net revenue retention (NRR)".to_owned(),
        "grr" => "gross revenue retention (GRR)".to_owned(),
        "expansion_share" => "expansion of the days, of MRR".to_owned(),
        "signal_to_payment_days" => "days from signal to payment".to_owned(),
        "onboarding_ttv_days" => "days from sign-up to the first goal".to_owned(),
        "ltv_to_cac" => "lifetime value over cost of winning".to_owned(),
        "nps" => "net promoter score (NPS)".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The steps and the money of each slice.
pub(super) fn slices(by: &str, slices: &[ProgrammeSlice]) -> Markup {
    let steps: Vec<ProgrammeStep> = slices
        .first()
        .map(|slice| slice.steps.iter().map(|count| count.step()).collect())
        .unwrap_or_default();
    html! {
        @if slices.len() > 1 || slices.iter().any(|slice| !slice.value.is_empty()) {
            h3 { "By " (by) }
            div.table { table {
                tr {
                    th.text { (by) }
                    @for step in &steps { th { (step_name(*step)) } }
                    th { "of offers" } th { "of customers" } th { "expansion MRR" } th { "average upsell" }
                }
                @for slice in slices {
                    tr {
                        td.text { (if slice.value.is_empty() { "none".to_owned() } else { slice.value.replace('_', " ") }) }
                        @for count in &slice.steps {
                            td { @match count.count { Some(count) => (count), None => span.quiet { "not measured" } } }
                        }
                        td { (percent(slice.conversion_of_offers)) }
                        td { (percent(slice.conversion_of_customers)) }
                        td { (moneys(slice, |part| part.expansion.as_ref())) }
                        td { (moneys(slice, |part| part.average.as_ref())) }
                    }
                }
            } }
        }
    }
}

fn step_name(step: ProgrammeStep) -> &'static str {
    match step {
        ProgrammeStep::Unspecified => "–",
        ProgrammeStep::Signals => "signals",
        ProgrammeStep::OffersSent => "sent",
        ProgrammeStep::Delivered => "delivered",
        ProgrammeStep::Opened => "opened",
        ProgrammeStep::Clicked => "clicked",
        ProgrammeStep::Accepted => "accepted",
        ProgrammeStep::Paid => "paid",
    }
}

fn moneys(
    slice: &ProgrammeSlice,
    pick: fn(&upswell_proto::metrics::v1::ProgrammeMoney) -> Option<&upswell_proto::gtype::Money>,
) -> String {
    let told: Vec<String> = slice.money.iter().map(|part| shown(pick(part))).collect();
    if told.is_empty() { none() } else { told.join(", ") }
}

pub(super) fn loyalty(segments: &[SegmentLoyalty]) -> Markup {
    let is_heard = |heard: Option<upswell_proto::metrics::v1::Heard>| {
        heard.is_some_and(|heard| heard.nps_answers + heard.csat_answers + heard.complaints + heard.unsubscribes > 0)
    };
    html! {
        @if segments.iter().any(|segment| is_heard(segment.before) || is_heard(segment.after)) {
            section {
                h2 { "Loyalty, before and after" }
                div.table { table {
                    tr { th.text { "segment" } th { "NPS" } th.text { "which is" } th { "CSAT" } th.text { "which is" } th { "complaints of 100 accounts a month" } th.text { "which is" } th { "unsubscribes of 100 accounts a month" } th.text { "which is" } }
                    @for segment in segments { (segment_row(segment)) }
                } }
            }
        }
    }
}

fn segment_row(segment: &SegmentLoyalty) -> Markup {
    let (before, after) = (segment.before.unwrap_or_default(), segment.after.unwrap_or_default());
    html! {
        tr {
            td.text { (if segment.segment.is_empty() { "all" } else { segment.segment.as_str() }) }
            td { (decimal(before.nps)) " → " (decimal(after.nps)) }
            (verdict(segment.nps_change))
            td { (decimal(before.csat)) " → " (decimal(after.csat)) }
            (verdict(segment.csat_change))
            td { (decimal(before.complaints_per_hundred)) " → " (decimal(after.complaints_per_hundred)) }
            (verdict(segment.complaints_change))
            td { (decimal(before.unsubscribes_per_hundred)) " → " (decimal(after.unsubscribes_per_hundred)) }
            (verdict(segment.unsubscribes_change))
        }
    }
}

fn verdict(change: Option<LoyaltyChange>) -> Markup {
    let (class, told) = match change.map(|change| change.verdict()) {
        None => ("quiet", "not known"),
        Some(LoyaltyVerdict::NotWorse) => ("good", "not worse"),
        Some(LoyaltyVerdict::Worse) => ("bad", "worse"),
        Some(LoyaltyVerdict::Undecided | LoyaltyVerdict::Unspecified) => ("quiet", "not decided"),
    };
    html! { td.text.(class) { (told) } }
}
