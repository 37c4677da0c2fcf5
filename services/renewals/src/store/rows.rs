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
    contract::{StatedTerms, Version},
    deal::{Deal, LossReason, RenewalTerms, StageEntry, StageMove},
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
    #[serde(default)]
    integration: String,
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
        integration: reason.integration.clone(),
    };
    Ok(deal::Model {
        deal_id: deal.deal_id.to_string(),
        number: deal.number,
        subscription_id: renewal.subscription_id.clone(),
        account_id: deal.account_id.clone(),
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
        anchor_on: epoch_day(deal.anchor_on),
        shift: deal.shift.to_string(),
        negotiated_on: deal.moved.as_ref().map(|moved| epoch_day(moved.negotiated_on)),
        move_reason: deal
            .moved
            .as_ref()
            .map(|moved| moved.reason.clone())
            .unwrap_or_default(),
        auto_renew: deal.terms.auto_renew,
        notice_days: deal.terms.notice_days,
        term_months: deal.terms.term_months,
        stated_auto_renew: deal.stated.auto_renew,
        stated_notice_days: deal.stated.notice_days,
        stated_term_months: deal.stated.term_months,
        notice_given_on: deal.notice_given_on.map(epoch_day),
        add_ons_minor: deal.add_ons.minor,
        segment: deal.segment.clone(),
        health: deal.health,
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
            integration,
        } = from_json(text)?;
        Ok::<_, Problem>(LossReason {
            category: word(&category)?,
            detail,
            competitor,
            integration,
        })
    };
    let moved = |day: i32| StageMove {
        negotiated_on: from_epoch_day(day),
        reason: row.move_reason.clone(),
    };
    let history: Vec<Entry> = from_json(&row.history)?;
    Ok(Deal {
        deal_id: id(&row.deal_id)?,
        account_id: row.account_id.clone(),
        number: row.number,
        renewal_on: from_epoch_day(row.renewal_on),
        term_from: from_epoch_day(row.term_from_on),
        known_on: from_epoch_day(row.known_on),
        anchor_on: from_epoch_day(row.anchor_on),
        shift: word(&row.shift)?,
        moved: row.negotiated_on.map(moved),
        terms: RenewalTerms {
            auto_renew: row.auto_renew,
            notice_days: row.notice_days,
            term_months: row.term_months,
        },
        stated: StatedTerms {
            auto_renew: row.stated_auto_renew,
            notice_days: row.stated_notice_days,
            term_months: row.stated_term_months,
        },
        notice_given_on: row.notice_given_on.map(from_epoch_day),
        stage: word(&row.stage)?,
        stage_at: from_micros(row.stage_at),
        owner_id: row.owner_id.clone(),
        mrr: Money::new(row.mrr_minor, currency),
        add_ons: Money::new(row.add_ons_minor, currency),
        segment: row.segment.clone(),
        health: row.health,
        at_risk: Money::new(row.at_risk_minor, currency),
        loss: row.loss.as_ref().map(loss).transpose()?,
        history: history.into_iter().map(entry).collect::<Result<_, Problem>>()?,
        version: row.version,
    })
}

pub(super) fn task_row(account_id: &str, task: &Task) -> task::Model {
    let Task {
        task_id,
        subject_id,
        kind,
        assignee_id,
        due_on,
        state,
        completed_at,
        version,
    } = task;
    task::Model {
        task_id: task_id.to_string(),
        deal_id: subject_id.to_string(),
        account_id: account_id.to_owned(),
        kind: kind.to_string(),
        assignee_id: assignee_id.clone(),
        due_on: epoch_day(*due_on),
        state: state.to_string(),
        closed: !task.is_live(),
        completed_at: completed_at.map(micros),
        version: *version,
    }
}

pub(super) fn read_task(row: task::Model) -> Result<Task, Problem> {
    Ok(Task {
        task_id: id(&row.task_id)?,
        subject_id: id(&row.deal_id)?,
        kind: word(&row.kind)?,
        assignee_id: row.assignee_id,
        due_on: from_epoch_day(row.due_on),
        state: word(&row.state)?,
        completed_at: row.completed_at.map(from_micros),
        version: row.version,
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
        stated: StatedTerms {
            auto_renew: row.auto_renew,
            notice_days: row.notice_days,
            term_months: row.term_months,
        },
        occurred_at: from_micros(row.occurred_at),
        superseded: row.superseded,
    })
}

pub(super) fn id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(Problem::internal)
}

/// A stored word. A fault means that the row was not written by this code.
pub(super) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(Problem::internal)
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(Problem::internal)
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}
