//! Why something was sent or was not.

mod checks;

use std::fmt::Write as _;

use anyhow::{Result, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    self as pb, ExplainDecisionRequest, ListDecisionsRequest, ReplayDecisionRequest, VerifyDecisionsRequest,
    decision_service_client::DecisionServiceClient,
};
use upswell_runtime::money::Money;

use self::checks::{Replayed, Verified};
use super::{
    context::Context,
    output::{Column, Listing, Row, View, card, cash, left, right, time, wire_money},
    pages::Limit,
    words,
};
use crate::wire::{instant, to_instant, word};

/// Entries of the log in one request: each part answers in time, however long the log is.
const PART: i64 = 5_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Explain an account's decision: every candidate, its score, every gate's verdict, and what won.
    ///
    /// With --at it shows the decision that was recorded at or before that moment; without it, how it would be decided on
    /// what is known now.
    #[command(
        after_long_help = "Examples:\n  upswell explain acct-01\n  upswell explain acct-01 --at 2026-03-02T10:00:00Z"
    )]
    Explain {
        /// The account's id.
        account: String,
        /// An instant, or a day (its beginning in UTC).
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        at: Option<Timestamp>,
    },
    /// The recorded decisions, the newest first.
    #[command(after_long_help = "Example:\n  upswell decisions --account acct-01")]
    Decisions {
        /// Only this account.
        #[arg(long, default_value_t, hide_default_value = true)]
        account: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Make a recorded decision again from what was known then, and say whether it is the same.
    #[command(after_long_help = "Example:\n  upswell replay 6f2c0c7e-5d0b-5c1e-9a55-3d0c8f1d2b11")]
    Replay {
        /// The decision's id.
        decision: String,
    },
    /// Follow the chain of the decision log and name the first entry that was changed, removed or put in.
    #[command(after_long_help = "Example:\n  upswell verify-decisions")]
    VerifyDecisions,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Explain {
                account: account_id,
                at,
            } => {
                let request = ExplainDecisionRequest {
                    account_id,
                    time: at.map(to_instant),
                };
                let send = |channel, request| async move {
                    DecisionServiceClient::new(channel).explain_decision(request).await
                };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Decision::from(answer.decision.unwrap_or_default()))
            }
            Self::Decisions {
                account: account_id,
                limit,
            } => {
                let request = ListDecisionsRequest {
                    account_id,
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { DecisionServiceClient::new(channel).list_decisions(request).await };
                let found: Listing<Decision> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Replay { decision: decision_id } => {
                let send = |channel, request| async move {
                    DecisionServiceClient::new(channel).replay_decision(request).await
                };
                let answer = context.ask(NAME, ReplayDecisionRequest { decision_id }, send).await?;
                context.show(&Replayed::from(answer))
            }
            Self::VerifyDecisions => {
                let send = |channel, request| async move {
                    DecisionServiceClient::new(channel).verify_decisions(request).await
                };
                let mut request = VerifyDecisionsRequest {
                    max_entries: PART,
                    ..Default::default()
                };
                let answer = loop {
                    let answer = context.ask(NAME, request.clone(), send).await?;
                    if answer.complete || !answer.intact {
                        break answer;
                    }
                    (request.after, request.after_hash) = (answer.entries, answer.hash);
                };
                let fault = (!answer.intact).then(|| format!("entry {}: {}", answer.broken_at, answer.fault));
                context.show(&Verified::from(answer))?;
                fault.map_or(Ok(()), |fault| bail!("the log was touched at {fault}"))
            }
        }
    }
}

#[derive(Serialize)]
struct Decision {
    decision: String,
    account: String,
    slot_at: Option<Timestamp>,
    candidates: Vec<Candidate>,
    winner: String,
    earliest_at: Option<Timestamp>,
    policy: String,
    model: String,
    note: String,
}

#[derive(Serialize)]
struct Candidate {
    offer: String,
    playbook: String,
    motion: String,
    subject: String,
    class: String,
    signals: Vec<String>,
    acceptance_probability: f64,
    monthly: Option<Money>,
    churn_risk: f64,
    urgency: f64,
    fatigue: f64,
    expected_value: Option<Money>,
    gates: Vec<Gate>,
    won: bool,
}

#[derive(Serialize)]
struct Gate {
    gate: String,
    rule: String,
    verdict: String,
    detail: String,
    earliest_at: Option<Timestamp>,
}

