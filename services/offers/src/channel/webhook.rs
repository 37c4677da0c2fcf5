//! Messages to any provider by signed POST, as in the Standard Webhooks specification.
//!
//! `webhook-id` and `idempotency-key` are the touch, the same in every attempt, so that a provider which got a message
//! and whose answer was lost takes the next attempt for the same message. Only the configured address is asked, and no
//! redirect is followed.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Serialize;
use tokio::time::timeout;
use upswell_runtime::{clock::Clock, problem::Violations};

use super::{
    Channel, DeliveryFault, Outgoing, Receipt, secrets,
    signature::{ID, Keys, SIGNATURE, TIMESTAMP},
};
use crate::config::EndpointSettings;

/// What a provider may answer at most, bytes.
const ANSWER_MAX: usize = 64 * 1024;
const REFERENCE_MAX: usize = 200;

/// A provider.
pub struct Webhook {
    uri: Uri,
    keys: Keys,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
    clock: Clock,
    /// It answered that it is gone for good.
    gone: AtomicBool,
}

/// What is posted.
#[derive(Serialize)]
struct Envelope<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: jiff::Timestamp,
    data: &'a T,
}

impl Webhook {
    /// The provider at an endpoint; none when no address is set. Notes everything that cannot be used.
    pub fn new(
        settings: &EndpointSettings,
        timeout: Duration,
        clock: Clock,
        violations: &mut Violations,
    ) -> Option<Self> {
        if settings.url.is_empty() {
            return None;
        }
        let uri = violations.take("url", address(&settings.url));
        let keys = keys("secret_files", &settings.secret_files, violations);
        let (uri, keys) = (uri?, keys?);
        if keys.is_empty() {
            violations.add("secret_files", "an address needs a key to sign with");
            return None;
        }
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Some(Self {
            uri,
            keys,
            client: Client::builder(TokioExecutor::new()).build(connector),
            timeout,
            clock,
            gone: AtomicBool::new(false),
        })
    }

    /// Posts `data` under `id`. The reference is what the provider calls it, or the id.
    pub async fn post<T: Serialize + Sync>(&self, kind: &str, id: &str, data: &T) -> Result<Receipt, DeliveryFault> {
        if self.gone.load(Ordering::Relaxed) {
            return Err(DeliveryFault::NotSent("the endpoint is gone".to_owned()));
        }
        let now = self.clock.now();
        let envelope = Envelope {
            kind,
            timestamp: now,
            data,
        };
        let body = serde_json::to_vec(&envelope).map_err(|fault| DeliveryFault::Refused(fault.to_string()))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("upswell/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", id)
            .header(ID, id)
            .header(TIMESTAMP, now.as_second())
            .header(SIGNATURE, self.keys.sign(id, now.as_second(), &body))
            .body(Full::new(Bytes::from(body)))
            .map_err(|fault| DeliveryFault::Refused(fault.to_string()))?;
        match timeout(self.timeout, self.exchange(request)).await {
            Ok(Ok((status, answer))) => self.judge(status, &answer, id),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(DeliveryFault::Unknown("no answer in time".to_owned())),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), DeliveryFault> {
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(fault) if fault.is_connect() => return Err(DeliveryFault::NotSent(told(&fault))),
            Err(fault) => return Err(DeliveryFault::Unknown(told(&fault))),
        };
        let status = answer.status();
        // The status has been said; what comes after only names the message.
        let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        Ok((
            status,
            body.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
        ))
    }

    fn judge(&self, status: StatusCode, answer: &[u8], id: &str) -> Result<Receipt, DeliveryFault> {
        let said = format!("the provider answered {status}");
        match status {
            _ if status.is_success() => Ok(Receipt {
                reference: reference(answer).unwrap_or_else(|| id.to_owned()),
            }),
            StatusCode::GONE => {
                if !self.gone.swap(true, Ordering::Relaxed) {
                    tracing::error!(url.full = %self.uri, "a webhook endpoint is gone and is not asked again");
                }
                Err(DeliveryFault::NotSent(said))
            }
            // It did not get to the message.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_EARLY => {
                Err(DeliveryFault::NotSent(said))
            }
            StatusCode::REQUEST_TIMEOUT => Err(DeliveryFault::Unknown(said)),
            // A redirect would lead away from the configured address: a mistake of the settings.
            _ if status.is_redirection() => Err(DeliveryFault::NotSent(said)),
            _ if status.is_client_error() => Err(DeliveryFault::Refused(said)),
            _ => Err(DeliveryFault::Unknown(said)),
        }
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn deliver(&self, message: &Outgoing) -> Result<Receipt, DeliveryFault> {
        self.post("message.send", &message.touch_id.to_string(), message).await
    }
}

/// The keys of files. Notes what is no key.
pub fn keys(field: &str, files: &[std::path::PathBuf], violations: &mut Violations) -> Option<Keys> {
    let mut secrets = Vec::with_capacity(files.len());
    for file in files {
        secrets.push(secrets::read(field, file, violations));
    }
    let secrets: Option<Vec<_>> = secrets.into_iter().collect();
    violations.take(field, Keys::parse(&secrets?))
}

/// An address that may be asked: TLS, except on the same machine.
fn address(url: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|fault| format!("is not a URL: {fault}"))?;
    let host = uri.host().ok_or("has no host")?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_local => Ok(uri),
        Some("http") => Err("must be https; plain http is for this machine only".to_owned()),
        _ => Err("must be https".to_owned()),
    }
}

/// What the provider calls the message: `id`, or `message_id`, of a JSON answer.
fn reference(answer: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let named = answer.get("id").or_else(|| answer.get("message_id"))?.as_str()?;
    (!named.is_empty() && named.chars().count() <= REFERENCE_MAX).then(|| named.to_owned())
}

/// A fault with its causes, for a person.
fn told(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
