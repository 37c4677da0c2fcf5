use std::sync::atomic::Ordering;

use http::{HeaderValue, header::AUTHORIZATION};
use serde_json::json;
use tonic_types::StatusExt as _;

use super::*;
use crate::{
    security::token::tests::{
        malformed,
        mint::{account, claims},
    },
    server::ACTOR_METADATA,
};

const REQUEUE: &str = "upswell.admin.v1.AdminService/RequeueDeadLetter";
const OFFERS: &str = "upswell.offers.v1.OfferService/ListOffers";

/// A token of the service offers, which may deliver.
fn offers(mint: &Mint) -> String {
    let mut claims = claims();
    claims["sub"] = json!(account("offers"));
    claims["roles"] = json!([]);
    mint.es256(&claims)
}

#[tokio::test]
async fn every_malformed_token_gets_the_same_answer() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let security = load(&folder.tokens(&mint));
    let running = serve(&security).await;
    let channel = channel(&running, &Security::default());
    let mut answers = Vec::new();
    for (what, token, _) in malformed(&mint) {
        let headers = HeaderValue::from_str(&format!("Bearer {token}"));
        let headers = HeaderMap::from_iter([(AUTHORIZATION, headers.unwrap())]);
        let status = ask(&channel, DELIVER, headers).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{what}");
        answers.push((status.message().to_owned(), status.details().to_vec()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "nobody learns what was wrong");
    assert_eq!(running.calls.load(Ordering::SeqCst), 0, "no handler ran");
    let good = ask(&channel, DELIVER, authorization(&format!("Bearer {}", offers(&mint)))).await;
    assert_ne!(good.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn authorizations_that_are_no_bearer_token() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let security = load(&folder.tokens(&mint));
    let running = serve(&security).await;
    let channel = channel(&running, &Security::default());
    let token = offers(&mint);
    let twice = HeaderMap::from_iter([
        (
            AUTHORIZATION,
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
        ),
        (
            AUTHORIZATION,
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
        ),
    ]);
    assert_eq!(twice.get_all(AUTHORIZATION).iter().count(), 2);
    for (what, headers, code) in [
        ("nothing", HeaderMap::new(), Code::Unauthenticated),
        ("two of them", twice, Code::Unauthenticated),
        (
            "a password",
            authorization("Basic YW5uYTpodW50ZXIy"),
            Code::Unauthenticated,
        ),
        ("no scheme", authorization(&token), Code::Unauthenticated),
        (
            "two spaces",
            authorization(&format!("Bearer  {token}")),
            Code::Unauthenticated,
        ),
        (
            "a tab",
            authorization(&format!("Bearer\t{token}")),
            Code::Unauthenticated,
        ),
        (
            "two tokens",
            authorization(&format!("Bearer {token},{token}")),
            Code::Unauthenticated,
        ),
        ("only the scheme", authorization("Bearer"), Code::Unauthenticated),
        (
            "any case of the scheme",
            authorization(&format!("bEARER {token}")),
            Code::Ok,
        ),
    ] {
        assert_eq!(ask(&channel, DELIVER, headers).await.code(), code, "{what}");
    }
}

#[tokio::test]
async fn the_actor_is_who_the_token_names_and_nobody_else() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let security = load(&folder.tokens(&mint));
    let running = serve(&security).await;
    let channel = channel(&running, &Security::default());
    let token = authorization(&format!("Bearer {}", mint.es256(&claims())));
    for (claimed, code) in [
        (None, Code::Unimplemented),
        (Some("Anna"), Code::Unimplemented),
        (Some("boris"), Code::PermissionDenied),
        (Some(""), Code::PermissionDenied),
    ] {
        let mut headers = token.clone();
        if let Some(claimed) = claimed {
            headers.insert(ACTOR_METADATA, claimed.parse().unwrap());
        }
        let status = ask(&channel, OFFERS, headers).await;
        assert_eq!(status.code(), code, "{claimed:?}");
        if code == Code::PermissionDenied {
            assert_eq!(status.get_details_error_info().unwrap().reason, "ACTOR_NOT_YOU");
        }
    }
    let mut alone = HeaderMap::new();
    alone.insert(ACTOR_METADATA, "anna".parse().unwrap());
    assert_eq!(
        ask(&channel, OFFERS, alone).await.code(),
        Code::Unauthenticated,
        "loopback is no excuse"
    );
}

#[tokio::test]
async fn a_token_ends_although_it_was_believed_before() {
    let (folder, mint, clock) = (Folder::new(), Mint::new(), clock());
    let security = Security::load(&folder.tokens(&mint), clock.clone()).unwrap();
    let running = serve(&security).await;
    let channel = channel(&running, &Security::default());
    let token = authorization(&format!("Bearer {}", offers(&mint)));
    for _ in 0..2 {
        assert_eq!(ask(&channel, DELIVER, token.clone()).await.code(), Code::Ok);
    }
    clock.set(Timestamp::from_second(NOW + 630).unwrap());
    assert_eq!(ask(&channel, DELIVER, token).await.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_process_sends_its_own_token_where_nobody_listens_in() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let server = load(&folder.tokens(&mint));
    let running = serve(&server).await;
    let own = load(&SecuritySettings {
        token_file: folder.write("token", &format!("{}\n", offers(&mint))),
        ..SecuritySettings::default()
    });
    assert_eq!(code(&channel(&running, &own), DELIVER).await, Code::Ok);
    assert_eq!(code(&channel(&running, &own), REQUEUE).await, Code::PermissionDenied);
    assert!(
        !format!("{own:?}").contains(&offers(&mint)[..20]),
        "it does not show itself"
    );
}

#[tokio::test]
async fn reflection_is_off_where_callers_are_asked() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let mut settings = folder.tokens(&mint);
    let reflection = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let health = "grpc.health.v1.Health/Check";
    for (said, code_of_reflection) in [(false, Code::Unimplemented), (true, Code::Ok)] {
        settings.reflection = said;
        let running = serve(&load(&settings)).await;
        let channel = channel(&running, &Security::default());
        assert_eq!(code(&channel, reflection).await, code_of_reflection);
        assert_eq!(code(&channel, health).await, Code::Ok, "probes need no token");
    }
    let running = serve(&Security::default()).await;
    assert_eq!(
        code(&channel(&running, &Security::default()), reflection).await,
        Code::Ok
    );
}
