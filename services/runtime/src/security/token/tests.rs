//! Tokens that must not be believed, one table; `security::tests` sends all of them over a socket as well.

pub(in crate::security) mod mint;

use serde_json::{Value, json};

use self::mint::{AUDIENCE, ISSUER, Mint, NOW, claims, encode};
use super::*;

const MANY: usize = 25;

/// Changes one member of the claims; null as text removes it.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// What is wrong with it, the token, and why it is not believed.
pub(in crate::security) fn malformed(mint: &Mint) -> Vec<(&'static str, String, TokenFault)> {
    let mut all = forms(mint);
    all.extend(headers(mint));
    all.extend(signatures(mint));
    all.extend(times(mint));
    all.extend(people(mint));
    all
}

fn forms(mint: &Mint) -> Vec<(&'static str, String, TokenFault)> {
    use TokenFault::{Malformed, TooLong};
    let good = mint.es256(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    vec![
        ("nothing", String::new(), Malformed),
        ("two parts", signed.to_owned(), Malformed),
        ("four parts", format!("{good}.{signature}"), Malformed),
        ("a space before it", format!(" {good}"), Malformed),
        ("a space after it", format!("{good} "), Malformed),
        ("a tab inside", format!("{signed}.\t{signature}"), Malformed),
        ("padding", format!("{header}.{payload}.{signature}=="), Malformed),
        (
            "the other alphabet",
            format!("{header}.{payload}.+/{}", &signature[2..]),
            Malformed,
        ),
        ("no header", format!(".{payload}.{signature}"), Malformed),
        (
            "a header that is no JSON",
            format!("{}.{payload}.{signature}", encode("{")),
            Malformed,
        ),
        (
            "a header that is a list",
            format!("{}.{payload}.{signature}", encode("[]")),
            Malformed,
        ),
        ("claims that are a list", mint.raw(&mint::header(), "[]"), Malformed),
        ("huge", mint.es256(&with("padding", json!("x".repeat(9_000)))), TooLong),
    ]
}

fn headers(mint: &Mint) -> Vec<(&'static str, String, TokenFault)> {
    use TokenFault::{Header, Key, Malformed};
    let header = |change: Value| {
        let mut header: Value = serde_json::from_str(&mint::header()).unwrap();
        header
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        mint.raw(&header.to_string(), &claims().to_string())
    };
    vec![
        ("a key in the header", header(json!({"jwk": {"kty": "EC"}})), Header),
        (
            "an address of keys",
            header(json!({"jku": "https://evil.example/keys"})),
            Header,
        ),
        (
            "an address of a certificate",
            header(json!({"x5u": "https://evil.example/x"})),
            Header,
        ),
        ("a certificate in the header", header(json!({"x5c": ["MIIB"]})), Header),
        ("something critical", header(json!({"crit": ["exp"]})), Header),
        ("something critical that is null", header(json!({"crit": null})), Header),
        ("a payload that is not encoded", header(json!({"b64": false})), Header),
        ("another type", header(json!({"typ": "JWE"})), Header),
        ("a kid that is a number", header(json!({"kid": 1})), Header),
        ("a kid without end", header(json!({"kid": "k".repeat(300)})), Header),
        ("a kid that is a path", header(json!({"kid": "../../dev/null"})), Key),
        ("a kid that is SQL", header(json!({"kid": "ec' OR '1'='1"})), Key),
        ("an unknown kid", header(json!({"kid": "gone"})), Key),
        ("no kid", mint.raw(r#"{"alg":"ES256"}"#, &claims().to_string()), Header),
        ("no alg", mint.raw(r#"{"kid":"ec"}"#, &claims().to_string()), Header),
        (
            "two algs",
            mint.raw(r#"{"alg":"ES256","kid":"ec","alg":"none"}"#, &claims().to_string()),
            Malformed,
        ),
    ]
}

fn signatures(mint: &Mint) -> Vec<(&'static str, String, TokenFault)> {
    use TokenFault::{Algorithm, Signature};
    let good = mint.es256(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let unsigned = |header: &str| format!("{}.{}.", encode(header), encode(claims().to_string()));
    let none = unsigned(r#"{"alg":"none","kid":"ec"}"#);
    let admin = encode(with("roles", json!(["upswell-admin"])).to_string());
    let header = signed.split_once('.').unwrap().0;
    vec![
        ("alg none", none.clone(), Algorithm),
        (
            "alg none in capitals",
            none.replace(
                &encode(r#"{"alg":"none","kid":"ec"}"#),
                &encode(r#"{"alg":"NONE","kid":"ec"}"#),
            ),
            Algorithm,
        ),
        ("alg none with a signature", format!("{none}{signature}"), Algorithm),
        ("HS256 with the public key as secret", mint.hs256(&claims()), Algorithm),
        (
            "RS256 for a key of P-256",
            mint.raw(r#"{"alg":"RS256","kid":"ec"}"#, &claims().to_string()),
            Algorithm,
        ),
        (
            "an algorithm that the issuer may not use",
            mint.raw(
                r#"{"alg":"ES256","kid":"ec"}"#,
                &with("iss", json!(mint::RSA_ONLY)).to_string(),
            ),
            Algorithm,
        ),
        ("no signature", format!("{signed}."), Signature),
        ("a signature of somebody else", Mint::new().es256(&claims()), Signature),
        (
            "other claims than were signed",
            format!("{header}.{admin}.{signature}"),
            Signature,
        ),
        ("a signature in DER", mint.es256_der(&claims()), Signature),
        ("a signature cut short", good[..good.len() - 6].to_owned(), Signature),
    ]
}

fn times(mint: &Mint) -> Vec<(&'static str, String, TokenFault)> {
    use TokenFault::{Claims, Expired, Lifetime, NotYet};
    let token = |claims: Value| mint.es256(&claims);
    vec![
        ("expired", token(with("exp", json!(NOW - 31))), Expired),
        (
            "exp as text",
            token(with("exp", json!((NOW + 600).to_string()))),
            Claims,
        ),
        (
            "exp with a fraction",
            token(with("exp", json!(NOW as f64 + 600.5))),
            Claims,
        ),
        ("exp null", token(with("exp", json!(null))), Claims),
        ("no exp", token(without("exp")), Claims),
        ("nbf in the future", token(with("nbf", json!(NOW + 31))), NotYet),
        ("nbf as text", token(with("nbf", json!("0"))), Claims),
        ("nbf null", token(with("nbf", json!(null))), Claims),
        ("iat in the future", token(with("iat", json!(NOW + 31))), NotYet),
        ("no iat", token(without("iat")), Claims),
        ("a life too long", token(with("exp", json!(NOW + 86_401))), Lifetime),
        ("a life without end", token(with("exp", json!(i64::MAX))), Lifetime),
        ("a birth before time", token(with("iat", json!(i64::MIN))), Lifetime),
    ]
}

fn people(mint: &Mint) -> Vec<(&'static str, String, TokenFault)> {
    use TokenFault::{Audience, Claims, Issuer, Malformed, NoRole, Nobody};
    let token = |claims: Value| mint.es256(&claims);
    let twice = claims().to_string().replacen('{', r#"{"sub":"root","#, 1);
    let mail = |said: Value| {
        let mut claims = with("iss", json!(mint::BY_MAIL));
        claims["email"] = json!("anna@example.com");
        claims["email_verified"] = said;
        mint.es256(&claims)
    };
    vec![
        ("another audience", token(with("aud", json!("billing"))), Audience),
        (
            "other audiences",
            token(with("aud", json!(["billing", "upswell2"]))),
            Audience,
        ),
        (
            "an audience of another case",
            token(with("aud", json!(AUDIENCE.to_uppercase()))),
            Audience,
        ),
        ("an audience that is a number", token(with("aud", json!(7))), Claims),
        ("no audience", token(without("aud")), Claims),
        (
            "another issuer",
            token(with("iss", json!("https://evil.example"))),
            Issuer,
        ),
        (
            "an issuer with a slash more",
            token(with("iss", json!(format!("{ISSUER}/")))),
            Issuer,
        ),
        ("issuers in a list", token(with("iss", json!([ISSUER]))), Claims),
        ("no issuer", token(without("iss")), Claims),
        ("no sub", token(without("sub")), Claims),
        ("an empty sub", token(with("sub", json!(""))), Nobody),
        (
            "a sub that is no name",
            token(with("sub", json!("anna; drop table"))),
            Nobody,
        ),
        ("two subs", mint.raw(&mint::header(), &twice), Malformed),
        ("no roles", token(without("roles")), NoRole),
        (
            "roles that nobody knows",
            token(with("roles", json!(["Admin", "root"]))),
            NoRole,
        ),
        (
            "roles that are no text",
            token(with("roles", json!({"upswell-csm": true}))),
            NoRole,
        ),
        ("an address that nobody verified", mail(json!(false)), Nobody),
        ("an address that was verified as text", mail(json!("false")), Nobody),
    ]
}

#[test]
fn malformed_tokens_are_not_believed() {
    let mint = Mint::new();
    let issuers = mint.issuers();
    let vectors = malformed(&mint);
    assert!(vectors.len() >= MANY, "{}", vectors.len());
    for (what, token, fault) in vectors {
        match verify(&token, &issuers, NOW) {
            Err(found) => assert_eq!(found, fault, "{what}"),
            Ok(_) => panic!("{what} was believed"),
        }
    }
}

#[test]
fn good_tokens_are_believed_within_the_leeway() {
    let mint = Mint::new();
    let issuers = mint.issuers();
    let mail = json!({
        "iss": mint::BY_MAIL, "sub": "8f3", "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW,
        "email": "Anna@Example.com", "email_verified": true, "roles": "upswell-csm",
    });
    let kubernetes = json!({
        "iss": ISSUER, "sub": "system:serviceaccount:upswell:offers", "aud": [AUDIENCE], "exp": NOW + 600, "iat": NOW, "nbf": NOW,
        "kubernetes.io": {"namespace": "upswell"},
    });
    for (what, token, name) in [
        ("ES256", mint.es256(&claims()), "anna"),
        ("RS256", mint.rs256(&claims()), "anna"),
        (
            "one of its audiences",
            mint.es256(&with("aud", json!(["billing", AUDIENCE]))),
            "anna",
        ),
        ("just expired", mint.es256(&with("exp", json!(NOW - 29))), "anna"),
        ("just not yet", mint.es256(&with("nbf", json!(NOW + 30))), "anna"),
        ("without nbf", mint.es256(&without("nbf")), "anna"),
        ("by mail", mint.es256(&mail), "anna@example.com"),
        (
            "a service account",
            mint.es256(&kubernetes),
            "system:serviceaccount:upswell:offers",
        ),
        (
            "an access token",
            mint.raw(
                r#"{"typ":"at+JWT","alg":"ES256","kid":"ec","x5t":"abc"}"#,
                &claims().to_string(),
            ),
            "anna",
        ),
    ] {
        let verified = verify(&token, &issuers, NOW)
            .map_err(|fault| format!("{what}: {fault}"))
            .unwrap();
        assert_eq!(&*verified.caller.name, name, "{what}");
    }
}

#[test]
fn roles_come_from_the_claim_and_from_the_subject() {
    let mint = Mint::new();
    let issuers = mint.issuers();
    let names = |claims: &Value| {
        let caller = verify(&mint.es256(claims), &issuers, NOW).unwrap().caller;
        Policy::shipped().names(caller.roles).join(" ")
    };
    assert_eq!(names(&claims()), "csm");
    assert_eq!(
        names(&with("roles", json!(["upswell-csm", "upswell-admin", 7, "else"]))),
        "csm admin"
    );
    assert_eq!(
        names(&with("sub", json!("system:serviceaccount:upswell:offers"))),
        "csm service:offers"
    );
    let mut nested = with("iss", json!(mint::BY_MAIL));
    nested.as_object_mut().unwrap().remove("roles");
    nested["email"] = json!("anna@example.com");
    nested["realm"] = json!({"roles": ["upswell-csm"]});
    assert!(verify(&mint.es256(&nested), &issuers, NOW).is_err(), "another claim");
}

#[test]
fn a_nested_claim_is_found_by_its_path() {
    let payload = json!({"realm_access": {"roles": ["a"]}, "https://x.example/roles": "b"});
    let payload = payload.as_object().unwrap();
    assert_eq!(path(payload, "realm_access.roles"), Some(&json!(["a"])));
    assert_eq!(path(payload, "https://x.example/roles"), Some(&json!("b")));
    assert_eq!(path(payload, "realm_access.other"), None);
    assert_eq!(path(payload, "other.roles"), None);
}
