//! What accounts and people felt: contacts and waits.

use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::metrics::v1 as pb;

use crate::{
    cli::output::{Column, Row, View, card, decimal, left, part, right, time},
    wire::instant,
};

#[derive(Serialize)]
pub(super) struct Pressure {
    touches: i64,
    accounts: i64,
    weeks: f64,
    touches_per_account_week: Option<f64>,
    busiest_account: String,
    busiest_touches: i64,
}

impl From<pb::GetPressureResponse> for Pressure {
    fn from(answer: pb::GetPressureResponse) -> Self {
        Self {
            touches: answer.touches,
            accounts: answer.accounts,
            weeks: answer.weeks,
            touches_per_account_week: answer.touches_per_account_week,
            busiest_account: answer.busiest_account_id,
            busiest_touches: answer.busiest_touches,
        }
    }
}

impl View for Pressure {
    fn render(&self) -> String {
        let rate = self
            .touches_per_account_week
            .map_or("–".to_owned(), |rate| format!("{rate:.2}"));
        card(&[
            ("touches", self.touches.to_string()),
            ("accounts", self.accounts.to_string()),
            ("weeks", format!("{:.1}", self.weeks)),
            ("touches per account and week", rate),
            (
                "most on one account",
                format!("{} {}", self.busiest_touches, self.busiest_account),
            ),
        ])
    }
}

#[derive(Serialize)]
pub(super) struct LeadTimes {
    signal_to_payment_days: LeadTime,
    approval_wait_hours: LeadTime,
    onboarding_ttv_days: LeadTime,
    time_to_expansion_days: LeadTime,
    longest_waits: Vec<Wait>,
}

#[derive(Serialize)]
struct LeadTime {
    complete: i64,
    open: i64,
    mean: Option<f64>,
    median: Option<f64>,
    p90: Option<f64>,
    median_with_open: Option<f64>,
    p90_with_open: Option<f64>,
}

#[derive(Serialize)]
struct Wait {
    approval: String,
    account: String,
    approver: String,
    requested_at: Option<Timestamp>,
    hours: f64,
    state: String,
}

impl From<pb::LeadTime> for LeadTime {
    fn from(times: pb::LeadTime) -> Self {
        Self {
            complete: times.complete,
            open: times.open,
            mean: times.mean,
            median: times.median,
            p90: times.p90,
            median_with_open: times.median_with_open,
            p90_with_open: times.p90_with_open,
        }
    }
}

impl From<pb::GetLeadTimesResponse> for LeadTimes {
    fn from(answer: pb::GetLeadTimesResponse) -> Self {
        let wait = |wait: pb::LongestWait| Wait {
            requested_at: instant(wait.request_time.as_ref()),
            approval: wait.approval_id,
            account: wait.account_id,
            approver: wait.approver_id,
            hours: wait.hours,
            state: wait.state,
        };
        Self {
            signal_to_payment_days: answer.signal_to_payment_days.unwrap_or_default().into(),
            approval_wait_hours: answer.approval_wait_hours.unwrap_or_default().into(),
            onboarding_ttv_days: answer.onboarding_ttv_days.unwrap_or_default().into(),
            time_to_expansion_days: answer.time_to_expansion_days.unwrap_or_default().into(),
            longest_waits: answer.longest_waits.into_iter().map(wait).collect(),
        }
    }
}

impl LeadTime {
    fn told(&self, unit: &str) -> String {
        let Self { complete, open, .. } = self;
        let [mean, median, p90] = [self.mean, self.median, self.p90].map(decimal);
        let with_open = decimal(self.median_with_open);
        format!(
            "mean {mean} {unit}, median {median}, p90 {p90} over {complete}; {open} still open, median with them {with_open}"
        )
    }
}

impl View for LeadTimes {
    fn render(&self) -> String {
        let lines = card(&[
            ("signal to payment", self.signal_to_payment_days.told("days")),
            ("request to approval", self.approval_wait_hours.told("hours")),
            ("sign-up to first goal", self.onboarding_ttv_days.told("days")),
            ("sign-up to first expansion", self.time_to_expansion_days.told("days")),
        ]);
        [lines, part("Waited longest", &self.longest_waits)].concat()
    }
}

impl Row for Wait {
    const COLUMNS: &'static [Column] = &[
        right("hours"),
        left("account"),
        left("asked"),
        left("state"),
        left("since"),
        left("approval"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            format!("{:.1}", self.hours),
            self.account.clone(),
            self.approver.clone(),
            self.state.clone(),
            time(self.requested_at),
            self.approval.clone(),
        ]
    }
}
