//! What is done about signals: a threshold tried on history, a signal that a person saw, the hit rate of those who do.

use std::io::{self, IsTerminal as _};

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::{
    scoring::v1::{
        BacktestTally, BacktestThresholdRequest, ListRaisersRequest, RaiseSignalRequest, Raiser,
        raise_signal_request::Observation, scoring_service_client::ScoringServiceClient,
    },
    vocabulary::v1::SignalKind,
};
use upswell_scoring::NAME;

use super::{
    context::Context,
    output::{Column, Listing, Row, View, card, left, part, percent, right},
    words::{self, RequestId},
};
use crate::wire::{to_date, word};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Try a threshold on history: how often the signal would have fired, and what followed.
    #[command(after_long_help = "\
Example:
  upswell signals backtest volume_growth --threshold volume_growth.percent --value 10 --from 2026-01-01 --to 2026-06-30")]
    Backtest(Backtest),
    /// Raise a signal that you saw.
    #[command(after_long_help = "\
Example:
  upswell signals raise acct-01 --saw manual_work --about invoices --note 'they copy numbers by hand' --actor anna")]
    Raise(Raise),
    /// Who raised signals, and what became of them.
    #[command(after_long_help = "Example:\n  upswell signals raisers")]
    Raisers,
}

#[derive(Debug, Args)]
pub(super) struct Backtest {
    /// The signal.
    #[arg(value_parser = words::signal_kind())]
    kind: SignalKind,
    /// Key of the threshold to change, under [scoring.signals]; none tries the present table.
    #[arg(long, requires = "value", default_value_t, hide_default_value = true)]
    threshold: String,
    /// The value to set beside the present one.
    #[arg(long, requires = "threshold", default_value_t, hide_default_value = true)]
    value: f64,
    /// First day on which the signal is looked for.
    #[arg(long, value_parser = words::day)]
    from: Date,
    /// Last day on which it is looked for.
    #[arg(long, value_parser = words::day)]
    to: Date,
    /// Days between two looks.
    #[arg(long, default_value_t = 7)]
    step: i32,
    /// Days in which what follows is counted.
    #[arg(long, default_value_t = 90)]
    within: i32,
}

#[derive(Debug, Args)]
pub(super) struct Raise {
    /// The account's id.
    account: String,
    /// What you saw.
    #[arg(long, value_parser = words::observation())]
    saw: Observation,
    /// The feature, plan or area that it is about.
    #[arg(long, default_value_t, hide_default_value = true)]
    about: String,
    /// In words.
    #[arg(long)]
    note: String,
    #[command(flatten)]
    request: RequestId,
}

impl Action {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Backtest(backtest) => backtest.run(context).await,
            Self::Raise(raise) => {
                context.actor()?;
                let request = RaiseSignalRequest {
                    account_id: raise.account,
                    observation: raise.saw.into(),
                    subject: raise.about,
                    note: raise.note,
                    request_id: raise.request.text(),
                };
                let send =
                    |channel, request| async move { ScoringServiceClient::new(channel).raise_signal(request).await };
                let raised = context.ask(NAME, request, send).await?.raise_id;
                context.show(&Raised { raised })
            }
            Self::Raisers => {
                let send =
                    |channel, request| async move { ScoringServiceClient::new(channel).list_raisers(request).await };
                let found = context.ask(NAME, ListRaisersRequest {}, send).await?.raisers;
                context.show(&Listing {
                    items: found.into_iter().map(RaiserView::from).collect(),
                    more: false,
                })
            }
        }
    }
}

