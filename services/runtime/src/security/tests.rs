//! The door over real sockets: tokens, the whole matrix of roles and methods, certificates.

mod audit;
mod certificates;
mod matrix;
mod providers;
mod rotation;
mod tokens;

use std::{collections::BTreeMap, fs, path::PathBuf};

use http::{HeaderMap, Request};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tempfile::TempDir;
use tonic::{Code, Status, body::Body};
use tower::ServiceExt as _;

use super::{
    Security, SecuritySettings, TlsSettings,
    token::tests::mint::{Mint, NOW},
};
use crate::{
    client::{ClientSettings, Peers, Traced},
    clock::Clock,
    server::{
        ServerSettings,
        tests::echo::{Running, start_secured},
    },
};

const DELIVER: &str = "upswell.delivery.v1.DeliveryService/Deliver";
/// Name of the service in its certificate.
const NAME: &str = "echo.upswell.test";

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            pem: params.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Certificate and key for `names`; those with `:` are URIs. `until` is the year in which it ends.
    fn issue_until(&self, names: &[&str], until: i32) -> (String, String) {
        let (uris, hosts): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains(':'));
        let hosts: Vec<String> = hosts.into_iter().map(str::to_owned).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        let uris = uris.into_iter().map(|uri| SanType::URI(uri.try_into().unwrap()));
        params.subject_alt_names.extend(uris);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn issue(&self, names: &[&str]) -> (String, String) {
        self.issue_until(names, 2100)
    }
}

/// The files of one process.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    fn tls(&self, authority: &str, (cert, key): &(String, String)) -> TlsSettings {
        TlsSettings {
            cert_file: self.write("tls.crt", cert),
            key_file: self.write("tls.key", key),
            ca_file: self.write("ca.crt", authority),
            server_name: NAME.to_owned(),
            ..TlsSettings::default()
        }
    }

    /// Settings that believe the issuers of `mint`.
    fn tokens(&self, mint: &Mint) -> SecuritySettings {
        let mut settings = SecuritySettings {
            issuers: Mint::settings(),
            ..SecuritySettings::default()
        };
        let file = self.write("jwks.json", &mint.jwks());
        for issuer in settings.issuers.values_mut() {
            issuer.jwks_file.clone_from(&file);
        }
        settings
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_second(NOW).unwrap())
}

fn load(settings: &SecuritySettings) -> Security {
    Security::load(settings, clock()).unwrap()
}

async fn serve(security: &Security) -> Running {
    let settings = ServerSettings {
        drain_ms: 100,
        reflection: true,
        ..ServerSettings::default()
    };
    start_secured(settings, security.clone()).await
}

/// A channel of a process with `security` to `running`.
fn channel(running: &Running, security: &Security) -> Traced {
    let settings = ClientSettings {
        security: security.clone(),
        ..ClientSettings::default()
    };
    let addresses = BTreeMap::from([("echo".to_owned(), running.address.clone())]);
    Peers::new(&addresses, &settings).unwrap().channel("echo").unwrap()
}

/// Calls `method` with an empty message; a fault of the way is UNAVAILABLE.
async fn ask(channel: &Traced, method: &str, headers: HeaderMap) -> Status {
    ask_with(channel, method, headers, vec![0; 5]).await
}

/// The same with a body of its own.
async fn ask_with(channel: &Traced, method: &str, headers: HeaderMap, body: Vec<u8>) -> Status {
    let mut request = Request::post(format!("/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(http_body_util::Full::from(body)))
        .unwrap();
    request.headers_mut().extend(headers);
    match channel.clone().oneshot(request).await {
        Ok(response) => Status::from_header_map(response.headers()).unwrap_or_else(|| Status::new(Code::Ok, "")),
        Err(fault) => Status::unavailable(fault.to_string()),
    }
}

async fn code(channel: &Traced, method: &str) -> Code {
    ask(channel, method, HeaderMap::new()).await.code()
}

fn authorization(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::AUTHORIZATION, value.parse().unwrap())])
}
