//! Questions about signals and scores.

use anyhow::Result;
use clap::Subcommand;
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_proto::scoring::v1::{
    self as pb, GetScoreRequest, ListScoresRequest, ListSignalsRequest, RescoreAccountsRequest,
    scoring_service_client::ScoringServiceClient, signal,
};
use upswell_scoring::NAME;

use super::{
    context::Context,
    output::{Column, Listing, Row, View, card, day, left, part, percent, right, time},
    pages::Limit,
    signals,
    words::{self, RequestId},
};
use crate::wire::{date, instant, word};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Why now: the signals, each with the figures behind it.
    #[command(
        args_conflicts_with_subcommands = true,
        after_long_help = "\
Examples:
  upswell signals --account acct-01 --state open
  upswell signals backtest volume_growth --threshold volume_growth.percent --value 10 --from 2026-01-01 --to 2026-06-30
  upswell signals raise acct-01 --saw manual_work --about invoices --note 'they copy numbers by hand' --actor anna"
    )]
    Signals {
        #[command(subcommand)]
        action: Option<signals::Action>,
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        /// Only this state; may be given several times.
        #[arg(long, value_parser = words::signal_state())]
        state: Vec<signal::State>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Health, churn risk and expansion propensity: of one account with its parts, or of all.
    #[command(after_long_help = "Examples:\n  upswell scores\n  upswell scores acct-01")]
    Scores {
        /// The account's id; none shows all accounts, rising health first.
        account: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Score accounts now instead of waiting for the daily refresh.
    #[command(after_long_help = "Example:\n  upswell rescore acct-01 acct-02")]
    Rescore {
        /// The accounts; none means all that have changed.
        accounts: Vec<String>,
        #[command(flatten)]
        request: RequestId,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Signals {
                action: Some(action), ..
            } => action.run(context).await,
            Self::Signals {
                action: None,
                account: account_id,
                state,
                limit,
            } => {
                let states = state.into_iter().map(i32::from).collect();
                let request = ListSignalsRequest {
                    account_id,
                    states,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { ScoringServiceClient::new(channel).list_signals(request).await };
                let found: Listing<SignalView> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Scores {
                account: Some(account_id),
                ..
            } => {
                let send =
                    |channel, request| async move { ScoringServiceClient::new(channel).get_score(request).await };
                let answer = context.ask(NAME, GetScoreRequest { account_id }, send).await?;
                context.show(&ScoreView::from(answer.score.unwrap_or_default()))
            }
            Self::Scores { account: None, limit } => {
                let send =
                    |channel, request| async move { ScoringServiceClient::new(channel).list_scores(request).await };
                let found: Listing<ScoreView> = context.list(NAME, limit, ListScoresRequest::default(), send).await?;
                context.show(&found)
            }
            Self::Rescore {
                accounts: account_ids,
                request,
            } => {
                let send = |channel, request| async move {
                    ScoringServiceClient::new(channel).rescore_accounts(request).await
                };
                let request = RescoreAccountsRequest {
                    account_ids,
                    request_id: request.text(),
                };
                let scored = context.ask(NAME, request, send).await?.scored;
                context.show(&Rescored { scored })
            }
        }
    }
}

#[derive(Serialize)]
struct Rescored {
    scored: i32,
}

impl View for Rescored {
    fn render(&self) -> String {
        format!("{} accounts scored", self.scored)
    }
}

#[derive(Serialize)]
struct SignalView {
    signal: String,
    account: String,
    kind: String,
    subject: String,
    state: String,
    grade: String,
    strength: f64,
    evidence: Vec<Evidence>,
    opened_at: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    offer: String,
}

#[derive(Serialize)]
struct Evidence {
    name: String,
    value: f64,
    unit: String,
    baseline: Option<f64>,
    from: Option<Date>,
    until: Option<Date>,
    facts: String,
}

impl From<pb::Evidence> for Evidence {
    fn from(evidence: pb::Evidence) -> Self {
        Self {
            value: evidence.value,
            baseline: evidence.baseline,
            from: date(evidence.window_start_day.as_ref()),
            until: date(evidence.window_end_day.as_ref()),
            name: evidence.name,
            unit: evidence.unit,
            facts: evidence.facts,
        }
    }
}

impl From<pb::Signal> for SignalView {
    fn from(signal: pb::Signal) -> Self {
        Self {
            kind: word(signal.kind().as_str_name(), "SIGNAL_KIND"),
            state: word(signal.state().as_str_name(), "STATE"),
            grade: word(signal.grade().as_str_name(), "GRADE"),
            opened_at: instant(signal.open_time.as_ref()),
            last_seen_at: instant(signal.last_seen_time.as_ref()),
            closed_at: instant(signal.close_time.as_ref()),
            evidence: signal.evidence.into_iter().map(Evidence::from).collect(),
            signal: signal.signal_id,
            account: signal.account_id,
            subject: signal.subject,
            strength: signal.strength,
            offer: signal.offer_id,
        }
    }
}

impl Row for SignalView {
    const COLUMNS: &'static [Column] = &[
        left("opened"),
        left("account"),
        left("signal"),
        left("about"),
        left("state"),
        left("grade"),
        right("strength"),
        left("because"),
    ];

    fn cells(&self) -> Vec<String> {
        let figure = |evidence: &Evidence| format!("{} {} {}", evidence.name, number(evidence.value), evidence.unit);
        vec![
            time(self.opened_at),
            self.account.clone(),
            self.kind.clone(),
            self.subject.clone(),
            self.state.clone(),
            self.grade.clone(),
            format!("{:.2}", self.strength),
            self.evidence.iter().map(figure).collect::<Vec<_>>().join(", "),
        ]
    }
}

/// At most two decimals, and none where there are none.
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[derive(Serialize)]
struct ScoreView {
    account: String,
    as_of: Option<Date>,
    scored_at: Option<Timestamp>,
    health: i32,
    band: String,
    health_change: Option<i32>,
    churn_risk: f64,
    expansion_propensity: f64,
    open_critical_tickets: i32,
    model: String,
    components: Vec<Component>,
    reasons: Vec<Reason>,
    rules_because: Vec<String>,
    missing: Vec<String>,
}

#[derive(Serialize)]
struct Component {
    name: String,
    points: i32,
    previous_points: Option<i32>,
    missing: bool,
    observation: String,
}

#[derive(Serialize)]
struct Reason {
    score: String,
    feature: String,
    effect: f64,
}

impl From<pb::Score> for ScoreView {
    fn from(score: pb::Score) -> Self {
        let health = score.health.unwrap_or_default();
        let component = |part: pb::HealthComponent| Component {
            name: part.name,
            points: part.points,
            previous_points: part.previous_points,
            missing: part.missing,
            observation: part.observation,
        };
        let reason = |reason: pb::Reason| Reason {
            score: reason.score,
            feature: reason.feature,
            effect: reason.effect,
        };
        let because = |source: pb::ScoreSource| {
            (!source.reason.is_empty()).then(|| format!("{}: {}", source.score, source.reason))
        };
        Self {
            rules_because: score.sources.into_iter().filter_map(because).collect(),
            as_of: date(score.as_of_day.as_ref()),
            scored_at: instant(score.score_time.as_ref()),
            account: score.account_id,
            health: health.value,
            band: word(health.band().as_str_name(), "BAND"),
            health_change: score.health_change,
            churn_risk: score.churn_risk,
            expansion_propensity: score.expansion_propensity,
            open_critical_tickets: score.open_critical_tickets,
            model: score.model_version,
            components: health.components.into_iter().map(component).collect(),
            reasons: score.reasons.into_iter().map(reason).collect(),
            missing: score.missing_inputs,
        }
    }
}

impl Row for ScoreView {
    const COLUMNS: &'static [Column] = &[
        left("account"),
        right("health"),
        left("band"),
        right("in a week"),
        right("churn risk"),
        right("propensity"),
        right("critical tickets"),
        left("as of"),
        left("missing"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.account.clone(),
            self.health.to_string(),
            self.band.clone(),
            change(self.health_change),
            percent(Some(self.churn_risk)),
            percent(Some(self.expansion_propensity)),
            self.open_critical_tickets.to_string(),
            day(self.as_of),
            self.missing.join(", "),
        ]
    }
}

