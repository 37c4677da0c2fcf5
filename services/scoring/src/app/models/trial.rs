//! Gathers what trainings and judgements of scores (SC-6) work on: rows from the history of all accounts, what the rules
//! would have said of them, and the scores as they were told.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use tokio::sync::mpsc;
use upswell_runtime::problem::Problem;

use super::{
    Purpose, State,
    job::{HORIZON, Run},
    last_day,
};
use crate::{
    domain::{
        assess::{Rulebook, rules_at},
        facts::Facts,
        model::{
            chance::spread,
            history::{Day, History, Kind, day_number},
            trial::{Judged, Pair, Trial},
        },
        moment::{Moment, days_after},
    },
    store,
};

/// Days of history that are learnt from.
const DAYS: i32 = 3650;
/// Accounts whose rows are made at once, off the threads that serve.
const PORTION: usize = 200;
/// Days before the last row on which the rules are asked; rows before that are not judged.
const RULE_DAYS: Day = 500;
/// Accounts whose told scores are read at once.
const RECALLED: usize = 20;

impl Run<'_> {
    /// The rows of all accounts, or of a sample of them; `None` when it was told to stop.
    pub(super) async fn gather(&mut self) -> Result<Option<Trial>, Problem> {
        let until = last_day(self.now);
        let share = self.share().await?;
        let (out, mut accounts) = mpsc::channel(PORTION);
        let ingestion = self.app.0.ingestion.clone();
        let reading = tokio::spawn(async move { ingestion.all_facts(until, DAYS, out).await });
        let rules = (self.training.purpose == Purpose::Backtest).then(|| Arc::new(self.app.0.rules.clone()));
        let (mut trial, mut taken, mut open) = (Trial::default(), 0, true);
        while open {
            let mut portion: Vec<(String, Facts)> = Vec::new();
            while portion.len() < PORTION {
                let Some((account_id, facts)) = accounts.recv().await else {
                    open = false;
                    break;
                };
                if spread(&account_id) <= share {
                    portion.push((account_id, facts));
                }
            }
            taken += portion.len();
            trial = rows(trial, portion, until, rules.clone()).await?;
            if !self.goes_on(0, format!("read the history of {taken} accounts")).await? {
                return Ok(None);
            }
        }
        reading.await.map_err(Problem::internal)??;
        Ok(Some(trial))
    }

    /// Accounts up to this number of their id are learnt from.
    async fn share(&self) -> Result<u64, Problem> {
        let all = store::accounts_count(self.app.0.db.reader()).await?;
        let most = u64::from(self.app.0.settings.accounts);
        Ok(if all <= most { u64::MAX } else { u64::MAX / all * most })
    }

    /// Sets the scores as they were told beside the judged rows.
    pub(super) async fn recall(&mut self, trial: &mut Trial) -> Result<(), Problem> {
        let mut rows: BTreeMap<String, Vec<(usize, Day)>> = BTreeMap::new();
        let mut last = 0;
        for (row, account_id, day) in trial.judged_rows(HORIZON) {
            rows.entry(account_id.to_owned()).or_default().push((row, day));
            last = last.max(day);
        }
        let ids: Vec<String> = rows.keys().cloned().collect();
        for chunk in ids.chunks(RECALLED) {
            let told = store::history_told(self.app.0.db.reader(), chunk, stood_at(last)).await?;
            let mut by_account: BTreeMap<String, Vec<(Timestamp, Pair)>> = BTreeMap::new();
            for (account_id, at, pair) in told {
                by_account.entry(account_id).or_default().push((at, pair));
            }
            for (account_id, told) in by_account {
                for (row, day) in rows.get(&account_id).into_iter().flatten() {
                    let end = told.partition_point(|(at, _)| *at <= stood_at(*day));
                    if let Some((_, pair)) = end.checked_sub(1).and_then(|last| told.get(last)) {
                        trial.tell(*row, *pair);
                    }
                }
            }
        }
        Ok(())
    }

    /// Judges one kind; `None` when it was told to stop.
    pub(super) async fn judge(&mut self, kind: Kind, trial: Arc<Trial>) -> Result<Option<Judged>, Problem> {
        let options = self.options();
        self.compute(kind, move |told| trial.judge(kind, &options, told)).await
    }

    /// Keeps what was found.
    pub(super) async fn conclude(&mut self, judged: Vec<Judged>) -> Result<(), Problem> {
        let is_refused = judged.iter().all(|judged| !judged.refusal.is_empty());
        self.training.detail = judged
            .iter()
            .map(|judged| match judged.refusal.as_str() {
                "" => format!("{}: judged", judged.kind.as_str()),
                refusal => format!("{}: {refusal}", judged.kind.as_str()),
            })
            .collect::<Vec<_>>()
            .join("; ");
        self.training.state = if is_refused { State::Failed } else { State::Done };
        self.training.result = judged;
        self.training.ended_at = Some(self.app.0.clock.now());
        let seen = std::mem::take(&mut self.training.lease_until);
        let tx = self.app.0.db.begin().await?;
        if store::training_update(&tx, &self.training, seen).await? {
            tx.commit().await?;
        }
        Ok(())
    }
}

/// The score that stood then counts for a row: noon after its day.
fn stood_at(day: Day) -> Timestamp {
    Timestamp::from_second((i64::from(day) + 1) * 86_400 + 43_200).unwrap_or(Timestamp::MAX)
}

async fn rows(
    mut trial: Trial,
    portion: Vec<(String, Facts)>,
    until: Date,
    rules: Option<Arc<Rulebook>>,
) -> Result<Trial, Problem> {
    let work = move || {
        let last = day_number(until);
        for (account_id, facts) in portion {
            let history = History::of(&account_id, &facts);
            let said = |day: Day| {
                let rules = rules.as_ref().filter(|_| day > last - HORIZON - RULE_DAYS);
                rules.map_or([f64::NAN; 2], |rules| by_rules(&facts, day, rules))
            };
            trial.take(&history, HORIZON, last, said);
        }
        trial
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

/// What the rules would have said in the night after `day`.
fn by_rules(facts: &Facts, day: Day, rules: &Rulebook) -> Pair {
    let zone = facts.time_zone();
    let next = days_after(Date::constant(1970, 1, 1), day.saturating_add(1));
    let night = zone.to_timestamp(next.to_datetime(Time::constant(1, 0, 0, 0)));
    let night = night.unwrap_or_else(|_| {
        TimeZone::UTC
            .to_timestamp(next.to_datetime(Time::midnight()))
            .unwrap_or(Timestamp::MIN)
    });
    let said = rules_at(facts, &Moment::at(night, &zone), rules);
    [said.churn_risk, said.expansion_propensity]
}
