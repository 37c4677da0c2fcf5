//! Signatures of webhooks as in the Standard Webhooks specification: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`, each signature `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::secrets::Secret;

#[cfg(test)]
mod tests;

/// Names the message; the same in every attempt.
pub const ID: &str = "webhook-id";
/// Seconds since 1970 of the attempt.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Signatures, a space between them.
pub const SIGNATURE: &str = "webhook-signature";

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
/// Keys are 24 to 64 bytes long, says the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The keys of an endpoint. Every one of them signs, and any of them is believed: so a key is changed without a gap.
#[derive(Clone)]
pub struct Keys(Vec<Vec<u8>>);

/// Why a message of somebody else is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// A header is missing or cannot be read.
    #[error("the headers webhook-id, webhook-timestamp and webhook-signature are needed")]
    Headers,
    /// It is too old or from the future.
    #[error("the timestamp is too far from the present time")]
    Timestamp,
    /// No signature fits.
    #[error("no signature fits")]
    Mismatch,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Keys as `whsec_` and base64. Errors: what is wrong with the first that is no key; never the key itself.
    pub fn parse(secrets: &[Secret]) -> Result<Self, &'static str> {
        let keys: Result<Vec<_>, _> = secrets.iter().map(decode_key).collect();
        keys.map(Self)
    }

    /// True when nothing can be signed or believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `webhook-signature`, one signature for each key.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signed = self
            .0
            .iter()
            .filter_map(|key| mac(key, id, &timestamp.to_string(), body));
        let all: Vec<String> = signed
            .map(|mac| format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes())))
            .collect();
        all.join(" ")
    }

    /// Believes a message that one of the keys signed, within `tolerance` of `now`.
    pub fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
        tolerance: SignedDuration,
    ) -> Result<(), SignatureFault> {
        let sent: i64 = headers.timestamp.parse().map_err(|_| SignatureFault::Headers)?;
        let sent = Timestamp::from_second(sent).map_err(|_| SignatureFault::Headers)?;
        if now.duration_since(sent).abs() > tolerance {
            return Err(SignatureFault::Timestamp);
        }
        let given: Vec<Vec<u8>> = headers
            .signature
            .split(' ')
            .filter_map(|one| STANDARD.decode(one.strip_prefix(VERSION)?).ok())
            .collect();
        // The comparison takes the same time wherever the two differ.
        let fits = |key: &Vec<u8>| {
            given.iter().any(|signature| {
                mac(key, headers.id, headers.timestamp, body).is_some_and(|mac| mac.verify_slice(signature).is_ok())
            })
        };
        if self.0.iter().any(fits) {
            Ok(())
        } else {
            Err(SignatureFault::Mismatch)
        }
    }
}

/// The three headers as they came.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// Names the message.
    pub id: &'a str,
    /// Seconds since 1970.
    pub timestamp: &'a str,
    /// Signatures.
    pub signature: &'a str,
}

/// The bytes of a key that is written as `whsec_` and base64.
pub fn decode_key(secret: &Secret) -> Result<Vec<u8>, &'static str> {
    let encoded = secret.expose().strip_prefix(PREFIX).unwrap_or(secret.expose());
    let key = STANDARD.decode(encoded).map_err(|_| "must hold `whsec_` and base64")?;
    if KEY_BYTES.contains(&key.len()) {
        Ok(key)
    } else {
        Err("must hold a key of 24 to 64 bytes")
    }
}

fn mac(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(mac)
}
