//! From a request to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use upswell_runtime::problem::{Kind, Problem};

use super::{Edge, inbound, pages};
use crate::{
    app::App,
    channel::{
        links::Purpose,
        signature::{Headers, ID, SIGNATURE, TIMESTAMP},
    },
    domain::vocabulary::Channel as Way,
};

/// What is answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Answer {
    /// A line for a program.
    pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }

    /// A page for a person.
    pub(super) fn page(status: StatusCode, body: String) -> Self {
        Self {
            status,
            kind: "text/html; charset=utf-8",
            body,
        }
    }
}

/// Answers one request; whatever goes wrong inside stays inside.
pub(super) async fn answer(edge: &Edge, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let answer = match edge.app.upgrade() {
        Some(app) => handle(&app, edge, request)
            .await
            .unwrap_or_else(|problem| fault(&problem)),
        None => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the service is stopping"),
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn handle(app: &Arc<App>, edge: &Edge, request: Request<Incoming>) -> Result<Answer, Problem> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let Some((place, name)) = path.trim_start_matches('/').split_once('/') else {
        return Ok(Answer::text(StatusCode::NOT_FOUND, "there is nothing here"));
    };
    let Ok(body) = Limited::new(body, app.settings.edge.max_body_bytes).collect().await else {
        return Ok(Answer::text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
    };
    let body = body.to_bytes();
    if place == "webhooks" {
        return webhook(app, edge, &head.method, name, &head.headers, &body).await;
    }
    let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == place);
    let touch = purpose.and_then(|purpose| app.links.as_ref()?.read(purpose, name));
    let (Some(purpose), Some(touch_id)) = (purpose, touch) else {
        return Ok(Answer::text(StatusCode::NOT_FOUND, "there is nothing here"));
    };
    match (&head.method, purpose) {
        (&Method::GET, Purpose::OptOut) => pages::opt_out(app, touch_id).await,
        (&Method::POST, Purpose::OptOut) => pages::opt_out_done(app, touch_id).await,
        (&Method::GET, Purpose::Offer) => pages::offer(app, touch_id).await,
        (&Method::POST, Purpose::Offer) => pages::answer(app, touch_id, &body).await,
        _ => Ok(Answer::text(StatusCode::METHOD_NOT_ALLOWED, "GET or POST")),
    }
}

async fn webhook(
    app: &Arc<App>,
    edge: &Edge,
    method: &Method,
    name: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, Problem> {
    let door = name
        .parse::<Way>()
        .ok()
        .and_then(|way| Some((way, edge.doors.0.get(&way)?)));
    let Some((way, keys)) = door else {
        return Ok(Answer::text(StatusCode::NOT_FOUND, "no provider is known here"));
    };
    if method != Method::POST {
        return Ok(Answer::text(StatusCode::METHOD_NOT_ALLOWED, "POST"));
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(id), Some(timestamp), Some(signature)) = (text(ID), text(TIMESTAMP), text(SIGNATURE)) else {
        return Ok(Answer::text(
            StatusCode::UNAUTHORIZED,
            "the webhook headers are missing",
        ));
    };
    let signed = Headers {
        id,
        timestamp,
        signature,
    };
    let tolerance = app.settings.edge.tolerance();
    if let Err(fault) = keys.verify(&signed, body, app.clock.now(), tolerance) {
        tracing::info!(channel = %way, error = %fault, "a webhook was not believed");
        return Ok(Answer::text(StatusCode::UNAUTHORIZED, fault.to_string()));
    }
    inbound::take(app, way, id, body).await
}

fn fault(problem: &Problem) -> Answer {
    let status = match problem.kind() {
        Kind::InvalidArgument => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::FailedPrecondition => StatusCode::CONFLICT,
        // A provider comes again.
        Kind::Aborted | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => {
            tracing::error!(error = %problem, "a request to the edge failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    Answer::text(status, "the request could not be carried out")
}
