//! The work queue of customer success and sales (T-2): offers that people make, ranked by what ends soon and what is worth
//! most.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upswell_runtime::{db::Tx, money::Money, problem::Problem};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{
        offer::Offer,
        order::Order,
        task::{Marks, TaskFault, TaskOutcome, TaskState, is_urgent, rank},
        vocabulary::Channel,
    },
    error::OfferError,
    store::{accounts, offers, tasks},
};

/// Open tasks that are ranked; more than people can do.
const QUEUE: u64 = 5_000;
/// Accounts asked for at once.
const ACCOUNTS: usize = 500;
/// Lines of a digest.
const LINES: usize = 10;

/// A task with what was done with it.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) offer: Offer,
    pub(crate) marks: Marks,
    pub(crate) task_id: Uuid,
    /// Whose it is; empty where nobody is in charge.
    pub(crate) assignee: String,
}

/// What of the queue is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Empty means of all.
    pub(crate) assignee: String,
    /// None means both.
    pub(crate) channel: Option<Channel>,
    pub(crate) with_snoozed: bool,
}

/// Somebody's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) open: usize,
    pub(crate) urgent: usize,
    /// By currency.
    pub(crate) values: Vec<Money>,
    pub(crate) text: String,
}

/// What a person does with a task.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Claim,
    Snooze(Timestamp),
    Complete {
        outcome: TaskOutcome,
        /// Close reason of a refusal.
        reason: String,
        comment: String,
    },
}

