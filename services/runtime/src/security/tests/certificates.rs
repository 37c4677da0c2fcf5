use std::{collections::BTreeSet, io::ErrorKind};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::{
    problem::Problem,
    security::IssuerSettings,
    server::{ServerFault, bind},
};

const OFFERS: &str = "spiffe://cluster.local/ns/upswell/sa/offers";

/// A server which knows offers by its certificate.
fn server(folder: &Folder, authority: &Authority, names: &[&str]) -> SecuritySettings {
    SecuritySettings {
        tls: folder.tls(&authority.pem, &authority.issue(names)),
        certificates: [(OFFERS.to_owned(), vec!["service:offers".to_owned()])].into(),
        ..SecuritySettings::default()
    }
}

fn client(folder: &Folder, authority: &Authority, identity: &(String, String)) -> Security {
    load(&SecuritySettings {
        tls: folder.tls(&authority.pem, identity),
        ..SecuritySettings::default()
    })
}

#[tokio::test]
async fn a_service_is_known_by_the_uri_of_its_certificate() {
    let (authority, ours, theirs) = (Authority::new(), Folder::new(), Folder::new());
    let running = serve(&load(&server(&ours, &authority, &[NAME]))).await;
    for (what, names, expected) in [
        ("offers", &[OFFERS][..], Code::Ok),
        (
            "offers under another name",
            &["spiffe://cluster.local/ns/upswell/sa/offers2"],
            Code::PermissionDenied,
        ),
        (
            "another trust domain",
            &["spiffe://evil.local/ns/upswell/sa/offers"],
            Code::PermissionDenied,
        ),
        ("a host of that name", &["offers"], Code::PermissionDenied),
        ("another and offers", &["other.test", OFFERS], Code::Ok),
    ] {
        let security = client(&theirs, &authority, &authority.issue(names));
        assert_eq!(code(&channel(&running, &security), DELIVER).await, expected, "{what}");
    }
}

#[tokio::test]
async fn strangers_and_old_certificates_do_not_come_in() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (ours, theirs) = (Folder::new(), Folder::new());
    let mut settings = server(&ours, &authority, &[NAME]);
    settings.tls.require_client_cert = true;
    let running = serve(&load(&settings)).await;
    for (what, identity) in [
        ("of another authority", other.issue(&[OFFERS])),
        ("expired", authority.issue_until(&[OFFERS], 2021)),
    ] {
        let security = client(&theirs, &authority, &identity);
        assert_eq!(
            code(&channel(&running, &security), DELIVER).await,
            Code::Unavailable,
            "{what}"
        );
    }
    let nameless = load(&SecuritySettings {
        tls: TlsSettings {
            ca_file: theirs.write("ca.crt", &authority.pem),
            server_name: NAME.to_owned(),
            ..TlsSettings::default()
        },
        ..SecuritySettings::default()
    });
    assert_eq!(code(&channel(&running, &nameless), DELIVER).await, Code::Unavailable);
    settings.tls.require_client_cert = false;
    let running = serve(&load(&settings)).await;
    assert_eq!(
        code(&channel(&running, &nameless), DELIVER).await,
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn a_server_with_the_wrong_certificate_is_not_called() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (ours, theirs) = (Folder::new(), Folder::new());
    let security = client(&theirs, &authority, &authority.issue(&[OFFERS]));
    for (what, identity) in [
        ("another name", authority.issue(&["offers.upswell.test"])),
        ("a wildcard too high", authority.issue(&["*.test"])),
        ("another authority", other.issue(&[NAME])),
        ("expired", authority.issue_until(&[NAME], 2021)),
        ("a URI only", authority.issue(&[OFFERS])),
    ] {
        let mut settings = server(&ours, &authority, &[NAME]);
        settings.tls = ours.tls(&authority.pem, &identity);
        let running = serve(&load(&settings)).await;
        assert_eq!(
            code(&channel(&running, &security), DELIVER).await,
            Code::Unavailable,
            "{what}"
        );
    }
    // Without `server_name` the host of the address counts, and no certificate is for 127.0.0.1.
    let running = serve(&load(&server(&ours, &authority, &[NAME]))).await;
    let mut settings = security.settings().clone();
    settings.tls.server_name = String::new();
    assert_eq!(
        code(&channel(&running, &load(&settings)), DELIVER).await,
        Code::Unavailable
    );
}

#[tokio::test]
async fn one_port_takes_people_with_tokens_and_services_with_certificates() {
    let (authority, ours, theirs, mint) = (Authority::new(), Folder::new(), Folder::new(), Mint::new());
    let mut settings = server(&ours, &authority, &[NAME]);
    settings.issuers = ours.tokens(&mint).issuers;
    let running = serve(&load(&settings)).await;
    let service = channel(&running, &client(&theirs, &authority, &authority.issue(&[OFFERS])));
    let person = authorization(&format!(
        "Bearer {}",
        mint.es256(&crate::security::token::tests::mint::claims())
    ));
    let offers = "upswell.offers.v1.OfferService/ListOffers";
    assert_eq!(code(&service, DELIVER).await, Code::Ok);
    assert_eq!(code(&service, offers).await, Code::PermissionDenied);
    // Who is passed on by a service has the rights of the token and not those of the certificate.
    assert_eq!(ask(&service, offers, person.clone()).await.code(), Code::Unimplemented);
    assert_eq!(ask(&service, DELIVER, person).await.code(), Code::PermissionDenied);
    assert_eq!(
        ask(&service, DELIVER, authorization("Bearer x")).await.code(),
        Code::Unauthenticated
    );
}

