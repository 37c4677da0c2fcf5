//! Scores a batch of accounts: ask ingestion → begin → load → decide → write → commit.
//!
//! The change versions are read before the facts are asked for, so the facts are at least as new as the version that
//! is cleared. A batch that another scorer overtook writes nothing for the accounts that have a newer score.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use upswell_runtime::{
    db::Tx,
    outbox::{self, NewEvent},
    problem::Problem,
};

use super::App;
use crate::{
    NAME,
    api::events,
    domain::{
        assess::{Assessment, Known, assess},
        facts::Facts,
        moment::{Moment, days_before},
        score::{PastHealth, Score},
        signal::Signal,
    },
    store::{self, Account, Scored},
};

/// What a batch leaves to write.
#[derive(Default)]
struct Plan {
    scores: Vec<Score>,
    signals: Vec<Signal>,
    events: Vec<NewEvent>,
    scored: Vec<Scored>,
}

impl App {
    /// Scores `accounts` at `now`, batch by batch; how many of them have facts. Errors: UNAVAILABLE and
    /// DEADLINE_EXCEEDED of ingestion or the store; batches before it are kept.
    pub(super) async fn score(&self, accounts: &[Account], now: Timestamp) -> Result<usize, Problem> {
        let mut scored = 0;
        for batch in accounts.chunks(self.0.batch_size) {
            scored += self.score_batch(batch, now).await?;
        }
        Ok(scored)
    }

    #[tracing::instrument(name = "scoring.score_batch", skip_all, fields(upswell.service = NAME, account.count = accounts.len()))]
    async fn score_batch(&self, accounts: &[Account], now: Timestamp) -> Result<usize, Problem> {
        let ids: Vec<String> = accounts.iter().map(|account| account.account_id.clone()).collect();
        let mut facts = self.0.ingestion.facts(ids.clone(), now).await?;
        let tx = self.0.db.begin().await?;
        let mut newer = BTreeMap::new();
        for row in store::accounts_fetch_for_update(&*tx, &ids).await? {
            newer.insert(row.account_id, row.scored_version);
        }
        for (account_id, marks) in store::marks_list(&*tx, &ids).await? {
            if let Some(facts) = facts.get_mut(&account_id) {
                facts.marks = marks;
            }
        }
        let mut known = known_load(&tx, &ids, now).await?;
        let mut plan = Plan::default();
        for account in accounts {
            let is_overtaken = newer
                .get(&account.account_id)
                .is_some_and(|version| *version > account.change_version);
            if !is_overtaken {
                let known = known.remove(&account.account_id).unwrap_or_default();
                self.plan_account(account, facts.get(&account.account_id), known, now, &mut plan);
            }
        }
        let scored = plan.scores.len();
        self.write(&tx, plan).await?;
        tx.commit().await?;
        Ok(scored)
    }

    /// Decides about one account in a span of its own, which continues the trace of the change behind it.
    fn plan_account(&self, account: &Account, facts: Option<&Facts>, known: Loaded, now: Timestamp, plan: &mut Plan) {
        let account_id = account.account_id.as_str();
        let span = tracing::info_span!(
            "scoring.score_account",
            upswell.service = NAME,
            account.id = account_id,
            signal.changes = tracing::field::Empty,
        );
        account.trace.adopt(&span, self.0.trace_mode);
        let _entered = span.enter();
        let zone = facts.map_or(TimeZone::UTC, Facts::time_zone);
        let moment = Moment::at(now, &zone);
        let due_at = moment.next_day_at(self.0.refresh_hour);
        plan.scored.push(Scored {
            account_id: account_id.to_owned(),
            version: account.change_version,
            due_at,
        });
        let Some(facts) = facts else {
            tracing::debug!(account.id = account_id, "ingestion does not know the account");
            return;
        };
        let assessment = assess(account_id, facts, &known.at(&moment), now, &self.0.rules);
        span.record(
            "signal.changes",
            assessment.steps.iter().filter(|step| step.change.is_some()).count(),
        );
        plan.take(assessment, now);
    }

    async fn write(&self, tx: &Tx, plan: Plan) -> Result<(), Problem> {
        let Plan {
            scores,
            signals,
            events,
            scored,
        } = plan;
        store::scores_upsert(tx, &scores).await?;
        store::past_health_upsert(tx, &scores).await?;
        store::signals_upsert(tx, &signals).await?;
        store::accounts_mark_scored(tx, &scored).await?;
        outbox::append(tx, NAME, &self.0.topics, events).await
    }
}

impl Plan {
    /// The score goes out before the signals, so that a receiver has it when it decides about them.
    fn take(&mut self, assessment: Assessment, now: Timestamp) {
        let Assessment { score, is_new, steps } = assessment;
        if is_new {
            self.events.push(events::score_changed(&score, now));
        }
        for step in steps {
            if step.change.is_some() {
                self.events.push(events::signal_changed(&step.signal, now));
            }
            self.signals.push(step.signal);
        }
        self.scores.push(score);
    }
}

/// What the store knows of one account.
#[derive(Default)]
struct Loaded {
    signals: Vec<Signal>,
    score: Option<Score>,
    /// The newest first.
    past: Vec<PastHealth>,
}

impl Loaded {
    /// A week ago is the newest day at least a week, and less than two, before the last complete day.
    fn at(self, moment: &Moment) -> Known {
        let (oldest, newest) = (days_before(moment.as_of, 13), days_before(moment.as_of, 7));
        let week_ago = self
            .past
            .into_iter()
            .find(|past| oldest <= past.day && past.day <= newest);
        Known {
            signals: self.signals,
            score: self.score,
            week_ago,
        }
    }
}

async fn known_load(tx: &Tx, ids: &[String], now: Timestamp) -> Result<BTreeMap<String, Loaded>, Problem> {
    let mut known: BTreeMap<String, Loaded> = BTreeMap::new();
    for signal in store::signals_list_newest(&**tx, ids).await? {
        known.entry(signal.account_id.clone()).or_default().signals.push(signal);
    }
    for score in store::scores_fetch(&**tx, ids).await? {
        let loaded = known.entry(score.account_id.clone()).or_default();
        loaded.score = Some(score);
    }
    // Wide enough for the calendars of all time zones.
    let today = TimeZone::UTC.to_datetime(now).date();
    for (account_id, past) in store::past_health_list(&**tx, ids, days_before(today, 15), days_before(today, 6)).await?
    {
        known.entry(account_id).or_default().past.push(past);
    }
    Ok(known)
}
