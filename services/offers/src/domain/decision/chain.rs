//! The chain of the decision log: every entry names everything before it, so that nothing can be changed, removed or put
//! in without breaking what follows; a signed head kept elsewhere shows that the whole was not written anew.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What the first entry follows.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256, in hexadecimal, of the parts: each with its length before it, so that no two lists of parts look the same.
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// The hash of the entry at `place` (from 1) that follows `before`.
pub fn link(before: &str, place: i64, content: &str) -> String {
    digest(&[before, &place.to_string(), content])
}

/// HMAC-SHA-256 of a head under `key`, in hexadecimal; empty without a key.
pub fn sign(key: &str, entries: i64, hash: &str, signed_at: i64) -> String {
    if key.is_empty() {
        return String::new();
    }
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(digest(&[&entries.to_string(), hash, &signed_at.to_string()]).as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
