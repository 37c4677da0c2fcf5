//! Reminders and escalation of late work (RN-2), and who stands in for whom.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use upswell_runtime::{jobs::Job, problem::Problem};

use super::{App, Once};
use crate::{
    domain::{
        account::{Account, days_before},
        duty::{self, Absence, Notice, Work},
    },
    error::RenewalError,
    store::{self, AbsenceFilter, AbsenceKey, NoticeKey},
};

/// Tasks in one transaction.
const BATCH: u64 = 200;
/// Working days begin on the hour almost everywhere.
const PERIOD: Duration = Duration::from_secs(300);
/// Absences that are known at once; a company has fewer people away.
const ABSENCES: u64 = 10_000;

/// Tells people of late work. Notices have derived ids, so that no replica tells twice.
pub struct Remind {
    app: App,
}

impl Remind {
    /// The job over the use cases.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Job for Remind {
    fn name(&self) -> &'static str {
        "renewals.remind"
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run_once(&self, now: Timestamp) -> Result<usize, Problem> {
        let (mut after, mut told, mut absences) = (String::new(), 0, None);
        // Where a day has begun anywhere, tasks may be due.
        let day = days_before(TimeZone::UTC.to_datetime(now).date(), -1);
        loop {
            let tasks = store::late_tasks_fetch(self.app.db.reader(), day, &after, BATCH).await?;
            let Some(last) = tasks.last() else { return Ok(told) };
            after.clone_from(&last.task_id);
            if absences.is_none() {
                absences = Some(self.app.absent(now).await?);
            }
            let absent = absences.as_deref().unwrap_or_default();
            told += self.app.remind(tasks, absent, now).await?;
        }
    }
}

impl App {
    /// Who is away about now.
    async fn absent(&self, now: Timestamp) -> Result<Vec<Absence>, Problem> {
        let filter = AbsenceFilter {
            person_id: None,
            from_on: Some(days_before(TimeZone::UTC.to_datetime(now).date(), 1)),
        };
        let absences = store::absence_list(self.db.reader(), &filter, None, ABSENCES).await?;
        Ok(absences.into_iter().map(|(_, absence)| absence).collect())
    }

    async fn remind(
        &self,
        tasks: Vec<store::LateTask>,
        absences: &[Absence],
        now: Timestamp,
    ) -> Result<usize, Problem> {
        let ids: BTreeSet<&str> = tasks.iter().map(|task| task.account_id.as_str()).collect();
        let accounts = store::accounts_fetch(self.db.reader(), ids).await?;
        let unknown = Account::unknown();
        let alert = |task: &store::LateTask| {
            let account = accounts.get(&task.account_id).unwrap_or(&unknown);
            let work = Work {
                task_id: &task.task_id,
                kind: &task.kind,
                account_id: &task.account_id,
                assignee_id: &task.assignee_id,
                due_on: task.due_on,
            };
            let country = self.rules.policy.countries.of(&account.country);
            let alert = duty::alert(work, absences, &self.rules.duty, country, account.today(now), now)?;
            Some((task.due_on, alert))
        };
        let alerts: Vec<_> = tasks.iter().filter_map(alert).collect();
        if alerts.is_empty() {
            return Ok(0);
        }
        let tx = self.db.begin().await?;
        let told = store::alerts_save(&tx, &alerts).await?;
        tx.commit().await?;
        Ok(told)
    }

    /// Says that a person is away; `etag` is that of the absence that is replaced, empty for a new one.
    pub async fn set_absence(
        &self,
        once: &Once,
        absence: Absence,
        etag: &str,
        render: fn(Absence) -> Vec<u8>,
    ) -> Result<Vec<u8>, RenewalError> {
        let tx = self.db.begin().await?;
        if let Some(bytes) = once.begin(&tx).await? {
            return Ok(bytes);
        }
        let changed = || RenewalError::Below(Problem::aborted("ETAG_MISMATCH", "the absence was changed meanwhile"));
        let absence = if etag.is_empty() {
            if !store::absence_insert(&tx, &absence).await? {
                return Err(changed());
            }
            absence
        } else {
            let version: i64 = etag.parse().map_err(|_| changed())?;
            let absence = Absence {
                version: version + 1,
                ..absence
            };
            if !store::absence_replace(&tx, &absence, version).await? {
                return Err(changed());
            }
            absence
        };
        let bytes = render(absence);
        once.finish(&tx, &bytes, self.clock.now()).await?;
        tx.commit().await?;
        Ok(bytes)
    }

    /// Takes an absence back.
    pub async fn remove_absence(&self, once: &Once, absence_id: &str, etag: &str) -> Result<Vec<u8>, RenewalError> {
        let tx = self.db.begin().await?;
        if let Some(bytes) = once.begin(&tx).await? {
            return Ok(bytes);
        }
        let missing = || Problem::not_found("ABSENCE_NOT_FOUND", format!("absence {absence_id} does not exist"));
        let absence = store::absence_fetch(&*tx, absence_id).await?.ok_or_else(missing)?;
        if absence.etag() != etag || !store::absence_delete(&tx, absence_id, absence.version).await? {
            return Err(Problem::aborted("ETAG_MISMATCH", "the absence was changed meanwhile").into());
        }
        once.finish(&tx, &[], self.clock.now()).await?;
        tx.commit().await?;
        Ok(Vec::new())
    }

    /// A page of absences by first day.
    pub async fn absences(
        &self,
        filter: &AbsenceFilter,
        after: Option<&AbsenceKey>,
        size: u32,
    ) -> Result<(Vec<Absence>, Option<AbsenceKey>), RenewalError> {
        let rows = store::absence_list(self.db.reader(), filter, after, u64::from(size) + 1).await?;
        Ok(super::lists::page(rows, size))
    }

    /// A page of notices, the newest first.
    pub async fn notices(
        &self,
        person_id: Option<&str>,
        after: Option<&NoticeKey>,
        size: u32,
    ) -> Result<(Vec<Notice>, Option<NoticeKey>), RenewalError> {
        let rows = store::notice_list(self.db.reader(), person_id, after, u64::from(size) + 1).await?;
        Ok(super::lists::page(rows, size))
    }
}