impl View for ScoreView {
    fn render(&self) -> String {
        let lines = [
            ("account", self.account.clone()),
            ("as of", day(self.as_of)),
            ("health", format!("{} ({})", self.health, self.band)),
            ("in a week", change(self.health_change)),
            ("churn risk", percent(Some(self.churn_risk))),
            ("expansion propensity", percent(Some(self.expansion_propensity))),
            ("open critical tickets", self.open_critical_tickets.to_string()),
            ("computed by", self.model.clone()),
            ("rules because", self.rules_because.join("\n")),
            ("missing", self.missing.join(", ")),
        ];
        [
            card(&lines),
            part("Health, part by part", &self.components),
            part("What pushed the numbers", &self.reasons),
        ]
        .concat()
    }
}

impl Row for Component {
    const COLUMNS: &'static [Column] = &[left("part"), right("points"), right("a week before"), left("observed")];

    fn cells(&self) -> Vec<String> {
        let before = self.previous_points.map_or(String::new(), |points| points.to_string());
        let observed = if self.missing {
            "nothing arrived".to_owned()
        } else {
            self.observation.clone()
        };
        vec![self.name.clone(), self.points.to_string(), before, observed]
    }
}

impl Row for Reason {
    const COLUMNS: &'static [Column] = &[left("number"), left("because of"), right("by")];

    fn cells(&self) -> Vec<String> {
        vec![self.score.clone(), self.feature.clone(), format!("{:+.3}", self.effect)]
    }
}

fn change(change: Option<i32>) -> String {
    change.map_or("–".to_owned(), |change| format!("{change:+}"))
}
