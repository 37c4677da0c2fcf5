//! Tokens that were verified, by their hash and until they end, so that a caller costs one signature and not one a call.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use ring::digest::{SHA256, digest};

use super::{caller::Caller, token::Verified};

/// Tokens that are remembered at most, some 100 bytes each.
const TOKENS: usize = 4096;

type Hash = [u8; 32];

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<Hash, Verified>>);

impl Cache {
    pub(super) fn get(&self, hash: &Hash, now: i64) -> Option<Caller> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(hash).filter(|verified| verified.until > now)?;
        Some(found.caller.clone())
    }

    /// Makes room by what has ended, or else by everything: it costs a signature each to know it again.
    pub(super) fn put(&self, hash: Hash, verified: Verified, now: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TOKENS {
            known.retain(|_, verified| verified.until > now);
        }
        if known.len() >= TOKENS {
            known.clear();
        }
        known.insert(hash, verified);
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

pub(super) fn hash(token: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_ends_with_the_token_and_is_bounded() {
        let cache = Cache::default();
        let verified = |until| Verified {
            caller: Caller::unasked(None),
            until,
        };
        cache.put(hash("a"), verified(10), 0);
        assert!(cache.get(&hash("a"), 9).is_some());
        assert!(cache.get(&hash("a"), 10).is_none());
        for n in 0..3 * TOKENS {
            cache.put(hash(&n.to_string()), verified(10), 0);
            assert!(cache.0.lock().unwrap().len() <= TOKENS);
        }
        cache.clear();
        assert!(cache.get(&hash("5"), 0).is_none());
    }
}
