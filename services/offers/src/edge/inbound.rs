//! What providers tell of messages, after their signature was believed.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use upswell_runtime::{db::Tx, problem::Problem};

use super::web::Answer;
use crate::{
    app::{App, answers::Reply},
    domain::{
        delivery::{Delivery, Notice},
        reply::visible,
        vocabulary::Channel as Way,
    },
    store::webhooks,
};

/// Longest reply that is kept, in characters.
const WORDS_MAX: usize = 4_000;

/// A message of a provider.
#[derive(Debug, Deserialize)]
struct Told {
    /// What happened, e.g. `message.delivered`.
    #[serde(rename = "type")]
    kind: String,
    /// When it happened.
    timestamp: Timestamp,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    /// Our message: the touch, its Message-ID, or what the provider calls it; of a reply the message that it answers.
    message_id: String,
    /// The words of a reply.
    #[serde(default)]
    text: String,
    /// What the provider calls the reply.
    #[serde(default)]
    reply_id: String,
}

/// Takes what was told under `id`, once.
pub(super) async fn take(app: &Arc<App>, way: Way, id: &str, body: &[u8]) -> Result<Answer, Problem> {
    let told: Told = match serde_json::from_slice(body) {
        Ok(told) => told,
        Err(fault) => return Ok(Answer::text(StatusCode::BAD_REQUEST, fault.to_string())),
    };
    let Some(delivery) = app.delivery_meant(way, &told.data.message_id).await? else {
        // It may be told before the message has its name: the provider comes again.
        return Ok(Answer::text(StatusCode::NOT_FOUND, "the message is not known"));
    };
    let tx = app.db.begin().await?;
    if !webhooks::webhook_note(&tx, way.as_str(), id, app.clock.now()).await? {
        return Ok(Answer::text(StatusCode::OK, "known"));
    }
    if !apply(app, &tx, &delivery, &told, id).await? {
        return Ok(Answer::text(StatusCode::OK, "not needed"));
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Answer::text(StatusCode::OK, "taken"))
}

/// False for a kind that means nothing here.
async fn apply(app: &App, tx: &Tx, delivery: &Delivery, told: &Told, id: &str) -> Result<bool, Problem> {
    let notice = match told.kind.as_str() {
        "message.delivered" => Notice::Delivered,
        "message.opened" => Notice::Opened,
        "message.clicked" => Notice::Clicked,
        "message.bounced" => Notice::Bounced,
        "message.unsubscribed" => {
            app.opt_out_of(tx, delivery, "provider").await?;
            return Ok(true);
        }
        "message.complained" => {
            app.opt_out_of(tx, delivery, "complaint").await?;
            return Ok(true);
        }
        "message.replied" => {
            replied(app, tx, delivery, told, id).await?;
            return Ok(true);
        }
        _ => return Ok(false),
    };
    app.notice(tx, delivery, notice, told.timestamp)
        .await
        .map_err(Problem::from)?;
    Ok(true)
}

/// Who answers has read. The reply is named by the provider, so that one told twice is one.
async fn replied(app: &App, tx: &Tx, delivery: &Delivery, told: &Told, id: &str) -> Result<(), Problem> {
    app.notice(tx, delivery, Notice::Opened, told.timestamp)
        .await
        .map_err(Problem::from)?;
    let named = if told.data.reply_id.is_empty() {
        id
    } else {
        &told.data.reply_id
    };
    let reply = Reply {
        fact_id: format!("{}/{}", delivery.channel, named.chars().take(400).collect::<String>()),
        account_id: delivery.account_id.clone(),
        offer_id: delivery.offer_id.to_string(),
        channel: delivery.channel,
        words: visible(&told.data.text).chars().take(WORDS_MAX).collect(),
        replied_at: told.timestamp,
    };
    app.reply(tx, reply).await.map_err(Problem::from)
}