impl From<pb::Decision> for Decision {
    fn from(decision: pb::Decision) -> Self {
        Self {
            slot_at: instant(decision.slot_time.as_ref()),
            earliest_at: instant(decision.earliest_time.as_ref()),
            candidates: decision.candidates.into_iter().map(Candidate::from).collect(),
            decision: decision.decision_id,
            account: decision.account_id,
            winner: decision.winner_offer_id,
            policy: decision.policy_version,
            model: decision.model_version,
            note: decision.note,
        }
    }
}

impl From<pb::Candidate> for Candidate {
    fn from(candidate: pb::Candidate) -> Self {
        Self {
            motion: word(candidate.motion().as_str_name(), "MOTION"),
            class: word(candidate.class().as_str_name(), "TOUCH_CLASS"),
            monthly: wire_money(candidate.monthly.as_ref()),
            expected_value: wire_money(candidate.expected_value.as_ref()),
            gates: candidate.gates.into_iter().map(Gate::from).collect(),
            offer: candidate.offer_id,
            playbook: candidate.playbook,
            subject: candidate.subject,
            signals: candidate.signal_ids,
            acceptance_probability: candidate.acceptance_probability,
            churn_risk: candidate.churn_risk,
            urgency: candidate.urgency,
            fatigue: candidate.fatigue,
            won: candidate.won,
        }
    }
}

impl From<pb::GateVerdict> for Gate {
    fn from(gate: pb::GateVerdict) -> Self {
        Self {
            verdict: word(gate.verdict().as_str_name(), "VERDICT"),
            earliest_at: instant(gate.earliest_time.as_ref()),
            gate: gate.gate,
            rule: gate.rule_id,
            detail: gate.detail,
        }
    }
}

impl Row for Decision {
    const COLUMNS: &'static [Column] = &[
        left("slot"),
        left("account"),
        right("candidates"),
        left("winner"),
        left("earliest for the rest"),
    ];

    fn cells(&self) -> Vec<String> {
        let winner = self.candidates.iter().find(|candidate| candidate.won);
        let winner = winner.map_or("nothing".to_owned(), |winner| {
            format!("{} {}", winner.motion, winner.subject)
        });
        let winner = if self.note.is_empty() {
            winner
        } else {
            self.note.clone()
        };
        vec![
            time(self.slot_at),
            self.account.clone(),
            self.candidates.len().to_string(),
            winner,
            time(self.earliest_at),
        ]
    }
}

impl View for Decision {
    fn render(&self) -> String {
        let recorded = if self.decision.is_empty() {
            "not recorded: as it would be decided now"
        } else {
            &self.decision
        };
        let mut text = card(&[
            ("account", self.account.clone()),
            ("decision", recorded.to_owned()),
            ("slot", time(self.slot_at)),
            (
                "winner",
                if self.winner.is_empty() {
                    "nothing".to_owned()
                } else {
                    self.winner.clone()
                },
            ),
            ("earliest for the rest", time(self.earliest_at)),
            ("note", self.note.clone()),
            ("policy", self.policy.clone()),
            ("model", self.model.clone()),
        ]);
        if self.candidates.is_empty() {
            text.push_str("\n\nthere was nothing to weigh: no signal that a playbook answers");
        }
        for (rank, candidate) in (1..).zip(&self.candidates) {
            candidate.describe(rank, &mut text);
        }
        text
    }
}

impl Candidate {
    fn describe(&self, rank: usize, text: &mut String) {
        let won = if self.won { "   ← won" } else { "" };
        let _ = write!(
            text,
            "\n\n{rank}. {} {} ({}, {}){won}",
            self.motion, self.subject, self.playbook, self.class
        );
        if self.monthly.is_some() {
            let _ = write!(text, "\n   {}", self.value());
        }
        for gate in &self.gates {
            let _ = write!(text, "\n   {:5}  {:5}  {}", gate.verdict, gate.rule, gate.told());
        }
    }

    /// How the expected value came about (M-1).
    fn value(&self) -> String {
        format!(
            "{} = {:.2} likely × {} × (1 − {:.2} churn) × {:.2} urgency × {:.2} fatigue",
            cash(self.expected_value),
            self.acceptance_probability,
            cash(self.monthly),
            self.churn_risk,
            self.urgency,
            self.fatigue,
        )
    }
}

impl Gate {
    fn told(&self) -> String {
        let detail = if self.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", self.detail)
        };
        let until = self
            .earliest_at
            .map_or(String::new(), |at| format!(", not before {}", time(Some(at))));
        format!("{}{detail}{until}", self.gate)
    }
}
