//! Bearer tokens: signed JWTs of an OIDC provider, or of Kubernetes for a service account.
//!
//! Read here and not by a JWT library, because three things must hold that those in reach do not give together: the one
//! crypto provider of the binary is ring; the time is a parameter; and a claim of the wrong type is a fault, never as if
//! it were absent (CVE-2026-25537). The key, not the token, says the algorithm; whatever in a header could bring a key
//! along refuses the token.

pub(super) mod keys;
#[cfg(test)]
pub(super) mod tests;

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::RootCertStore;
use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use self::keys::Keys;
use super::{
    caller::{Caller, Via},
    policy::{Policy, Roles},
    settings::IssuerSettings,
    tls::roots,
};
use crate::text;

/// The longest token that is looked at.
pub(super) const TOKEN_MAX: usize = 8 * 1024;
const KID_MAX: usize = 256;
/// Members of a header that bring a key along or change what a signature means.
const REFUSED: [&str; 6] = ["crit", "jwk", "jku", "x5u", "x5c", "b64"];

/// Why a token is not believed: for the audit log, the caller learns only that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("too long")]
    TooLong,
    #[error("not a signed token of three parts")]
    Malformed,
    #[error("its header is not acceptable")]
    Header,
    #[error("its claims are not acceptable")]
    Claims,
    #[error("its issuer is not known")]
    Issuer,
    #[error("its key is not known")]
    Key,
    #[error("its algorithm is not the one of the key, or not allowed")]
    Algorithm,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYet,
    #[error("it lives too long")]
    Lifetime,
    #[error("it names nobody")]
    Nobody,
    #[error("it gives no role")]
    NoRole,
}

/// An issuer as it is at present.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) settings: IssuerSettings,
    /// None before the first fetch, where they come from an address.
    pub(super) keys: Arc<Keys>,
    /// Authorities for that address.
    pub(super) roots: Option<Arc<RootCertStore>>,
}

/// A token that was verified.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    /// Second from which it is no longer good.
    pub(super) until: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// A JSON object in which no name comes twice: two readers of one that does may believe different things.
struct Object(Map<String, Value>);

/// Verifies `token` against the issuer that it names. `now` is in seconds since 1970.
pub(super) fn verify(token: &str, issuers: &[Issuer], now: i64) -> Result<Verified, TokenFault> {
    if token.len() > TOKEN_MAX {
        return Err(TokenFault::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
    let signature = decoded(signature)?;
    let header = object(header)?;
    if REFUSED.iter().any(|member| header.contains_key(*member)) {
        return Err(TokenFault::Header);
    }
    let header: Header = typed(header).ok_or(TokenFault::Header)?;
    let kind = header.typ.as_deref().unwrap_or("JWT");
    if !["jwt", "at+jwt"].contains(&kind.to_lowercase().as_str()) || header.kid.len() > KID_MAX {
        return Err(TokenFault::Header);
    }
    let payload = object(payload)?;
    let claims: Claims = typed(payload.clone()).ok_or(TokenFault::Claims)?;
    let named = |issuer: &&Issuer| issuer.settings.issuer == claims.iss;
    let issuer = issuers.iter().find(named).ok_or(TokenFault::Issuer)?;
    issuer.signed(&header, signed.as_bytes(), &signature)?;
    issuer.timely(&claims, now)?;
    issuer.identify(&claims, &payload)
}

impl Issuer {
    pub(super) fn new(settings: &IssuerSettings, jwks: Option<&str>, ca: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            settings: settings.clone(),
            keys: Arc::new(jwks.map(Keys::parse).transpose()?.unwrap_or_default()),
            roots: ca.map(roots).transpose()?,
        })
    }

    fn signed(&self, header: &Header, message: &[u8], signature: &[u8]) -> Result<(), TokenFault> {
        let key = self.keys.get(&header.kid).ok_or(TokenFault::Key)?;
        let allowed = self.settings.algorithms.contains(&header.alg);
        if !allowed || header.alg != key.algorithm() {
            return Err(TokenFault::Algorithm);
        }
        key.verifies(message, signature)
            .then_some(())
            .ok_or(TokenFault::Signature)
    }

    fn timely(&self, claims: &Claims, now: i64) -> Result<(), TokenFault> {
        let leeway = self.settings.leeway_s;
        let for_us = |audience: &String| *audience == self.settings.audience;
        let meant = match &claims.aud {
            Audience::One(audience) => for_us(audience),
            Audience::Many(audiences) => audiences.iter().any(for_us),
        };
        if !meant {
            return Err(TokenFault::Audience);
        }
        if claims.exp.saturating_add(leeway) <= now {
            return Err(TokenFault::Expired);
        }
        let from = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        if from.saturating_sub(leeway) > now {
            return Err(TokenFault::NotYet);
        }
        if claims.exp.saturating_sub(claims.iat) > self.settings.max_lifetime_s {
            return Err(TokenFault::Lifetime);
        }
        Ok(())
    }

    fn identify(&self, claims: &Claims, payload: &Map<String, Value>) -> Result<Verified, TokenFault> {
        let settings = &self.settings;
        let name = match settings.name_claim.as_str() {
            "sub" => claims.sub.as_str(),
            other => path(payload, other).and_then(Value::as_str).unwrap_or_default(),
        };
        // Whoever may write any address into an account at the provider is not the person behind that address.
        let verified = payload
            .get("email_verified")
            .is_none_or(|said| *said == Value::Bool(true));
        if claims.sub.is_empty() || (settings.name_claim == "email" && !verified) {
            return Err(TokenFault::Nobody);
        }
        let name = text::key(name).ok().filter(|name| !name.is_empty());
        let name = name.ok_or(TokenFault::Nobody)?;
        let roles = self.roles(&claims.sub, payload);
        if roles.is_empty() {
            return Err(TokenFault::NoRole);
        }
        Ok(Verified {
            caller: Caller {
                name: Arc::from(name),
                roles,
                via: Via::Token,
                own_only: false,
            },
            until: claims.exp.saturating_add(settings.leeway_s),
        })
    }

    /// What the settings make of the subject and of the values of the roles claim.
    fn roles(&self, subject: &str, payload: &Map<String, Value>) -> Roles {
        let settings = &self.settings;
        let claimed = match path(payload, &settings.roles_claim) {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let by_claim = claimed.into_iter().filter_map(|value| settings.roles.get(value));
        let given = by_claim.chain(settings.subjects.get(subject));
        let policy = Policy::shipped();
        given.fold(Roles::default(), |roles, names| {
            roles.and(policy.roles(names).unwrap_or_default())
        })
    }
}

/// `realm_access.roles`: the member of a member.
fn path<'a>(payload: &'a Map<String, Value>, dotted: &str) -> Option<&'a Value> {
    if let Some(value) = payload.get(dotted) {
        return Some(value);
    }
    let (first, rest) = dotted.split_once('.')?;
    path(payload.get(first)?.as_object()?, rest)
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}

fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    let read = serde_json::from_slice::<Object>(&decoded(part)?);
    read.map(|object| object.0).map_err(|_| TokenFault::Malformed)
}

fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Option<T> {
    serde_json::from_value(Value::Object(object)).ok()
}

/// A member that may be absent, but not null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Object;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name comes twice"));
                    }
                }
                Ok(Object(object))
            }
        }
        deserializer.deserialize_map(Once)
    }
}
