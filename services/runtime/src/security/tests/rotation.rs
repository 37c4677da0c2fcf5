use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::security::token::tests::mint::{account, claims};

const OFFERS: &str = "spiffe://cluster.local/ns/upswell/sa/offers";

fn settings(folder: &Folder, authority: &str, identity: &(String, String)) -> SecuritySettings {
    SecuritySettings {
        tls: folder.tls(authority, identity),
        certificates: [(OFFERS.to_owned(), vec!["service:offers".to_owned()])].into(),
        ..SecuritySettings::default()
    }
}

/// T15: leaf certificates, then the authority, first of the server and then of the client, without a restart.
#[tokio::test]
async fn certificates_and_authorities_change_while_the_process_runs() {
    let (old, new) = (Authority::new(), Authority::new());
    let (ours, theirs) = (Folder::new(), Folder::new());
    let server = load(&settings(&ours, &old.pem, &old.issue(&[NAME])));
    let client = load(&settings(&theirs, &old.pem, &old.issue(&[OFFERS])));
    let running = serve(&server).await;
    let open = channel(&running, &client);
    assert_eq!(code(&open, DELIVER).await, Code::Ok);
    assert!(!server.reload().unwrap(), "nothing changed");

    let both = format!("{}{}", old.pem, new.pem);
    settings(&ours, &both, &new.issue(&[NAME]));
    assert!(server.reload().unwrap());
    assert_eq!(
        code(&open, DELIVER).await,
        Code::Ok,
        "a connection outlives the renewal"
    );
    assert_eq!(
        code(&channel(&running, &client), DELIVER).await,
        Code::Unavailable,
        "the client knows the old one only"
    );

    settings(&theirs, &both, &old.issue(&[OFFERS]));
    assert!(client.reload().unwrap());
    assert_eq!(code(&channel(&running, &client), DELIVER).await, Code::Ok);

    settings(&ours, &new.pem, &new.issue(&[NAME]));
    assert!(server.reload().unwrap());
    assert_eq!(
        code(&channel(&running, &client), DELIVER).await,
        Code::Unavailable,
        "the old authority is gone"
    );
    settings(&theirs, &new.pem, &new.issue(&[OFFERS]));
    assert!(client.reload().unwrap());
    assert_eq!(code(&channel(&running, &client), DELIVER).await, Code::Ok);
}

#[tokio::test]
async fn half_a_renewal_changes_nothing() {
    let (authority, folder, theirs) = (Authority::new(), Folder::new(), Folder::new());
    let server = load(&settings(&folder, &authority.pem, &authority.issue(&[NAME])));
    let client = load(&settings(&theirs, &authority.pem, &authority.issue(&[OFFERS])));
    let running = serve(&server).await;
    let (cert, key) = authority.issue(&[NAME]);
    folder.write("tls.crt", &cert);
    assert!(server.reload().is_err(), "the key is still that of the old certificate");
    assert_eq!(code(&channel(&running, &client), DELIVER).await, Code::Ok);
    folder.write("tls.key", "");
    assert!(server.reload().is_err());
    fs::remove_file(folder.path("tls.key")).unwrap();
    assert!(server.reload().is_err());
    assert_eq!(code(&channel(&running, &client), DELIVER).await, Code::Ok);
    folder.write("tls.key", &key);
    assert!(server.reload().unwrap());
    assert_eq!(code(&channel(&running, &client), DELIVER).await, Code::Ok);
}

/// A key that was taken back is not believed because it once was.
#[tokio::test]
async fn the_keys_of_an_issuer_change_and_what_was_verified_is_forgotten() {
    let (folder, old, new) = (Folder::new(), Mint::new(), Mint::new());
    let security = load(&folder.tokens(&old));
    let running = serve(&security).await;
    let channel = channel(&running, &Security::default());
    let token = |mint: &Mint| {
        let mut claims = claims();
        claims["sub"] = json!(account("offers"));
        authorization(&format!("Bearer {}", mint.es256(&claims)))
    };
    assert_eq!(ask(&channel, DELIVER, token(&old)).await.code(), Code::Ok);
    assert_eq!(ask(&channel, DELIVER, token(&new)).await.code(), Code::Unauthenticated);
    folder.tokens(&new);
    assert!(security.reload().unwrap());
    assert_eq!(ask(&channel, DELIVER, token(&old)).await.code(), Code::Unauthenticated);
    assert_eq!(ask(&channel, DELIVER, token(&new)).await.code(), Code::Ok);
}

#[tokio::test]
async fn files_are_followed() {
    let (folder, old, new) = (Folder::new(), Mint::new(), Mint::new());
    let security = load(&SecuritySettings {
        reload_ms: 100,
        ..folder.tokens(&old)
    });
    let ending = CancellationToken::new();
    let following = security.follow(ending.clone());
    folder.tokens(&new);
    let expected = load(&folder.tokens(&new)).state().digest.clone();
    let renewed = async {
        while security.state().digest != expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.unwrap();
    ending.cancel();
    following.await.unwrap();
}
