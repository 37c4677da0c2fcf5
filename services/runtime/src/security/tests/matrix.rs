use serde_json::json;
use toml::Table;

use super::*;
use crate::security::{
    policy::Policy,
    token::tests::mint::{SERVICES, account, claims},
};

/// Read from the table without the code under test.
fn table() -> Vec<(String, Table)> {
    let table: Table = upswell_proto::ACCESS.parse().unwrap();
    let mut lines = Vec::new();
    for (service, methods) in table["rules"].as_table().unwrap() {
        for (method, line) in methods.as_table().unwrap() {
            lines.push((format!("{service}/{method}"), line.as_table().unwrap().clone()));
        }
    }
    lines
}

fn names(line: &Table, key: &str, name: &str) -> bool {
    let listed = line.get(key).and_then(|listed| listed.as_array());
    listed.is_some_and(|listed| listed.iter().any(|one| one.as_str() == Some(name)))
}

/// F59: every role tries every method of every service over a socket; nothing is open that the table does not open.
#[tokio::test]
async fn every_role_may_call_what_the_table_says_and_nothing_else() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let running = serve(&load(&folder.tokens(&mint))).await;
    let channel = channel(&running, &Security::default());
    let people = Policy::shipped().people().into_iter().map(|role| {
        let mut claims = claims();
        claims["roles"] = json!([format!("upswell-{role}")]);
        (role.to_owned(), false, claims)
    });
    let services = SERVICES.iter().map(|name| {
        let mut claims = claims();
        claims["sub"] = json!(account(name));
        claims["roles"] = json!([]);
        ((*name).to_owned(), true, claims)
    });
    let (mut tried, mut open) = (0, 0);
    for (role, is_service, claims) in people.chain(services) {
        let headers = authorization(&format!("Bearer {}", mint.es256(&claims)));
        for (method, line) in table() {
            let permitted = match is_service {
                true => names(&line, "services", &role),
                false if role == "admin" => line.contains_key("roles") || line.contains_key("own"),
                false => names(&line, "roles", &role) || names(&line, "own", &role),
            };
            let code = ask(&channel, &method, headers.clone()).await.code();
            assert_eq!(code != Code::PermissionDenied, permitted, "{role} {method}: {code:?}");
            assert_ne!(code, Code::Unauthenticated, "{role} {method}");
            (tried, open) = (tried + 1, open + usize::from(permitted));
        }
        let unknown = ask(&channel, "upswell.offers.v1.OfferService/Unheard", headers).await;
        assert_eq!(unknown.code(), Code::PermissionDenied, "{role}");
    }
    assert!(tried > 1000 && open > 200 && open < tried / 2, "{open} of {tried}");
}