/// A first flight of TLS 1.2, and nothing newer: one suite, no `supported_versions`.
fn hello_of_tls_1_2() -> Vec<u8> {
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 0x1d, // groups: x25519
        0, 13, 0, 4, 0, 2, 4, 3, // signatures: ecdsa_secp256r1_sha256
    ];
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

/// Sends `bytes` and returns all that comes back before the connection is closed.
async fn raw(running: &Running, bytes: &[u8]) -> Vec<u8> {
    let address = running.address.trim_start_matches("https://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer).await {
        Ok(_) => {}
        Err(fault) => assert_eq!(fault.kind(), ErrorKind::ConnectionReset),
    }
    answer
}

/// F62: the port of TLS 1.3 answers nothing else, and goes on serving.
#[tokio::test]
async fn plaintext_and_tls_1_2_end_with_an_alert() {
    let (authority, ours, theirs) = (Authority::new(), Folder::new(), Folder::new());
    let running = serve(&load(&server(&ours, &authority, &[NAME]))).await;
    let alert = raw(&running, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert_eq!(alert.first(), Some(&21), "an alert and no frame of HTTP/2: {alert:?}");
    let alert = raw(&running, &hello_of_tls_1_2()).await;
    assert_eq!(alert.last(), Some(&70), "protocol_version: {alert:?}");
    let http = Running {
        address: running.address.replace("https", "http"),
        ..serve(&Security::default()).await
    };
    assert_eq!(
        code(&channel(&http, &Security::default()), DELIVER).await,
        Code::Unavailable
    );
    let service = client(&theirs, &authority, &authority.issue(&[OFFERS]));
    assert_eq!(code(&channel(&running, &service), DELIVER).await, Code::Ok);
}

#[tokio::test]
async fn a_caller_who_says_nothing_is_let_go() {
    let (authority, ours) = (Authority::new(), Folder::new());
    let mut settings = server(&ours, &authority, &[NAME]);
    settings.tls.handshake_ms = 50;
    let running = serve(&load(&settings)).await;
    assert!(raw(&running, b"").await.is_empty());
}

fn reason(outcome: Result<(), Problem>) -> Option<String> {
    outcome.err().map(|problem| problem.message().to_owned())
}

#[tokio::test]
async fn strangers_are_kept_out_unless_somebody_says_otherwise() {
    let (authority, folder, mint) = (Authority::new(), Folder::new(), Mint::new());
    let everywhere = "0.0.0.0:1".parse().unwrap();
    let both = server(&folder, &authority, &[NAME]);
    let encrypted = SecuritySettings {
        certificates: BTreeMap::new(),
        ..both.clone()
    };
    let insecure = SecuritySettings {
        insecure: true,
        ..SecuritySettings::default()
    };
    for (settings, refused_for) in [
        (SecuritySettings::default(), Some("neither encryption nor callers")),
        (encrypted, Some("callers are not known")),
        (folder.tokens(&mint), Some("in the clear")),
        (both, None),
        (insecure, None),
    ] {
        let security = load(&settings);
        let told = reason(security.check_listener(everywhere));
        match refused_for {
            Some(part) => assert!(told.as_ref().is_some_and(|told| told.contains(part)), "{told:?}"),
            None => assert_eq!(told, None),
        }
        assert_eq!(reason(security.check_listener("[::1]:1".parse().unwrap())), None);
    }
    let settings = ServerSettings {
        listen: "0.0.0.0:0".to_owned(),
        ..ServerSettings::default()
    };
    let bound = bind(&settings).await.unwrap();
    let health = crate::server::health_reporter().await;
    let served = bound
        .serve(tonic::service::Routes::default(), health, Default::default())
        .await;
    assert!(
        matches!(served, Err(ServerFault::Unprotected(_))),
        "also who forgets to ask is refused"
    );
}

#[test]
fn everything_wrong_with_the_settings_is_told() {
    let folder = Folder::new();
    let settings = SecuritySettings {
        tls: TlsSettings {
            cert_file: folder.write("tls.crt", "nothing"),
            key_file: folder.path("absent").display().to_string(),
            ..TlsSettings::default()
        },
        token_file: folder.write("token", "\n"),
        ..SecuritySettings::default()
    };
    let fields = |settings: &SecuritySettings| {
        let problem = Security::load(settings, clock()).err().unwrap();
        let fields = problem.violations().iter().map(|violation| violation.field.clone());
        fields.collect::<BTreeSet<_>>()
    };
    assert_eq!(fields(&settings), BTreeSet::from(["tls.key_file".to_owned()]));
    folder.write("absent", "nothing");
    assert_eq!(
        fields(&settings),
        BTreeSet::from(["tls".to_owned(), "token_file".to_owned()])
    );
    let wrong = SecuritySettings {
        reload_ms: 1,
        certificates: [("a".to_owned(), vec!["root".to_owned()])].into(),
        issuers: [
            ("a".to_owned(), Default::default()),
            (
                "b".to_owned(),
                IssuerSettings {
                    jwks_file: "both".to_owned(),
                    jwks_url: "http://login.example.com/keys".to_owned(),
                    jwks_refresh_s: 0,
                    ..IssuerSettings::default()
                },
            ),
        ]
        .into(),
        ..SecuritySettings::default()
    };
    let told = fields(&wrong);
    for field in [
        "reload_ms",
        "certificates",
        "certificates.a",
        "issuers.a.issuer",
        "issuers.a.jwks_file",
        "issuers.a.roles",
        "issuers.b.jwks_file",
        "issuers.b.jwks_url",
        "issuers.b.jwks_refresh_s",
        "issuers.b.jwks_retry_s",
    ] {
        assert!(told.contains(field), "{field} in {told:?}");
    }
}
