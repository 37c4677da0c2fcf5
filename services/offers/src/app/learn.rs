//! What the programme learns from its offers: how probable acceptance is (M-1), and whether a playbook does harm (C-15).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use upswell_runtime::{
    db::{Tx, micros},
    ids,
    jobs::Job,
    problem::Problem,
};

use super::App;
use crate::{
    domain::{
        conversion::{Drift, Outcomes},
        delivery::Delivery,
        loyalty::{Harm, ReactionKind, harmful},
        vocabulary::Motion,
    },
    store::{
        entities::{conversion, drift, pause, reaction},
        learning::{self, Spans},
        pauses, word,
    },
};

/// Who pauses a playbook without a person.
const GUARD: &str = "loyalty-guard";
/// Names the job in the store.
pub(crate) const JOB: &str = "learn";
/// How often it looks.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Looks at what became of offers and messages.
pub(crate) struct Learn(pub(crate) Arc<App>);

#[async_trait]
impl Job for Learn {
    fn name(&self) -> &'static str {
        "offers.learn"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(300)
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let due = earlier(now, PAUSE);
        let last = learning::look_fetch(self.0.db.reader(), JOB).await?;
        if last.is_some_and(|last| last > micros(due)) {
            return Ok(0);
        }
        // A year of offers is read before anything is locked.
        let counted = self.0.conversions(now).await?;
        let harms = self.0.harms(now).await?;
        let tx = self.0.db.begin().await?;
        if !learning::look_take(&tx, JOB, due, now).await? {
            return Ok(0);
        }
        let found = self.0.count_conversions(&tx, counted, now).await? + self.0.pause_harmful(&tx, &harms, now).await?;
        tx.commit().await?;
        Ok(found)
    }
}

impl App {
    /// What became of the offers of the last time, as far as nobody can answer them any more.
    async fn conversions(&self, now: Timestamp) -> Result<Vec<conversion::Model>, Problem> {
        let since = earlier(now, SignedDuration::from_hours(24 * self.policy.rules.conversion_days));
        learning::conversions_count(self.db.reader(), since, now).await
    }

    /// Keeps what was counted; a motion that left its band, or came back, is told once. The number of those.
    async fn count_conversions(
        &self,
        tx: &Tx,
        counted: Vec<conversion::Model>,
        now: Timestamp,
    ) -> Result<usize, Problem> {
        let rules = &self.policy.rules;
        let known = learning::drift_list(&**tx).await?;
        let outcomes = learning::outcomes(&counted)?;
        let mut moved = 0;
        for (motion, band) in &rules.conversion {
            let segments = outcomes.get(motion).into_iter().flat_map(BTreeMap::values);
            let all = segments.fold(Outcomes::default(), |sum, one| sum.plus(*one));
            let drift = all.drift(*band, rules.conversion_weight, rules.drift_certainty);
            let before = known.iter().find(|row| row.motion == motion.as_str());
            let before = before.map_or(Ok(Drift::Within), |row| word(&row.drift))?;
            if drift != before {
                self.drifted(tx, *motion, drift, all, now).await?;
                moved += 1;
            }
        }
        learning::conversions_save(tx, counted).await?;
        Ok(moved)
    }

    async fn drifted(
        &self,
        tx: &Tx,
        motion: Motion,
        drift: Drift,
        all: Outcomes,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Outcomes { accepted, refused } = all;
        let note = format!("M-1: {motion} is {drift} its band: {accepted} accepted, {refused} not");
        if drift == Drift::Below {
            tracing::warn!(motion = %motion, accepted, refused, "a motion fell below its band");
        } else {
            tracing::info!(motion = %motion, drift = %drift, accepted, refused, "where a motion stands to its band has changed");
        }
        let row = drift::Model {
            motion: motion.to_string(),
            drift: drift.to_string(),
            since_at: micros(now),
        };
        learning::drift_save(tx, row).await?;
        self.note(tx, note, now).await
    }

    /// The playbooks that do harm and go on.
    async fn harms(&self, now: Timestamp) -> Result<Vec<Harm>, Problem> {
        let (reader, settings) = (self.db.reader(), &self.settings.loyalty);
        // First those that wait: one that a person lets go on meanwhile is not judged by what it was paused for.
        let standing = pauses::paused(reader).await?;
        let spans = Spans {
            now,
            recent: settings.window(),
            before: settings.baseline(),
            heard: settings.heard(),
        };
        let watched = learning::messages_watch(reader, spans).await?;
        let mut found = harmful(&watched, &settings.rules());
        found.retain(|harm| !standing.contains_key(&harm.playbook));
        Ok(found)
    }

    /// Pauses the playbooks that do harm; the number of those.
    async fn pause_harmful(&self, tx: &Tx, harms: &[Harm], now: Timestamp) -> Result<usize, Problem> {
        let standing = pauses::paused(&**tx).await?;
        let mut paused = 0;
        for harm in harms.iter().filter(|harm| !standing.contains_key(&harm.playbook)) {
            let why = harm.told();
            tracing::warn!(
                playbook = harm.playbook,
                reason = why,
                "a playbook did harm and is paused"
            );
            self.pause_in(tx, &harm.playbook, why, GUARD, now).await?;
            paused += 1;
        }
        Ok(paused)
    }

    /// Pauses a playbook and writes that into the log.
    pub(crate) async fn pause_in(
        &self,
        tx: &Tx,
        playbook: &str,
        reason: String,
        by: &str,
        now: Timestamp,
    ) -> Result<pause::Model, Problem> {
        let row = pause::Model {
            pause_id: ids::derive("pause", &[playbook, by, &micros(now).to_string()]),
            playbook: playbook.to_owned(),
            reason,
            paused_by: by.to_owned(),
            paused_at: micros(now),
            resumed_at: None,
            resumed_by: String::new(),
            comment: String::new(),
        };
        pauses::pauses_save(tx, vec![row.clone()]).await?;
        let note = format!("C-15: {playbook} is paused by {by}: {}", row.reason);
        self.note(tx, note, now).await?;
        Ok(row)
    }

    /// Somebody reacted to a message in a way that tells of harm.
    pub(crate) async fn reacted(&self, tx: &Tx, to: &Delivery, kind: ReactionKind) -> Result<(), Problem> {
        let row = reaction::Model {
            reaction_id: format!("{kind}/{}/{}", to.touch_id, to.channel),
            account_id: to.account_id.clone(),
            offer_id: Some(to.offer_id),
            kind: kind.to_string(),
            heard_at: micros(self.clock.now()),
            superseded: false,
        };
        learning::reaction_save(tx, row).await
    }
}

fn earlier(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
