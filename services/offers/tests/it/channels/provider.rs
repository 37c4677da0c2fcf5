//! A provider of text messages that behaves badly, over real TCP. It takes the same idempotency key for the same message,
//! as real ones do, and counts what would have reached a phone.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What it does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Takes it and says so.
    Take,
    /// Answers with this status and takes nothing.
    Status(u16),
    /// Takes it, and never answers.
    TakeAndHang,
    /// Takes it, and the connection is cut.
    TakeAndCut,
    /// Points elsewhere.
    Redirect,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    script: VecDeque<Act>,
    asked: Vec<Asked>,
    phones: BTreeMap<String, Bytes>,
}

impl Provider {
    /// A provider that does these in turn, and takes whatever comes after.
    pub(crate) async fn open(script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            script: script.iter().copied().collect(),
            ..Shared::default()
        }));
        let provider = Self {
            url: format!("http://{address}/messages"),
            shared: Arc::clone(&shared),
        };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| serve(Arc::clone(&shared), request));
                    // A connection that it cuts itself is no fault.
                    drop(
                        http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        provider
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().asked.clone()
    }

    /// Messages that reached a phone, by idempotency key.
    pub(crate) fn phones(&self) -> BTreeMap<String, Bytes> {
        self.shared.lock().unwrap().phones.clone()
    }
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }
}

async fn serve(
    shared: Arc<Mutex<Shared>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let key = head.headers["idempotency-key"].to_str().unwrap().to_owned();
    let act = {
        let mut shared = shared.lock().unwrap();
        shared.asked.push(Asked {
            headers: head.headers,
            body: body.clone(),
        });
        let act = shared.script.pop_front().unwrap_or(Act::Take);
        if matches!(act, Act::Take | Act::TakeAndHang | Act::TakeAndCut) {
            shared.phones.entry(key.clone()).or_insert(body);
        }
        act
    };
    match act {
        Act::Take => Ok(Response::new(Full::new(format!("{{\"id\":\"sm-{key}\"}}").into()))),
        Act::Status(status) => Ok(answer(StatusCode::from_u16(status).unwrap())),
        Act::TakeAndHang => {
            std::future::pending::<()>().await;
            Err(std::io::Error::other("never"))
        }
        Act::TakeAndCut => Err(std::io::Error::other("cut")),
        Act::Redirect => {
            let mut response = answer(StatusCode::TEMPORARY_REDIRECT);
            response.headers_mut().insert("location", "/elsewhere".parse().unwrap());
            Ok(response)
        }
    }
}

fn answer(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
