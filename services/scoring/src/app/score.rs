//! Scores accounts in batches: ask ingestion → look (on all cores, no transaction) → begin → load → conclude → write →
//! commit. Several batches are under way at once, so that one waits for facts while another computes; how many bounds the
//! memory. A batch is one transaction of multi-row statements, never one per account.
//!
//! The change versions are read before the facts are asked for, so the facts are at least as new as the version that
//! is cleared. A batch that another scorer overtook writes nothing for the accounts that have a newer score.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use rayon::prelude::*;
use tokio::task::JoinSet;
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
        assess::{Assessment, Known, Looked, Rulebook, conclude, look},
        detect::wants_season,
        facts::Facts,
        lifecycle::{Step, withdraw},
        model::history::LOOK_BACK,
        moment::{Moment, days_before},
        score::{PastHealth, Score},
        signal::Signal,
        stage::Tier,
    },
    store::{self, Account, Scored},
};

/// What a batch leaves to write.
#[derive(Default)]
struct Plan {
    scores: Vec<Score>,
    signals: Vec<Signal>,
    moved: Vec<Score>,
    events: Vec<NewEvent>,
    scored: Vec<Scored>,
}

impl App {
    /// Scores `accounts` at `now`; how many of them have facts. Errors: UNAVAILABLE and DEADLINE_EXCEEDED of ingestion or
    /// the store; batches that were done are kept.
    pub(super) async fn score(&self, accounts: Vec<Account>, now: Timestamp) -> Result<usize, Problem> {
        let mut waiting = accounts.chunks(self.0.batch_size).map(<[Account]>::to_vec);
        let mut running: JoinSet<Result<usize, Problem>> = JoinSet::new();
        let mut scored = 0;
        let span = tracing::Span::current();
        let rules = self.rulebook().await?;
        loop {
            while running.len() < self.0.parallel_batches {
                let Some(batch) = waiting.next() else { break };
                let (app, rules) = (self.clone(), Arc::clone(&rules));
                running.spawn(tracing::Instrument::instrument(
                    async move { app.score_batch(batch, now, rules).await },
                    span.clone(),
                ));
            }
            match running.join_next().await {
                Some(done) => scored += done.map_err(Problem::internal)??,
                None => return Ok(scored),
            }
        }
    }

    #[tracing::instrument(name = "scoring.score_batch", skip_all, fields(upswell.service = NAME, account.count = accounts.len()))]
    async fn score_batch(
        &self,
        accounts: Vec<Account>,
        now: Timestamp,
        rules: Arc<Rulebook>,
    ) -> Result<usize, Problem> {
        let ids: Vec<String> = accounts.iter().map(|account| account.account_id.clone()).collect();
        let least_days = if rules.champions.need_history() {
            // Up to tomorrow, and a day for the time zone.
            LOOK_BACK + 3
        } else {
            0
        };
        let mut facts = self.0.ingestion.facts(ids.clone(), now, least_days).await?;
        for (account_id, marks) in store::marks_list(self.0.db.reader(), &ids).await? {
            if let Some(facts) = facts.get_mut(&account_id) {
                facts.marks = marks;
            }
        }
        for (account_id, raised) in store::raised_list(self.0.db.reader(), &ids).await? {
            if let Some(facts) = facts.get_mut(&account_id) {
                facts.happenings.extend(raised);
            }
        }
        let mut looked = look_at(facts, now, Arc::clone(&rules)).await?;
        self.set_beside_last_year(&mut looked, now, &rules).await?;
        self.conclude_batch(&accounts, &ids, looked, now, &rules).await
    }

    /// Asks for the same weeks a year earlier where they could speak against a signal, and looks again.
    async fn set_beside_last_year(
        &self,
        looked: &mut Pictures,
        now: Timestamp,
        rules: &Rulebook,
    ) -> Result<(), Problem> {
        let asks = |(account_id, (facts, looked)): (&String, &(Facts, Looked))| {
            wants_season(facts, &looked.seen).then(|| account_id.clone())
        };
        let ids: Vec<String> = looked.iter().filter_map(asks).collect();
        if ids.is_empty() {
            return Ok(());
        }
        for (account_id, earlier) in self.0.ingestion.usage_a_year_ago(ids, now).await? {
            if let Some((facts, seen)) = looked.get_mut(&account_id) {
                facts.extend_usage(earlier);
                *seen = look(facts, now, rules);
            }
        }
        Ok(())
    }

