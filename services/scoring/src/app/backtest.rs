//! Tries a threshold on the history of one portion of the accounts (SG-R5). Nothing is kept.

use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;
use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    domain::{
        backtest::{Answer, Question, Tally, backtest},
        moment::{days_after, days_between},
        signal::Kind,
    },
    store,
};

/// The longest window that any signal looks back, in days.
const LOOK_BACK_DAYS: i32 = 130;

/// A question to history.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestCommand {
    /// What is tried; its changed table is made here.
    pub question: Question,
    /// The threshold to change and its value.
    pub change: Option<(String, f64)>,
    /// Accounts after this one, by id.
    pub after: String,
    /// Accounts of the portion.
    pub size: u64,
}

/// What history says about a portion.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestAnswer {
    /// The tallies.
    pub answer: Answer,
    /// The present value of the threshold.
    pub present_value: Option<f64>,
    /// Accounts of the portion.
    pub accounts: usize,
    /// The last account, where there may be more.
    pub last: Option<String>,
}

impl App {
    /// Looks at a portion of the accounts, by id. Errors: INVALID_ARGUMENT for a threshold that cannot be changed so;
    /// UNAVAILABLE, DEADLINE_EXCEEDED.
    pub async fn backtest(&self, command: BacktestCommand) -> Result<BacktestAnswer, Problem> {
        let BacktestCommand {
            mut question,
            change,
            after,
            size,
        } = command;
        let table = &self.0.rules.thresholds;
        if let Some((key, value)) = &change {
            let changed = table.with(key, *value);
            question.changed = Some(changed.map_err(|fault| Problem::invalid_field("threshold", fault.to_string()))?);
        }
        let now = self.0.clock.now();
        let ids = store::accounts_list_ids(self.0.db.reader(), &after, size).await?;
        let answer = self.backtest_accounts(&ids, question, now).await?;
        Ok(BacktestAnswer {
            answer,
            present_value: change.and_then(|(key, _)| table.get(&key)),
            accounts: ids.len(),
            last: ids.last().filter(|_| ids.len() as u64 >= size).cloned(),
        })
    }

    async fn backtest_accounts(&self, ids: &[String], question: Question, now: Timestamp) -> Result<Answer, Problem> {
        let until = days_after(question.last, 1);
        let days = days_between(question.first, until) + LOOK_BACK_DAYS;
        let mut total = Answer {
            changed: question.changed.as_ref().map(|_| Tally::default()),
            ..Answer::default()
        };
        let question = Arc::new(question);
        for batch in ids.chunks(self.0.batch_size) {
            let mut facts = self.0.ingestion.facts_of(batch.to_vec(), until, days).await?;
            if question.kind == Kind::RenewalClock {
                for (account_id, marks) in store::marks_list(self.0.db.reader(), batch).await? {
                    if let Some(facts) = facts.get_mut(&account_id) {
                        facts.marks = marks;
                    }
                }
            }
            for (account_id, raised) in store::raised_list(self.0.db.reader(), batch).await? {
                if let Some(facts) = facts.get_mut(&account_id) {
                    facts.happenings.extend(raised);
                }
            }
            let (parts, question) = (Arc::clone(&self.0), Arc::clone(&question));
            let work = move || {
                let facts: Vec<_> = facts.into_values().collect();
                let answers = facts
                    .par_iter()
                    .map(|facts| backtest(facts, &question, &parts.rules, now));
                answers.reduce(Answer::default, Answer::plus)
            };
            let answer = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?;
            total = total.plus(answer);
        }
        Ok(total)
    }
}