impl Backtest {
    /// Asks portion by portion, so that there is progress to see and an interrupt loses nothing but the answer.
    async fn run(self, context: &Context) -> Result<()> {
        let mut request = BacktestThresholdRequest {
            kind: self.kind.into(),
            threshold: self.threshold.clone(),
            value: self.value,
            start_day: Some(to_date(self.from)),
            end_day: Some(to_date(self.to)),
            step_days: self.step,
            outcome_days: self.within,
            ..Default::default()
        };
        let send =
            |channel, request| async move { ScoringServiceClient::new(channel).backtest_threshold(request).await };
        let mut found = Tried {
            signal: word(self.kind.as_str_name(), "SIGNAL_KIND"),
            threshold: self.threshold,
            present_value: None,
            value: self.value,
            accounts: 0,
            rows: Vec::new(),
        };
        let (mut present, mut changed, mut base) = (TallyView::new("present"), None, TallyView::new("any day"));
        loop {
            let answer = context.ask(NAME, request.clone(), send).await?;
            present.add(answer.present.unwrap_or_default());
            base.add(answer.base.unwrap_or_default());
            if let Some(tally) = answer.changed {
                changed.get_or_insert_with(|| TallyView::new("changed")).add(tally);
            }
            found.present_value = answer.present_value;
            found.accounts += answer.accounts;
            if io::stderr().is_terminal() {
                eprint!("\r{} accounts …", found.accounts);
            }
            if answer.next_page_token.is_empty() {
                break;
            }
            request.page_token = answer.next_page_token;
        }
        if io::stderr().is_terminal() {
            eprintln!();
        }
        found.rows = std::iter::once(present).chain(changed).chain([base]).collect();
        context.show(&found)
    }
}

#[derive(Serialize)]
struct Raised {
    raised: String,
}

impl View for Raised {
    fn render(&self) -> String {
        format!(
            "raised, {}; the signal opens with the scoring that follows",
            self.raised
        )
    }
}

#[derive(Serialize)]
struct Tried {
    signal: String,
    threshold: String,
    present_value: Option<f64>,
    value: f64,
    accounts: i32,
    rows: Vec<TallyView>,
}

impl View for Tried {
    fn render(&self) -> String {
        let mut lines = vec![("signal", self.signal.clone()), ("accounts", self.accounts.to_string())];
        if let Some(present) = self.present_value {
            lines.push(("threshold", self.threshold.clone()));
            lines.push(("present value", present.to_string()));
            lines.push(("changed value", self.value.to_string()));
        }
        [
            card(&lines),
            part("How often it would have fired, and what followed", &self.rows),
        ]
        .concat()
    }
}

#[derive(Default, Serialize)]
struct TallyView {
    table: &'static str,
    fired: i64,
    accounts: i64,
    expanded: i64,
    contracted: i64,
    churned: i64,
    unchanged: i64,
    pending: i64,
    not_paying: i64,
}

impl TallyView {
    fn new(table: &'static str) -> Self {
        Self {
            table,
            ..Self::default()
        }
    }

    fn add(&mut self, tally: BacktestTally) {
        self.fired += tally.fired;
        self.accounts += tally.accounts;
        self.expanded += tally.expanded;
        self.contracted += tally.contracted;
        self.churned += tally.churned;
        self.unchanged += tally.unchanged;
        self.pending += tally.pending;
        self.not_paying += tally.not_paying;
    }

    /// Of those whose outcome is known.
    fn share(&self, part: i64) -> String {
        let known = self.expanded + self.contracted + self.churned + self.unchanged;
        percent((known > 0).then(|| part as f64 / known as f64))
    }
}

impl Row for TallyView {
    const COLUMNS: &'static [Column] = &[
        left("by"),
        right("fired"),
        right("accounts"),
        right("expanded"),
        right("contracted"),
        right("churned"),
        right("unchanged"),
        right("pending"),
        right("not paying"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.table.to_owned(),
            self.fired.to_string(),
            self.accounts.to_string(),
            self.share(self.expanded),
            self.share(self.contracted),
            self.share(self.churned),
            self.share(self.unchanged),
            self.pending.to_string(),
            self.not_paying.to_string(),
        ]
    }
}

#[derive(Serialize)]
struct RaiserView {
    author: String,
    raised: i64,
    offered: i64,
    accepted: i64,
}

impl From<Raiser> for RaiserView {
    fn from(raiser: Raiser) -> Self {
        Self {
            author: raiser.author,
            raised: raiser.raised,
            offered: raiser.offered,
            accepted: raiser.accepted,
        }
    }
}

impl Row for RaiserView {
    const COLUMNS: &'static [Column] = &[
        left("by"),
        right("raised"),
        right("offered"),
        right("accepted"),
        right("hit rate"),
    ];

    fn cells(&self) -> Vec<String> {
        let rate = (self.raised > 0).then(|| self.accepted as f64 / self.raised as f64);
        vec![
            self.author.clone(),
            self.raised.to_string(),
            self.offered.to_string(),
            self.accepted.to_string(),
            percent(rate),
        ]
    }
}