    async fn conclude_batch(
        &self,
        accounts: &[Account],
        ids: &[String],
        mut looked: Pictures,
        now: Timestamp,
        rules: &Rulebook,
    ) -> Result<usize, Problem> {
        let tx = self.0.db.begin().await?;
        let mut newer = BTreeMap::new();
        for row in store::accounts_fetch_for_update(&*tx, ids).await? {
            newer.insert(row.account_id, row.scored_version);
        }
        let mut known = known_load(&tx, ids, now).await?;
        let mut plan = Plan::default();
        for account in accounts {
            let is_overtaken = newer
                .get(&account.account_id)
                .is_some_and(|version| *version > account.change_version);
            if !is_overtaken {
                let known = known.remove(&account.account_id).unwrap_or_default();
                let picture = looked.remove(&account.account_id);
                self.plan_account(account, picture, known, (now, rules), &mut plan);
            }
        }
        let scored = plan.scores.len();
        self.write(&tx, plan).await?;
        tx.commit().await?;
        Ok(scored)
    }

    /// Decides about one account in a span of its own, which continues the trace of the change behind it.
    fn plan_account(
        &self,
        account: &Account,
        picture: Option<(Facts, Looked)>,
        known: Loaded,
        (now, rules): (Timestamp, &Rulebook),
        plan: &mut Plan,
    ) {
        let account_id = account.account_id.as_str();
        let span = tracing::info_span!(
            "scoring.score_account",
            upswell.service = NAME,
            account.id = account_id,
            signal.changes = tracing::field::Empty,
        );
        account.trace.adopt(&span, self.0.trace_mode);
        let _entered = span.enter();
        let moment = picture
            .as_ref()
            .map_or_else(|| Moment::at(now, &TimeZone::UTC), |(_, looked)| looked.moment.clone());
        let due_at = moment.next_day_at(self.0.refresh_hour);
        plan.scored.push(Scored {
            account_id: account_id.to_owned(),
            version: account.change_version,
            due_at,
        });
        let Some((facts, looked)) = picture else {
            // It never was, or its facts count for the account that it was merged into.
            tracing::debug!(account.id = account_id, "ingestion does not know the account");
            let steps = known.signals.iter().filter_map(|signal| withdraw(signal, now));
            plan.take_steps(steps.collect(), now);
            return;
        };
        let assessment = conclude(account_id, &facts, looked, &known.at(&moment), rules);
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
            moved,
            events,
            scored,
        } = plan;
        store::scores_upsert(tx, &scores).await?;
        store::past_health_upsert(tx, &scores).await?;
        store::history_upsert(tx, &moved).await?;
        store::signals_upsert(tx, &signals).await?;
        store::accounts_mark_scored(tx, &scored).await?;
        outbox::append(tx, NAME, &self.0.topics, events).await
    }
}

/// Looks at all facts on the cores that are there.
async fn look_at(facts: BTreeMap<String, Facts>, now: Timestamp, rules: Arc<Rulebook>) -> Result<Pictures, Problem> {
    let work = move || {
        let facts: Vec<_> = facts.into_iter().collect();
        let seen = facts.into_par_iter().map(|(account_id, facts)| {
            let looked = look(&facts, now, &rules);
            (account_id, (facts, looked))
        });
        seen.collect::<Vec<_>>().into_iter().collect()
    };
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

impl Plan {
    /// The score goes out before the signals, so that a receiver has it when it decides about them.
    fn take(&mut self, assessment: Assessment, now: Timestamp) {
        let Assessment {
            score,
            is_new,
            has_moved,
            steps,
        } = assessment;
        if is_new {
            self.events.push(events::score_changed(&score, now));
        }
        self.take_steps(steps, now);
        if has_moved {
            self.moved.push(score.clone());
        }
        self.scores.push(score);
    }
}

impl Plan {
    fn take_steps(&mut self, steps: Vec<Step>, now: Timestamp) {
        for step in steps {
            if step.change.is_some() {
                self.events.push(events::signal_changed(&step.signal, now));
            }
            self.signals.push(step.signal);
        }
    }
}

/// What the store knows of one account.
#[derive(Default)]
struct Loaded {
    signals: Vec<Signal>,
    score: Option<Score>,
    /// The newest first.
    past: Vec<PastHealth>,
    /// By the weekly computation.
    tier: Option<Tier>,
}

/// The facts of each account and what was seen in them.
type Pictures = BTreeMap<String, (Facts, Looked)>;

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
            tier: self.tier,
        }
    }
}

async fn known_load(tx: &Tx, ids: &[String], now: Timestamp) -> Result<BTreeMap<String, Loaded>, Problem> {
    let mut known: BTreeMap<String, Loaded> = BTreeMap::new();
    for signal in store::signals_list_newest(&**tx, ids).await? {
        known.entry(signal.account_id.clone()).or_default().signals.push(signal);
    }
    for (score, tier) in store::scores_fetch_told(&**tx, ids).await? {
        let loaded = known.entry(score.account_id.clone()).or_default();
        (loaded.score, loaded.tier) = (Some(score), tier);
    }
    // Wide enough for the calendars of all time zones.
    let today = TimeZone::UTC.to_datetime(now).date();
    for (account_id, past) in store::past_health_list(&**tx, ids, days_before(today, 15), days_before(today, 6)).await?
    {
        known.entry(account_id).or_default().past.push(past);
    }
    Ok(known)
}
