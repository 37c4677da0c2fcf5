//! Paging by key. A token carries the last key of a page and a digest over method, filter and key, so that it is
//! refused when it comes back for another list or was altered.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::problem::{Problem, Violations};

const SIZE_DEFAULT: u32 = 50;
const SIZE_MAX: u32 = 1000;
const DIGEST: usize = 16;

/// The page that a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items at most, 1 to 1,000.
    pub size: u32,
    /// The key after which the page begins; `None` for the first page.
    pub after: Option<String>,
}

/// Reads `page_size` (0 means 50; more than 1,000 means 1,000) and `page_token` of `method`. `filter` holds whatever
/// the list depends on. Errors: INVALID_ARGUMENT with a violation per field.
pub fn parse(method: &str, filter: &[u8], page_size: i32, token: &str) -> Result<Page, Problem> {
    let mut violations = Violations::new();
    let size = u32::try_from(page_size).unwrap_or_else(|_| {
        violations.add("page_size", "must not be negative");
        0
    });
    let after = (!token.is_empty()).then(|| open(method, filter, token)).map(|opened| {
        opened.unwrap_or_else(|| {
            violations.add("page_token", "is not a token of this list with this filter");
            String::new()
        })
    });
    violations.into_result()?;
    let size = if size == 0 { SIZE_DEFAULT } else { size.min(SIZE_MAX) };
    Ok(Page { size, after })
}

/// The token of the page after `last_key`.
pub fn next_token(method: &str, filter: &[u8], last_key: &str) -> String {
    let mut bytes = digest(method, filter, last_key).to_vec();
    bytes.extend_from_slice(last_key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(method: &str, filter: &[u8], token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (sum, key) = bytes.split_at_checked(DIGEST)?;
    let key = std::str::from_utf8(key).ok()?;
    (sum == digest(method, filter, key)).then(|| key.to_owned())
}

fn digest(method: &str, filter: &[u8], key: &str) -> [u8; DIGEST] {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), filter, key.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let full: [u8; 32] = hash.finalize().into();
    let mut short = [0; DIGEST];
    short.copy_from_slice(&full[..DIGEST]);
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_have_a_default_a_limit_and_no_sign() {
        for (asked, given) in [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (i32::MAX, 1000)] {
            assert_eq!(
                parse("List", b"", asked, "").unwrap(),
                Page {
                    size: given,
                    after: None
                }
            );
        }
        assert_eq!(parse("List", b"", -1, "???").unwrap_err().violations().len(), 2);
    }

    #[test]
    fn a_token_is_bound_to_method_and_filter() {
        let token = next_token("ListOffers", b"acme", "offer-7");
        assert_eq!(
            parse("ListOffers", b"acme", 0, &token).unwrap().after.as_deref(),
            Some("offer-7")
        );
        parse("ListOffers", b"other", 0, &token).unwrap_err();
        parse("ListTouches", b"acme", 0, &token).unwrap_err();
    }

    proptest! {
        #[test]
        fn altered_tokens_fail_closed(key in ".{0,40}", at: prop::sample::Index, with in "[A-Za-z0-9_-]") {
            let mut token = next_token("List", b"filter", &key);
            prop_assert_eq!(parse("List", b"filter", 0, &token).unwrap().after, Some(key));
            let at = at.index(token.len());
            prop_assume!(token[at..=at] != with);
            token.replace_range(at..=at, &with);
            prop_assert!(parse("List", b"filter", 0, &token).is_err());
        }
    }
}
