//! MRR and what moved it.

use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, card, cash, day, decimal, left, part, percent, right, wire_money},
    wire::{date, word},
};

/// One entry per currency; they are never added up.
#[derive(Serialize)]
pub(super) struct Revenues {
    currencies: Vec<Revenue>,
}

#[derive(Serialize)]
struct Revenue {
    currency: String,
    mrr_start: Option<Money>,
    mrr_end: Option<Money>,
    movements: Vec<Total>,
    paying_accounts_start: i64,
    paying_accounts_end: i64,
    arpa: Option<Money>,
    arr: Option<Money>,
    retained_end: Option<Money>,
    retained_gross: Option<Money>,
    nrr: Option<f64>,
    grr: Option<f64>,
    expansion_net: Option<Money>,
    expansion_gross: Option<Money>,
    expansion_attributed: Option<Money>,
    expansion_cumulative: Option<Money>,
    churned_accounts: i64,
    causes: Vec<CauseTotal>,
    logo_churn: Option<f64>,
    gross_mrr_churn: Option<f64>,
    net_mrr_churn: Option<f64>,
    quick_ratio: Option<f64>,
}

#[derive(Serialize)]
struct CauseTotal {
    kind: String,
    cause: String,
    amount: Option<Money>,
    count: i64,
}

#[derive(Serialize)]
struct Total {
    kind: String,
    amount: Option<Money>,
    count: i64,
}

impl From<pb::GetRevenueMetricsResponse> for Revenues {
    fn from(answer: pb::GetRevenueMetricsResponse) -> Self {
        Self {
            currencies: answer.currencies.into_iter().map(Revenue::from).collect(),
        }
    }
}

impl From<pb::RevenueMetrics> for Revenue {
    fn from(metrics: pb::RevenueMetrics) -> Self {
        let total = |total: &pb::MovementTotal| Total {
            kind: word(total.kind().as_str_name(), "MOVEMENT_KIND"),
            amount: wire_money(total.amount.as_ref()),
            count: total.count,
        };
        let cause = |total: &pb::CauseTotal| CauseTotal {
            kind: word(total.kind().as_str_name(), "MOVEMENT_KIND"),
            cause: word(total.cause().as_str_name(), "MOVEMENT_CAUSE"),
            amount: wire_money(total.amount.as_ref()),
            count: total.count,
        };
        Self {
            mrr_start: wire_money(metrics.mrr_start.as_ref()),
            mrr_end: wire_money(metrics.mrr_end.as_ref()),
            movements: metrics.movements.iter().map(total).collect(),
            paying_accounts_start: metrics.paying_accounts_start,
            paying_accounts_end: metrics.paying_accounts_end,
            arpa: wire_money(metrics.arpa.as_ref()),
            arr: wire_money(metrics.arr.as_ref()),
            retained_end: wire_money(metrics.retained_end.as_ref()),
            retained_gross: wire_money(metrics.retained_gross.as_ref()),
            nrr: metrics.nrr,
            grr: metrics.grr,
            expansion_net: wire_money(metrics.expansion_net.as_ref()),
            expansion_gross: wire_money(metrics.expansion_gross.as_ref()),
            expansion_attributed: wire_money(metrics.expansion_attributed.as_ref()),
            expansion_cumulative: wire_money(metrics.expansion_cumulative.as_ref()),
            churned_accounts: metrics.churned_accounts,
            causes: metrics.causes.iter().map(cause).collect(),
            logo_churn: metrics.logo_churn,
            gross_mrr_churn: metrics.gross_mrr_churn,
            net_mrr_churn: metrics.net_mrr_churn,
            quick_ratio: metrics.quick_ratio,
            currency: metrics.currency_code,
        }
    }
}

impl View for Revenues {
    fn render(&self) -> String {
        if self.currencies.is_empty() {
            return "no recurring revenue in this window".to_owned();
        }
        self.currencies
            .iter()
            .map(Revenue::render)
            .collect::<Vec<_>>()
            .join("\n\n\n")
    }
}

impl Revenue {
    fn render(&self) -> String {
        let accounts = format!("{} → {}", self.paying_accounts_start, self.paying_accounts_end);
        let lines = [
            ("currency", self.currency.clone()),
            ("MRR at the start", cash(self.mrr_start)),
            ("MRR at the end", cash(self.mrr_end)),
            ("NRR", percent(self.nrr)),
            ("GRR", percent(self.grr)),
            ("ARPA", cash(self.arpa)),
            ("ARR", cash(self.arr)),
            ("expansion", cash(self.expansion_gross)),
            ("  less contraction", cash(self.expansion_net)),
            ("  caused by Upswell's offers", cash(self.expansion_attributed)),
            ("  earned so far", cash(self.expansion_cumulative)),
            ("paying accounts", accounts),
            ("accounts lost", self.churned_accounts.to_string()),
            ("logo churn", percent(self.logo_churn)),
            ("MRR churn, gross", percent(self.gross_mrr_churn)),
            ("MRR churn, net", percent(self.net_mrr_churn)),
            ("quick ratio", decimal(self.quick_ratio)),
        ];
        let moved = part("What moved MRR", &self.movements);
        [card(&lines), moved, part("Why it moved", &self.causes)].concat()
    }
}

impl Row for Total {
    const COLUMNS: &'static [Column] = &[left("movement"), right("amount"), right("how many")];

    fn cells(&self) -> Vec<String> {
        vec![self.kind.clone(), cash(self.amount), self.count.to_string()]
    }
}

impl Row for CauseTotal {
    const COLUMNS: &'static [Column] = &[left("movement"), left("cause"), right("amount"), right("how many")];

    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.clone(),
            self.cause.clone(),
            cash(self.amount),
            self.count.to_string(),
        ]
    }
}

/// What moved an account's MRR on a day.
#[derive(Serialize)]
pub(super) struct Movement {
    day: Option<Date>,
    account: String,
    kind: String,
    cause: String,
    amount: Option<Money>,
    mrr_after: Option<Money>,
    order: String,
    motion: String,
    facts: Vec<String>,
}

impl From<pb::Movement> for Movement {
    fn from(movement: pb::Movement) -> Self {
        let motion = word(movement.motion().as_str_name(), "MOTION");
        Self {
            day: date(movement.day.as_ref()),
            kind: word(movement.kind().as_str_name(), "MOVEMENT_KIND"),
            cause: word(movement.cause().as_str_name(), "MOVEMENT_CAUSE"),
            amount: wire_money(movement.amount.as_ref()),
            mrr_after: wire_money(movement.mrr_after.as_ref()),
            motion: if movement.order_id.is_empty() {
                String::new()
            } else {
                motion
            },
            account: movement.account_id,
            order: movement.order_id,
            facts: movement.version_ids,
        }
    }
}

impl Row for Movement {
    const COLUMNS: &'static [Column] = &[
        left("day"),
        left("account"),
        left("movement"),
        left("cause"),
        right("amount"),
        right("MRR after"),
        left("motion"),
        left("facts"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            day(self.day),
            self.account.clone(),
            self.kind.clone(),
            self.cause.clone(),
            cash(self.amount),
            cash(self.mrr_after),
            self.motion.clone(),
            self.facts.join(", "),
        ]
    }
}
