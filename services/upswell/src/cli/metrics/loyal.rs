//! Return, targets and loyalty.

use serde::Serialize;
use upswell_proto::metrics::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, card, cash, decimal, left, percent, right, wire_money},
    wire::word,
};

#[derive(Serialize)]
pub(super) struct Returned {
    currency: String,
    earned: Option<Money>,
    margin: Option<Money>,
    cost: Option<Money>,
    return_on_investment: Option<f64>,
    payback_days: Option<f64>,
}

impl From<pb::GetProgrammeReturnResponse> for Returned {
    fn from(answer: pb::GetProgrammeReturnResponse) -> Self {
        Self {
            earned: wire_money(answer.earned.as_ref()),
            margin: wire_money(answer.margin.as_ref()),
            cost: wire_money(answer.cost.as_ref()),
            currency: answer.currency_code,
            return_on_investment: answer.return_on_investment,
            payback_days: answer.payback_days,
        }
    }
}

impl View for Returned {
    fn render(&self) -> String {
        let cost = self.cost.map_or("not configured".to_owned(), |cost| cash(Some(cost)));
        card(&[
            ("earned by orders", cash(self.earned)),
            ("after the cost to serve", cash(self.margin)),
            ("cost of the programme", cost),
            ("return on investment", percent(self.return_on_investment)),
            ("days to payback", decimal(self.payback_days)),
        ])
    }
}

#[derive(Serialize)]
pub(super) struct TargetLine {
    name: String,
    value: Option<f64>,
    target: f64,
    at_most: bool,
    baseline: Option<f64>,
    state: String,
    reason: String,
}

impl From<pb::TargetStanding> for TargetLine {
    fn from(standing: pb::TargetStanding) -> Self {
        let state = word(standing.state().as_str_name(), "TARGET_STATE");
        Self {
            state: if state == "unspecified" {
                "unknown".to_owned()
            } else {
                state
            },
            name: standing.name,
            value: standing.value,
            target: standing.target,
            at_most: standing.at_most,
            baseline: standing.baseline,
            reason: standing.reason,
        }
    }
}

impl Row for TargetLine {
    const COLUMNS: &'static [Column] = &[
        left("number"),
        right("value"),
        right("target"),
        right("before the launch"),
        left("state"),
        left("why not"),
    ];

    fn cells(&self) -> Vec<String> {
        let is_share = ["nrr", "grr", "expansion_share"].contains(&self.name.as_str());
        let told = |value: Option<f64>| if is_share { percent(value) } else { decimal(value) };
        let bound = if self.at_most { "≤" } else { "≥" };
        vec![
            self.name.replace('_', " "),
            told(self.value),
            format!("{bound} {}", told(Some(self.target))),
            told(self.baseline),
            self.state.clone(),
            self.reason.clone(),
        ]
    }
}

#[derive(Serialize)]
pub(super) struct SegmentLine {
    segment: String,
    nps: Change,
    csat: Change,
    complaints_per_hundred: Change,
    unsubscribes_per_hundred: Change,
    accounts: i64,
}

#[derive(Serialize)]
struct Change {
    before: Option<f64>,
    after: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    verdict: String,
}

impl Change {
    fn of(before: Option<f64>, after: Option<f64>, change: Option<pb::LoyaltyChange>) -> Self {
        let bound = |value: f64| value.is_finite().then_some(value);
        let verdict = change.map(|change| word(change.verdict().as_str_name(), "LOYALTY_VERDICT"));
        Self {
            before,
            after,
            low: change.and_then(|change| bound(change.low)),
            high: change.and_then(|change| bound(change.high)),
            verdict: verdict.unwrap_or_else(|| "no answers".to_owned()),
        }
    }

    fn told(&self) -> [String; 2] {
        let verdict = self.verdict.replace('_', " ");
        [format!("{} → {}", decimal(self.before), decimal(self.after)), verdict]
    }
}

impl From<pb::SegmentLoyalty> for SegmentLine {
    fn from(loyalty: pb::SegmentLoyalty) -> Self {
        let (before, after) = (loyalty.before.unwrap_or_default(), loyalty.after.unwrap_or_default());
        Self {
            segment: loyalty.segment,
            nps: Change::of(before.nps, after.nps, loyalty.nps_change),
            csat: Change::of(before.csat, after.csat, loyalty.csat_change),
            complaints_per_hundred: Change::of(
                before.complaints_per_hundred,
                after.complaints_per_hundred,
                loyalty.complaints_change,
            ),
            unsubscribes_per_hundred: Change::of(
                before.unsubscribes_per_hundred,
                after.unsubscribes_per_hundred,
                loyalty.unsubscribes_change,
            ),
            accounts: after.accounts,
        }
    }
}

impl Row for SegmentLine {
    const COLUMNS: &'static [Column] = &[
        left("segment"),
        right("accounts"),
        right("NPS"),
        left("NPS is"),
        right("CSAT"),
        left("CSAT is"),
        right("complaints of 100"),
        left("complaints are"),
        right("unsubscribes of 100"),
        left("unsubscribes are"),
    ];

    fn cells(&self) -> Vec<String> {
        let name = if self.segment.is_empty() {
            "(all)"
        } else {
            &self.segment
        };
        let mut cells = vec![name.to_owned(), self.accounts.to_string()];
        let changes = [
            &self.nps,
            &self.csat,
            &self.complaints_per_hundred,
            &self.unsubscribes_per_hundred,
        ];
        cells.extend(changes.iter().flat_map(|change| change.told()));
        cells
    }
}
