//! Deals, tasks, marks and versions between rows and the domain.

use serde::{Deserialize, Serialize};
use upswell_runtime::{
    db::{epoch_day, from_epoch_day, from_micros, micros},
    money::{Currency, Money},
    problem::Problem,
};
use uuid::Uuid;

use super::entities::{deal, mark, task, version};
use crate::domain::{
    contract::Version,
    deal::{Deal, LossReason, StageEntry},
    mark::Mark,
    renewal::Renewal,
    task::Task,
};

#[derive(Serialize, Deserialize)]
struct Entry {
    stage: String,
    entered_at: i64,
    actor: String,
}

#[derive(Serialize, Deserialize)]
struct Loss {
    category: String,
    detail: String,
    competitor: String,
}

pub(super) fn deal_row(renewal: &Renewal, deal: &Deal) -> Result<deal::Model, Problem> {
    let entry = |entry: &StageEntry| Entry {
        stage: entry.stage.to_string(),
        entered_at: micros(entry.entered_at),
        actor: entry.actor.clone(),
    };
    let loss = |reason: &LossReason| Loss {
        category: reason.category.to_string(),
        detail: reason.detail.clone(),
        competitor: reason.competitor.clone(),
    };
    Ok(deal::Model {
        deal_id: deal.deal_id.to_string(),
        number: deal.number,
        subscription_id: renewal.subscription_id.clone(),
        account_id: renewal.account_id.clone(),
        renewal_on: epoch_day(deal.renewal_on),
        term_from_on: epoch_day(deal.term_from),
        known_on: epoch_day(deal.known_on),
        stage: deal.stage.to_string(),
        stage_at: micros(deal.stage_at),
        owner_id: deal.owner_id.clone(),
        mrr_minor: deal.mrr.minor,
        at_risk_minor: deal.at_risk.minor,
        currency: deal.mrr.currency.to_string(),
        loss: deal.loss.as_ref().map(|reason| json(&loss(reason))).transpose()?,
        history: json(&deal.history.iter().map(entry).collect::<Vec<_>>())?,
        version: deal.version,
        closed: !deal.is_open(),
    })
}

pub(super) fn read_deal(row: &deal::Model) -> Result<Deal, Problem> {
    let currency: Currency = row.currency.parse().map_err(Problem::internal)?;
    let entry = |entry: Entry| {
        let Entry {
            stage,
            entered_at,
            actor,
        } = entry;
        Ok(StageEntry {
            stage: word(&stage)?,
            entered_at: from_micros(entered_at),
            actor,
        })
    };
    let loss = |text: &String| {
        let Loss {
            category,
            detail,
            competitor,
        } = from_json(text)?;
        Ok::<_, Problem>(LossReason {
            category: word(&category)?,
            detail,
            competitor,
        })
    };
    let history: Vec<Entry> = from_json(&row.history)?;
    Ok(Deal {
        deal_id: id(&row.deal_id)?,
        number: row.number,
        renewal_on: from_epoch_day(row.renewal_on),
        term_from: from_epoch_day(row.term_from_on),
        known_on: from_epoch_day(row.known_on),
        stage: word(&row.stage)?,
        stage_at: from_micros(row.stage_at),
        owner_id: row.owner_id.clone(),
        mrr: Money::new(row.mrr_minor, currency),
        at_risk: Money::new(row.at_risk_minor, currency),
        loss: row.loss.as_ref().map(loss).transpose()?,
        history: history.into_iter().map(entry).collect::<Result<_, Problem>>()?,
        version: row.version,
    })
}

pub(super) fn task_row(renewal: &Renewal, task: &Task) -> task::Model {
    let Task {
        task_id,
        deal_id,
        kind,
        assignee_id,
        due_on,
        state,
        completed_at,
    } = task;
    task::Model {
        task_id: task_id.to_string(),
        deal_id: deal_id.to_string(),
        account_id: renewal.account_id.clone(),
        kind: kind.to_string(),
        assignee_id: assignee_id.clone(),
        due_on: epoch_day(*due_on),
        state: state.to_string(),
        closed: !task.is_live(),
        completed_at: completed_at.map(micros),
    }
}

pub(super) fn read_task(row: task::Model) -> Result<Task, Problem> {
    Ok(Task {
        task_id: id(&row.task_id)?,
        deal_id: id(&row.deal_id)?,
        kind: word(&row.kind)?,
        assignee_id: row.assignee_id,
        due_on: from_epoch_day(row.due_on),
        state: word(&row.state)?,
        completed_at: row.completed_at.map(from_micros),
    })
}

pub(super) fn mark_row(mark: &Mark) -> mark::Model {
    let Mark {
        deal_id,
        renewal_on,
        mark_days,
        reached_on,
    } = mark;
    mark::Model {
        deal_id: deal_id.to_string(),
        renewal_on: epoch_day(*renewal_on),
        mark_days: *mark_days,
        reached_on: epoch_day(*reached_on),
    }
}

pub(super) fn read_mark(row: &mark::Model) -> Result<Mark, Problem> {
    Ok(Mark {
        deal_id: id(&row.deal_id)?,
        renewal_on: from_epoch_day(row.renewal_on),
        mark_days: row.mark_days,
        reached_on: from_epoch_day(row.reached_on),
    })
}

pub(super) fn read_version(row: version::Model) -> Result<Version, Problem> {
    Ok(Version {
        version_id: row.version_id,
        effective_on: from_epoch_day(row.effective_on),
        end_on: row.end_on.map(from_epoch_day),
        renewal_on: from_epoch_day(row.renewal_on),
        mrr: Money::new(row.mrr_minor, row.currency.parse().map_err(Problem::internal)?),
        occurred_at: from_micros(row.occurred_at),
        superseded: row.superseded,
    })
}

fn id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(Problem::internal)
}

/// A stored word. A fault means that the row was not written by this code.
fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(Problem::internal)
}

fn json<T: Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::internal)
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}
