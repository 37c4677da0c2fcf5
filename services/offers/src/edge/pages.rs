//! Pages behind the links of messages, in the language of the message. Looking changes nothing but that it was seen:
//! programs that follow links must not answer for people.

use std::{str::FromStr as _, sync::Arc};

use http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use upswell_runtime::problem::Problem;
use uuid::Uuid;

use super::web::Answer;
use crate::{
    app::App,
    domain::{
        delivery::Notice,
        message::Language,
        offer::{DeclineReason, Offer, declined},
        vocabulary::OfferState,
    },
    error::OfferError,
};

mod words;

use words::{Words, words};

/// The offer as it stands, with the two answers.
pub(super) async fn offer(app: &Arc<App>, touch_id: Uuid) -> Result<Answer, Problem> {
    let Some((delivery, _)) = app.delivery_of(touch_id).await? else {
        return Ok(nothing());
    };
    let tx = app.db.begin().await?;
    let noticed = app.notice(&tx, &delivery, Notice::Clicked, app.clock.now()).await;
    let Some((_, offer)) = noticed.map_err(Problem::from)? else {
        return Ok(nothing());
    };
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(show(&offer, StatusCode::OK))
}

/// The answer of a form: `answer=accept`, or `answer=decline&reason=…`.
pub(super) async fn answer(app: &Arc<App>, touch_id: Uuid, form: &[u8]) -> Result<Answer, Problem> {
    let Some((_, seen)) = app.delivery_of(touch_id).await? else {
        return Ok(nothing());
    };
    let form = String::from_utf8_lossy(form);
    let field = |name: &str| {
        form.split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let tx = app.db.begin().await?;
    let done = match (
        field("answer"),
        field("reason").and_then(|word| DeclineReason::from_str(word).ok()),
    ) {
        (Some("accept"), _) => app.accept(&tx, seen.id, app.clock.now()).await.map(|(offer, _)| offer),
        (Some("decline"), Some(reason)) => app.decline(&tx, seen.id, declined(reason, "")).await,
        _ => {
            return Ok(Answer::text(
                StatusCode::BAD_REQUEST,
                "answer=accept, or answer=decline and a reason",
            ));
        }
    };
    match done {
        Ok(offer) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            Ok(show(&offer, StatusCode::OK))
        }
        // Too late, or answered elsewhere: the page says how it stands.
        Err(OfferError::Offer(_)) => Ok(show(&seen, StatusCode::CONFLICT)),
        Err(other) => Err(other.into()),
    }
}

/// Asks once, for mail programs that follow links.
pub(super) async fn opt_out(app: &Arc<App>, touch_id: Uuid) -> Result<Answer, Problem> {
    let Some((_, offer)) = app.delivery_of(touch_id).await? else {
        return Ok(nothing());
    };
    let words = spoken(&offer);
    let body = html! {
        p { (words.opt_out_question) }
        form method="post" { button { (words.opt_out) } }
    };
    Ok(Answer::page(StatusCode::OK, page(&offer, words.opt_out, &body)))
}

/// No more of it (C-10).
pub(super) async fn opt_out_done(app: &Arc<App>, touch_id: Uuid) -> Result<Answer, Problem> {
    let Some((delivery, offer)) = app.delivery_of(touch_id).await? else {
        return Ok(nothing());
    };
    let tx = app.db.begin().await?;
    app.opt_out_of(&tx, &delivery, "link").await?;
    tx.commit().await?;
    let words = spoken(&offer);
    Ok(Answer::page(
        StatusCode::OK,
        page(&offer, words.opt_out, &html! { p { (words.opted_out) } }),
    ))
}

fn nothing() -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "there is nothing here")
}

fn spoken(offer: &Offer) -> &'static Words {
    let tag = offer.message.as_ref().map(|message| message.language.as_str());
    words(tag.and_then(Language::from_tag).unwrap_or(Language::English))
}

fn show(offer: &Offer, status: StatusCode) -> Answer {
    let words = spoken(offer);
    let title = offer.message.as_ref().map_or("", |message| message.subject.as_str());
    let body = html! {
        @if let Some(message) = &offer.message {
            @for line in message.body.lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
        }
        @if let Some(terms) = &offer.terms { p.terms { (terms.summary) } }
        @match offer.state {
            OfferState::Sent => (form(words)),
            OfferState::Accepted => p.state { (words.accepted) },
            OfferState::Declined => p.state { (words.declined) },
            _ => p.state { (words.over) },
        }
    };
    Answer::page(status, page(offer, title, &body))
}

fn form(words: &Words) -> Markup {
    html! {
        form method="post" {
            input type="hidden" name="answer" value="accept";
            button { (words.accept) }
        }
        form method="post" {
            input type="hidden" name="answer" value="decline";
            select name="reason" {
                @for (reason, text) in DeclineReason::ALL.iter().zip(words.reasons) {
                    option value=(reason) { (text) }
                }
            }
            button.quiet { (words.decline) }
        }
    }
}

fn page(offer: &Offer, title: &str, body: &Markup) -> String {
    let language = offer.message.as_ref().map_or("en", |message| message.language.as_str());
    let page = html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (STYLE) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    page.into_string()
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;color:#1c2430;background:#f5f6f8;margin:0}\
main{max-width:36rem;margin:8vh auto;padding:2rem;background:#fff;border-radius:12px;overflow-wrap:anywhere}\
h1{font-size:1.3rem}form{margin-top:1rem;display:flex;gap:.5rem;flex-wrap:wrap}\
button,select{font:inherit;padding:.6rem 1.2rem;border-radius:8px;border:1px solid #1f6feb}\
button{background:#1f6feb;color:#fff}button.quiet{background:#fff;color:#1c2430;border-color:#c4cad3}\
.terms{border-left:3px solid #c4cad3;padding-left:1rem}.state{font-weight:600}";
