//! Identifiers are derived from what they name, so that a retry can never create a second thing.

use uuid::Uuid;

/// The namespace of every derived identifier. Changing it would rename everything that exists.
pub const UPSWELL_NAMESPACE: Uuid = Uuid::from_u128(0x0b6f_5c1e_8d0a_5e6b_9c55_7d1f_64c2_a1e3);

/// UUIDv5 of `kind` and `parts`; each is length-prefixed, so `["ab", "c"]` and `["a", "bc"]` differ.
pub fn derive(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = Vec::with_capacity(64);
    for part in std::iter::once(&kind).chain(parts) {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&UPSWELL_NAMESPACE, &name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::derive;

    #[test]
    fn the_same_thing_has_the_same_name_for_ever() {
        let id = derive("offer", &["acme", "seats", "3"]);
        assert_eq!(id, derive("offer", &["acme", "seats", "3"]));
        assert_eq!(id.get_version_num(), 5);
        assert_eq!(id.to_string(), "6f50fd06-7e8d-5800-9ebb-2421fd68ea20");
    }

    #[test]
    fn borders_between_parts_count() {
        assert_ne!(derive("a", &["bc"]), derive("ab", &["c"]));
        assert_ne!(derive("a", &["b", ""]), derive("a", &["b"]));
    }

    proptest! {
        #[test]
        fn different_parts_have_different_names(a: Vec<String>, b: Vec<String>) {
            prop_assume!(a != b);
            let a: Vec<&str> = a.iter().map(String::as_str).collect();
            let b: Vec<&str> = b.iter().map(String::as_str).collect();
            prop_assert_ne!(derive("x", &a), derive("x", &b));
        }
    }
}
