//! Keys that an issuer publishes, over real connections.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use crate::security::token::tests::mint::{account, claims};

const FOUND: &str = "200 OK";

/// An issuer's address, which answers what it is told to.
struct Publisher {
    port: u16,
    answer: Arc<Mutex<(&'static str, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Publisher {
    async fn start(text: String, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let publisher = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::new(Mutex::new((FOUND, text))),
            asked: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&publisher.answer), Arc::clone(&publisher.asked));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (status, body) = answer.lock().unwrap().clone();
                match &tls {
                    None => serve_one(stream, status, &body, &asked).await,
                    Some(tls) => {
                        let Ok(stream) = tls.accept(stream).await else { continue };
                        serve_one(stream, status, &body, &asked).await;
                    }
                }
            }
        });
        publisher
    }

    fn answers(&self, status: &'static str, text: &str) {
        *self.answer.lock().unwrap() = (status, text.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve_one(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: &str, body: &str, asked: &AtomicUsize) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    assert!(head.starts_with(b"GET /keys HTTP/1.1\r\n"));
    asked.fetch_add(1, Ordering::SeqCst);
    let answer = format!(
        "HTTP/1.1 {status}\r\nlocation: /elsewhere\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
}

/// A server that believes the keys at `url`, and who follows them until the guard goes.
struct Believer {
    running: Running,
    channel: Traced,
    _following: DropGuard,
}

impl Believer {
    async fn start(url: String, ca: String, retry_s: u64) -> Self {
        let mut settings = SecuritySettings {
            issuers: Mint::settings(),
            ..SecuritySettings::default()
        };
        settings.issuers.retain(|name, _| name == "main");
        for issuer in settings.issuers.values_mut() {
            (issuer.jwks_url, issuer.jwks_ca_file) = (url.clone(), ca.clone());
            issuer.jwks_retry_s = retry_s;
        }
        let security = load(&settings);
        let ending = CancellationToken::new();
        security.follow(ending.clone());
        let running = serve(&security).await;
        let channel = channel(&running, &Security::default());
        Self {
            running,
            channel,
            _following: ending.drop_guard(),
        }
    }

    async fn at(publisher: &Publisher, retry_s: u64) -> Self {
        let url = format!("http://127.0.0.1:{}/keys", publisher.port);
        Self::start(url, String::new(), retry_s).await
    }

    async fn code(&self, token: &str) -> Code {
        ask(&self.channel, DELIVER, authorization(&format!("Bearer {token}")))
            .await
            .code()
    }
}

/// A token of the service offers under the key that is called `kid`; every one is another by its number.
fn token(mint: &Mint, kid: &str, number: usize) -> String {
    let mut claims: Value = claims();
    claims["sub"] = json!(account("offers"));
    claims["jti"] = json!(number);
    mint.raw(&json!({"alg": "ES256", "kid": kid}).to_string(), &claims.to_string())
}

/// The keys of `mint`, with another name for the one that signs.
fn published(mint: &Mint, kid: &str) -> String {
    mint.jwks().replace(r#""kid":"ec""#, &format!(r#""kid":"{kid}""#))
}

#[tokio::test]
async fn published_keys_are_fetched_and_change_without_a_restart() {
    let (old, new) = (Mint::new(), Mint::new());
    let publisher = Publisher::start(published(&old, "old"), None).await;
    let believer = Believer::at(&publisher, 0).await;
    // Whoever comes before the first keys have come waits for them.
    assert_eq!(believer.code(&token(&old, "old", 1)).await, Code::Ok);
    assert_eq!(believer.code(&token(&new, "new", 1)).await, Code::Unauthenticated);
    publisher.answers(FOUND, &published(&new, "new"));
    assert_eq!(
        believer.code(&token(&new, "new", 1)).await,
        Code::Ok,
        "fetched for its sake"
    );
    assert_eq!(
        believer.code(&token(&old, "old", 1)).await,
        Code::Unauthenticated,
        "what the key that is gone verified is forgotten"
    );
    assert_eq!(believer.running.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn invented_names_of_keys_are_not_asked_for_again_and_again() {
    let mint = Mint::new();
    let publisher = Publisher::start(published(&mint, "known"), None).await;
    let believer = Believer::at(&publisher, 30).await;
    assert_eq!(believer.code(&token(&mint, "known", 0)).await, Code::Ok);
    for number in 0..50 {
        let invented = token(&mint, &format!("invented-{number}"), number);
        assert_eq!(believer.code(&invented).await, Code::Unauthenticated);
    }
    assert_eq!(publisher.asked(), 1);
    assert_eq!(believer.code(&token(&mint, "known", 1)).await, Code::Ok);
}

#[tokio::test]
async fn known_keys_stay_while_the_issuer_has_nothing_better_to_say() {
    let mint = Mint::new();
    let good = published(&mint, "known");
    let publisher = Publisher::start(good.clone(), None).await;
    let believer = Believer::at(&publisher, 0).await;
    assert_eq!(believer.code(&token(&mint, "known", 0)).await, Code::Ok);
    let other = published(&Mint::new(), "other");
    for (number, (status, text)) in [
        ("500 Internal Server Error", other.clone()),
        ("302 Found", other.clone()),
        (FOUND, "<html>".to_owned()),
        (FOUND, r#"{"keys":[]}"#.to_owned()),
        (FOUND, format!("{}{other}", " ".repeat(300_000))),
    ]
    .into_iter()
    .enumerate()
    {
        publisher.answers(status, &text);
        let before = publisher.asked();
        assert_eq!(
            believer.code(&token(&mint, "unknown", number)).await,
            Code::Unauthenticated
        );
        assert!(publisher.asked() > before, "it was asked: {status}");
        assert_eq!(
            believer.code(&token(&mint, "known", number + 1)).await,
            Code::Ok,
            "{status} {number}"
        );
    }
    publisher.answers(FOUND, &published(&mint, "next"));
    assert_eq!(believer.code(&token(&mint, "next", 9)).await, Code::Ok);
}

#[tokio::test]
async fn keys_come_from_the_named_authority_only() {
    let (authority, other, folder, mint) = (Authority::new(), Authority::new(), Folder::new(), Mint::new());
    let certificate = load(&SecuritySettings {
        tls: folder.tls(&authority.pem, &authority.issue(&["localhost"])),
        ..SecuritySettings::default()
    });
    let tls = TlsAcceptor::from(certificate.server_config().unwrap());
    let publisher = Publisher::start(published(&mint, "known"), Some(tls)).await;
    for (what, ca, host, code) in [
        ("the authority", &authority.pem, "localhost", Code::Ok),
        ("another authority", &other.pem, "localhost", Code::Unauthenticated),
        ("another name", &authority.pem, "127.0.0.1", Code::Unauthenticated),
    ] {
        let ca = folder.write("issuer.crt", ca);
        let url = format!("https://{host}:{}/keys", publisher.port);
        let believer = Believer::start(url, ca, 0).await;
        assert_eq!(believer.code(&token(&mint, "known", 0)).await, code, "{what}");
    }
}
