//! What other playbooks or limits would do: on history, or on the present base. Nothing is written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use upswell_runtime::problem::{Problem, Violations};
use uuid::Uuid;

use super::{App, decide::Record};
use crate::{
    domain::{
        decision::{Slot, Timing, decide_slot},
        ledger::{CapPolicy, CapSettings},
        policy::Policy,
        whatif::{Entry, Path, Report, Rules},
    },
    policy,
    store::{
        accounts, decisions,
        entities::{account, decision},
        evidence, from_json, offers,
        pictures::pictures_load,
    },
};

/// Pictures that are held at the same time.
const CHUNK: usize = 50;

/// The rules that are tried.
pub(crate) struct Trial {
    /// None takes the one in force.
    pub(crate) policy: Option<Policy>,
    /// None takes those in force.
    pub(crate) caps: Option<CapPolicy>,
}

/// What came of it, for one page of accounts.
pub(crate) struct Tried {
    pub(crate) report: Report,
    pub(crate) accounts: Vec<account::Model>,
}

impl Trial {
    /// The rules of a request. Errors: every fault of the files, and every limit that is none.
    pub(crate) fn new(
        files: &[(String, String)],
        limits: impl IntoIterator<Item = (String, String)>,
        app: &App,
    ) -> Result<Self, Problem> {
        let mut violations = Violations::new();
        let parsed = (!files.is_empty()).then(|| policy::parse(files));
        let policy = parsed.and_then(|parsed| match parsed {
            Ok(policy) => Some(policy),
            Err(faults) => {
                for fault in faults.faults() {
                    violations.add(format!("files[{}]", fault.file), fault.to_string());
                }
                None
            }
        });
        let caps = violations.at("caps", |violations| caps(&app.settings.caps, limits, violations));
        violations.into_result()?;
        Ok(Self { policy, caps })
    }

    fn rules<'a>(&'a self, app: &'a App) -> Rules<'a> {
        Rules {
            policy: self.policy.as_ref().unwrap_or(&app.policy),
            caps: self.caps.as_ref().unwrap_or(&app.ledger.policy),
            slot_time: app.slot_time,
        }
    }

    /// Version of all of it.
    pub(crate) fn version(&self, app: &App) -> String {
        let Rules { policy, caps, .. } = self.rules(app);
        format!("{}+{}", policy.version, caps.version)
    }
}

/// The limits in force with some changed; none when none is.
fn caps(
    known: &CapSettings,
    limits: impl IntoIterator<Item = (String, String)>,
    violations: &mut Violations,
) -> Option<CapPolicy> {
    let Ok(serde_json::Value::Object(mut table)) = serde_json::to_value(known) else {
        return None;
    };
    let mut changed = false;
    for (key, value) in limits {
        let Some(slot) = table.get_mut(&key) else {
            violations.add(key, "is no limit");
            continue;
        };
        // Lengths are numbers, limits are words.
        *slot = match (slot.is_number(), value.parse::<u32>()) {
            (true, Ok(number)) => number.into(),
            _ => value.into(),
        };
        changed = true;
    }
    if !changed || !violations.is_empty() {
        return None;
    }
    match serde_json::from_value::<CapSettings>(table.into()) {
        Ok(settings) => {
            settings.validate(violations);
            Some(settings.policy())
        }
        Err(fault) => {
            violations.add("", fault.to_string());
            None
        }
    }
}

impl App {
    /// Tries the rules on up to `limit` accounts after `after`: on the decisions of the span, or, without one, on what is
    /// known now.
    pub(crate) async fn simulate(
        &self,
        trial: &Trial,
        span: Option<(Timestamp, Timestamp)>,
        after: &str,
        limit: u64,
    ) -> Result<Tried, Problem> {
        let reader = self.db.reader();
        let accounts = accounts::account_list_after(reader, after, limit).await?;
        let mut report = Report::default();
        match span {
            Some(span) => {
                for account in &accounts {
                    self.relive(trial.rules(self), &account.account_id, span, &mut report)
                        .await?;
                    tokio::task::yield_now().await;
                }
            }
            None => self.try_now(trial.rules(self), &accounts, &mut report).await?,
        }
        Ok(Tried { report, accounts })
    }

    /// One account's history through other rules.
    async fn relive(
        &self,
        rules: Rules<'_>,
        account_id: &str,
        span: (Timestamp, Timestamp),
        report: &mut Report,
    ) -> Result<(), Problem> {
        let reader = self.db.reader();
        let mut path = Path::new(rules);
        for after in (0..).step_by(CHUNK) {
            let rows = decisions::decision_list_between(reader, account_id, span, after as u64, CHUNK as u64).await?;
            let last = rows.len() < CHUNK;
            for entry in self.entries(rows).await? {
                path.step(entry, report);
            }
            if last {
                break;
            }
        }
        path.rest(span.1.min(self.clock.now()), report);
        Ok(())
    }

    /// Decisions with what they knew, but for those of which that is not kept.
    async fn entries(&self, rows: Vec<decision::Model>) -> Result<Vec<Entry>, Problem> {
        let reader = self.db.reader();
        let ids: Vec<Uuid> = rows.iter().map(|row| row.decision_id).collect();
        let kept = evidence::picture_list(reader, &ids).await?.into_iter();
        let mut pictures: BTreeMap<Uuid, String> =
            kept.map(|picture| (picture.decision_id, picture.document)).collect();
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(picture) = pictures.remove(&row.decision_id) else {
                continue;
            };
            let record: Record = from_json(&row.document)?;
            entries.push(Entry {
                picture: from_json(&picture)?,
                offer_id: record.winner_id(),
                touch_id: None,
                was: record.decision,
            });
        }
        let won: Vec<Uuid> = entries.iter().filter_map(|entry| entry.offer_id).collect();
        let touches = offers::offer_touches(reader, &won).await?;
        for entry in &mut entries {
            entry.touch_id = entry.offer_id.and_then(|id| touches.get(&id).copied());
        }
        Ok(entries)
    }

    /// What the present base would get in this slot, by the rules in force and by others.
    async fn try_now(&self, rules: Rules<'_>, accounts: &[account::Model], report: &mut Report) -> Result<(), Problem> {
        let (reader, now) = (self.db.reader(), self.clock.now());
        let slot = Slot {
            at: now,
            timing: Timing::Daily,
        };
        for some in accounts.chunks(CHUNK) {
            let pictures = pictures_load(reader, some.to_vec(), self.settings.holdout.epoch, now).await?;
            for loaded in pictures
                .into_iter()
                .filter(|loaded| loaded.assigned && loaded.part_of.is_none())
            {
                let was = decide_slot(&loaded.picture, &self.policy, &self.ledger.policy, slot);
                let entry = Entry {
                    picture: loaded.picture,
                    offer_id: None,
                    touch_id: None,
                    was,
                };
                Path::new(rules).step(entry, report);
            }
        }
        Ok(())
    }
}
