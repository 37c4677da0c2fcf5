//! An issuer for tests, which also issues what no issuer would.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use serde_json::{Value, json};

use super::super::{Issuer, keys::RS256};
use crate::security::{policy::Policy, settings::IssuerSettings};

pub(in crate::security) const ISSUER: &str = "https://login.example.com";
pub(in crate::security) const RSA_ONLY: &str = "https://rsa.example.com";
pub(in crate::security) const BY_MAIL: &str = "https://mail.example.com";
pub(in crate::security) const AUDIENCE: &str = "upswell";
pub(in crate::security) const NOW: i64 = 1_800_000_000;

pub(in crate::security) const SERVICES: [&str; 5] = ["ingestion", "scoring", "offers", "renewals", "metrics"];

/// Used nowhere but here.
const RSA: &str = include_str!("rsa.pk8.b64");

/// Keys `ec` and `rsa`.
pub(in crate::security) struct Mint {
    pkcs8: Vec<u8>,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
    random: SystemRandom,
}

pub(in crate::security) fn header() -> String {
    r#"{"typ":"JWT","alg":"ES256","kid":"ec"}"#.to_owned()
}

pub(in crate::security) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "anna", "aud": AUDIENCE, "exp": NOW + 600, "iat": NOW, "nbf": NOW, "roles": ["upswell-csm"],
    })
}

/// The `sub` of a service.
pub(in crate::security) fn account(service: &str) -> String {
    format!("system:serviceaccount:upswell:{service}")
}

pub(in crate::security) fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

impl Mint {
    pub(in crate::security) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let rsa = STANDARD.decode(RSA.split_whitespace().collect::<String>()).unwrap();
        Self {
            pkcs8: pkcs8.as_ref().to_vec(),
            ec,
            rsa: RsaKeyPair::from_pkcs8(&rsa).unwrap(),
            random,
        }
    }

    pub(in crate::security) fn jwks(&self) -> String {
        let point = self.ec.public_key().as_ref();
        let rsa = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": encode(&point[1..33]), "y": encode(&point[33..])},
            {"kty": "RSA", "kid": "rsa", "alg": "RS256", "n": encode(rsa.n), "e": encode(rsa.e)},
        ]})
        .to_string()
    }

    /// Settings by the names of the issuers.
    pub(in crate::security) fn settings() -> BTreeMap<String, IssuerSettings> {
        let people = Policy::shipped().people().into_iter();
        let roles: BTreeMap<_, _> = people
            .map(|role| (format!("upswell-{role}"), vec![role.to_owned()]))
            .collect();
        let service = |name: &str| (account(name), vec![format!("service:{name}")]);
        let services: BTreeMap<_, _> = SERVICES.map(service).into();
        let issuer = |issuer: &str| IssuerSettings {
            issuer: issuer.to_owned(),
            roles: roles.clone(),
            subjects: services.clone(),
            ..IssuerSettings::default()
        };
        let rsa = IssuerSettings {
            algorithms: vec![RS256.to_owned()],
            ..issuer(RSA_ONLY)
        };
        let mail = IssuerSettings {
            name_claim: "email".to_owned(),
            ..issuer(BY_MAIL)
        };
        [("main", issuer(ISSUER)), ("rsa", rsa), ("mail", mail)]
            .map(|(name, issuer)| (name.to_owned(), issuer))
            .into()
    }

    pub(in crate::security) fn issuers(&self) -> Vec<Issuer> {
        let settings = Self::settings();
        let jwks = self.jwks();
        settings
            .values()
            .map(|issuer| Issuer::new(issuer, Some(&jwks), None).unwrap())
            .collect()
    }

    /// Signs whatever it is given with the key `ec`.
    pub(in crate::security) fn raw(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = self.ec.sign(&self.random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    pub(in crate::security) fn es256(&self, claims: &Value) -> String {
        self.raw(&header(), &claims.to_string())
    }

    pub(in crate::security) fn es256_der(&self, claims: &Value) -> String {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8, &self.random).unwrap();
        let signed = format!("{}.{}", encode(header()), encode(claims.to_string()));
        let signature = key.sign(&self.random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    pub(in crate::security) fn rs256(&self, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            encode(r#"{"alg":"RS256","kid":"rsa"}"#),
            encode(claims.to_string())
        );
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa
            .sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature)
            .unwrap();
        format!("{signed}.{}", encode(signature))
    }

    /// The old confusion: what everybody may know, taken for the shared secret.
    pub(in crate::security) fn hs256(&self, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            encode(r#"{"alg":"HS256","kid":"ec"}"#),
            encode(claims.to_string())
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.ec.public_key().as_ref());
        format!("{signed}.{}", encode(hmac::sign(&key, signed.as_bytes())))
    }
}