impl App {
    /// The open tasks at `now`, the first first, with their rank.
    pub(crate) async fn task_queue(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<(i64, Work)>, Problem> {
        let reader = self.db.reader();
        let both = [Channel::CsmTask, Channel::SalesTask];
        let channels = wanted.channel.as_ref().map_or(both.as_slice(), std::slice::from_ref);
        let open = offers::offer_list_of_tasks(reader, channels, QUEUE).await?;
        let ids: Vec<Uuid> = open.iter().filter_map(|offer| offer.touch_id).collect();
        let mut marked: BTreeMap<Uuid, Marks> = tasks::task_list(reader, &ids).await?.into_iter().collect();
        let owners = self.csms(&open).await?;
        let mut queue = Vec::new();
        for offer in open {
            let Some(task_id) = offer.touch_id else { continue };
            let marks = marked.remove(&task_id);
            let work = Work {
                assignee: assignee(&offer, owners.get(&offer.account_id)),
                marks: marks.unwrap_or_default(),
                task_id,
                offer,
            };
            if work.is_wanted(wanted, now) {
                queue.push((rank(&work.offer, now), work));
            }
        }
        queue.sort_by(|(a, left), (b, right)| b.cmp(a).then(left.task_id.cmp(&right.task_id)));
        Ok(queue)
    }

    /// The CSM of each account, by account.
    async fn csms(&self, offers: &[Offer]) -> Result<BTreeMap<String, String>, Problem> {
        let ids: BTreeSet<&String> = offers.iter().map(|offer| &offer.account_id).collect();
        let ids: Vec<String> = ids.into_iter().cloned().collect();
        let mut csms = BTreeMap::new();
        for some in ids.chunks(ACCOUNTS) {
            let known = accounts::accounts_fetch(self.db.reader(), some).await?;
            csms.extend(known.into_iter().map(|account| (account.account_id, account.csm_id)));
        }
        Ok(csms)
    }

    /// One task.
    pub(crate) async fn task(&self, task_id: Uuid) -> Result<Work, OfferError> {
        let missing = || OfferError::TaskNotFound(task_id.to_string());
        let reader = self.db.reader();
        let offer = offers::offer_fetch_by_touch(reader, task_id)
            .await?
            .ok_or_else(missing)?;
        if !offer.channel.is_task() || offer.sent_at.is_none() {
            return Err(missing());
        }
        let marks = tasks::task_fetch(reader, task_id).await?;
        self.work(offer, marks, task_id).await
    }

    /// `actor` works on a task.
    pub(crate) async fn task_do(
        &self,
        tx: &Tx,
        task_id: Uuid,
        etag: &str,
        actor: &str,
        deed: Deed,
    ) -> Result<(Work, Option<Order>), OfferError> {
        let account_id = self.task(task_id).await?.offer.account_id;
        accounts::account_lock(tx, &account_id).await?;
        let missing = || OfferError::TaskNotFound(task_id.to_string());
        let mut offer = offers::offer_fetch_by_touch(&**tx, task_id)
            .await?
            .ok_or_else(missing)?;
        let mut marks = tasks::task_fetch(&**tx, task_id).await?;
        if etag != marks.version.to_string() {
            return Err(OfferError::Changed("the task"));
        }
        let now = self.clock.now();
        let mut order = None;
        match deed {
            Deed::Claim => marks.claim(&offer, actor)?,
            Deed::Snooze(until) => marks.snooze(&offer, actor, until)?,
            Deed::Complete {
                outcome,
                reason,
                comment,
            } => {
                marks.complete(&offer, actor, outcome, &comment, now)?;
                match outcome {
                    TaskOutcome::Accepted => (offer, order) = self.accept(tx, offer.id, now).await?,
                    TaskOutcome::Declined => offer = self.decline(tx, offer.id, reason).await?,
                    TaskOutcome::Talked | TaskOutcome::NotReached => {}
                }
            }
        }
        tasks::task_save(tx, task_id, offer.id, &offer.account_id, &mut marks).await?;
        Ok((self.work(offer, marks, task_id).await?, order))
    }

    /// The day of one person (T-2).
    pub(crate) async fn task_digest(&self, assignee: &str, now: Timestamp) -> Result<Digest, Problem> {
        let wanted = Wanted {
            assignee: assignee.to_owned(),
            ..Wanted::default()
        };
        let queue: Vec<Work> = self
            .task_queue(&wanted, now)
            .await?
            .into_iter()
            .map(|(_, work)| work)
            .collect();
        let urgent = queue.iter().filter(|work| is_urgent(&work.offer, now)).count();
        let mut values: Vec<Money> = Vec::new();
        for value in queue.iter().filter_map(|work| work.offer.expected_value) {
            match values.iter_mut().find(|sum| sum.currency == value.currency) {
                Some(sum) => *sum = sum.checked_add(value).map_err(Problem::internal)?,
                None => values.push(value),
            }
        }
        values.sort_by_key(|value| value.currency.to_string());
        let mut text = format!("{} open, {urgent} of them end within two days", queue.len());
        for value in &values {
            text = format!(
                "{text}; {} a month expected",
                crate::domain::message::Language::English.money(*value)
            );
        }
        for (index, work) in queue.iter().take(LINES).enumerate() {
            text = format!("{text}\n{}. {}", index + 1, work.line());
        }
        Ok(Digest {
            open: queue.len(),
            urgent,
            values,
            text,
        })
    }

    async fn work(&self, offer: Offer, marks: Marks, task_id: Uuid) -> Result<Work, OfferError> {
        let account = accounts::account_fetch(self.db.reader(), &offer.account_id).await?;
        let csm = account.map(|account| account.csm_id);
        Ok(Work {
            assignee: assignee(&offer, csm.as_ref()),
            offer,
            marks,
            task_id,
        })
    }
}

/// A task of customer success is the account's CSM's; who of sales takes one is not known before.
fn assignee(offer: &Offer, csm: Option<&String>) -> String {
    let csm = csm.filter(|_| offer.channel == Channel::CsmTask);
    csm.cloned().unwrap_or_default()
}

impl Work {
    /// Where it stands.
    pub(crate) fn state(&self) -> TaskState {
        self.marks.state(&self.offer)
    }

    fn is_wanted(&self, wanted: &Wanted, now: Timestamp) -> bool {
        let open = matches!(self.state(), TaskState::Open | TaskState::Claimed);
        let mine = |name: &str| name.is_empty() || name == wanted.assignee;
        let owner = if self.marks.claimed_by.is_empty() {
            &self.assignee
        } else {
            &self.marks.claimed_by
        };
        let stands = self.offer.open_until().is_none_or(|until| now <= until);
        open && stands
            && (wanted.assignee.is_empty() || mine(owner))
            && (wanted.with_snoozed || !self.marks.is_snoozed(now))
    }

    fn line(&self) -> String {
        let subject = self
            .offer
            .message
            .as_ref()
            .map_or("", |message| message.subject.as_str());
        let value = self.offer.expected_value.map_or_else(String::new, |value| {
            format!(", {} a month", crate::domain::message::Language::English.money(value))
        });
        let ends = self.offer.open_until().map_or_else(String::new, |until| {
            format!(", until {}", until.to_zoned(jiff::tz::TimeZone::UTC).date())
        });
        format!("{}: {subject}{value}{ends}", self.offer.account_id)
    }
}

impl From<TaskFault> for OfferError {
    fn from(fault: TaskFault) -> Self {
        Self::Task(fault)
    }
}
