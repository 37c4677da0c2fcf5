//! The public keys of an issuer: a JSON Web Key Set. Each key is bound to its one algorithm here, so that a token cannot
//! choose.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// Bytes of the modulus of an RSA key, at least: 2048 bits.
const RSA_MIN: usize = 256;
const RSA_MAX: usize = 1024;

/// What can be verified, by the names of RFC 7518.
pub(in crate::security) const RS256: &str = "RS256";
pub(in crate::security) const ES256: &str = "ES256";

/// Keys by their `kid`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::security) struct Keys(HashMap<String, Key>);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { point: Vec<u8> },
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

/// Members that decide nothing here are let be: issuers add their own.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a key set. Keys for encryption, without `kid`, of other kinds and other algorithms are passed over; a set
    /// without any key that can be used, or with one `kid` twice, is a fault.
    pub(in crate::security) fn parse(text: &str) -> Result<Self, String> {
        let set: Set = serde_json::from_str(text).map_err(|fault| format!("is no JSON Web Key Set: {fault}"))?;
        let mut keys = HashMap::new();
        for jwk in set.keys {
            let Some(kid) = jwk.kid.clone().filter(|kid| !kid.is_empty()) else {
                continue;
            };
            let Some(key) = Key::read(&jwk).map_err(|fault| format!("key {kid}: {fault}"))? else {
                continue;
            };
            if keys.insert(kid.clone(), key).is_some() {
                return Err(format!("has key {kid} twice"));
            }
        }
        if keys.is_empty() {
            return Err("has no RS256 or ES256 key for signatures".to_owned());
        }
        Ok(Self(keys))
    }

    pub(super) fn get(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }
}

impl Key {
    fn read(jwk: &Jwk) -> Result<Option<Self>, String> {
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Ok(None);
        }
        let said = |algorithm: &str| jwk.alg.as_deref().is_none_or(|alg| alg == algorithm);
        match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) if said(RS256) => {
                let (n, e) = (bytes("n", jwk.n.as_ref())?, bytes("e", jwk.e.as_ref())?);
                let size = n.iter().skip_while(|byte| **byte == 0).count();
                if !(RSA_MIN..=RSA_MAX).contains(&size) {
                    return Err("an RSA key must have 2048 to 8192 bits".to_owned());
                }
                Ok(Some(Self::Rsa { n, e }))
            }
            ("EC", Some("P-256")) if said(ES256) => {
                let (x, y) = (bytes("x", jwk.x.as_ref())?, bytes("y", jwk.y.as_ref())?);
                if (x.len(), y.len()) != (32, 32) {
                    return Err("a coordinate of P-256 must have 32 bytes".to_owned());
                }
                let point = [&[4][..], &x, &y].concat();
                Ok(Some(Self::P256 { point }))
            }
            _ => Ok(None),
        }
    }

    /// The one algorithm of this key.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => RS256,
            Self::P256 { .. } => ES256,
        }
    }

    /// True when `signature` is of `message` by the holder of this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            Self::P256 { point } => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
        };
        verified.is_ok()
    }
}

fn bytes(member: &str, value: Option<&String>) -> Result<Vec<u8>, String> {
    let value = value.ok_or_else(|| format!("{member} is missing"))?;
    let decoded = URL_SAFE_NO_PAD.decode(value);
    decoded.map_err(|_| format!("{member} is not base64url without padding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_verify_signatures_is_taken() {
        let (n, x) = (URL_SAFE_NO_PAD.encode([0xC5; 256]), URL_SAFE_NO_PAD.encode([7; 32]));
        let short = URL_SAFE_NO_PAD.encode([0xC5; 128]);
        for (keys, outcome) in [
            (
                format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"AQAB","x5c":["…"]}}"#),
                Ok(()),
            ),
            (
                format!(r#"{{"kty":"EC","kid":"a","crv":"P-256","x":"{x}","y":"{x}","use":"sig"}}"#),
                Ok(()),
            ),
            (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#), Err("no RS256")),
            (
                format!(r#"{{"kty":"RSA","kid":"a","use":"enc","n":"{n}","e":"AQAB"}}"#),
                Err("no RS256"),
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"a","alg":"RS512","n":"{n}","e":"AQAB"}}"#),
                Err("no RS256"),
            ),
            (r#"{"kty":"oct","kid":"a","k":"c2VjcmV0"}"#.to_owned(), Err("no RS256")),
            (
                format!(r#"{{"kty":"RSA","kid":"a","n":"{short}","e":"AQAB"}}"#),
                Err("2048"),
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"a","n":"{n}=","e":"AQAB"}}"#),
                Err("base64url"),
            ),
            (
                format!(r#"{{"kty":"EC","kid":"a","crv":"P-256","x":"{x}"}}"#),
                Err("missing"),
            ),
            (String::new(), Err("no RS256")),
            ("7".to_owned(), Err("JSON Web Key Set")),
        ] {
            let read = Keys::parse(&format!(r#"{{"keys":[{keys}]}}"#)).map(drop);
            match (read, outcome) {
                (Ok(()), Ok(())) => {}
                (Err(told), Err(part)) => assert!(told.contains(part), "{keys}: {told}"),
                (read, _) => panic!("{keys}: {read:?}"),
            }
        }
        let key = format!(r#"{{"kty":"EC","kid":"a","crv":"P-256","x":"{x}","y":"{x}"}}"#);
        assert!(
            Keys::parse(&format!(r#"{{"keys":[{key},{key}]}}"#))
                .unwrap_err()
                .contains("twice")
        );
    }
}
