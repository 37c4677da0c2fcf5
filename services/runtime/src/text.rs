//! Strings from outside: normalised once, and refused when they hide something from a reader.

use unicode_normalization::UnicodeNormalization as _;

/// The longest identifier [`key`] accepts, in characters.
pub const MAX_KEY: usize = 128;

/// Why a string was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Longer than the field allows, counted in Unicode scalar values after normalisation.
    #[error("must have at most {max} characters, has {found}")]
    TooLong { max: usize, found: usize },
    /// A control, bidirectional or invisible character.
    #[error("must not contain the character U+{0:04X}")]
    Forbidden(u32),
    /// An identifier has to say something.
    #[error("must not be empty")]
    Empty,
    /// Not of the identifier alphabet.
    #[error("must start with a letter or digit and have only a-z, 0-9 and ._:/@-")]
    NotAKey,
}

/// Text for people: NFC and trimmed. NUL, control, bidirectional-control and invisible characters
/// are refused, except joiners between visible characters. Empty stays empty.
pub fn clean(value: &str, max_chars: usize) -> Result<String, TextFault> {
    let composed: String = value.nfc().collect();
    let text = composed.trim();
    if let Some(bad) = text.chars().find(|c| is_forbidden(*c)) {
        return Err(TextFault::Forbidden(bad.into()));
    }
    for end in [text.chars().next(), text.chars().next_back()] {
        if let Some(joiner) = end.filter(|c| is_joiner(*c)) {
            return Err(TextFault::Forbidden(joiner.into()));
        }
    }
    let found = text.chars().count();
    if found > max_chars {
        return Err(TextFault::TooLong { max: max_chars, found });
    }
    Ok(text.to_owned())
}

/// An identifier given by a caller: NFC, trimmed, lower case, `[a-z0-9][a-z0-9._:/@-]{0,127}`.
pub fn key(value: &str) -> Result<String, TextFault> {
    let composed: String = value.nfc().collect();
    let key = composed.trim().to_lowercase();
    let first = key.chars().next().ok_or(TextFault::Empty)?;
    let found = key.chars().count();
    if found > MAX_KEY {
        return Err(TextFault::TooLong { max: MAX_KEY, found });
    }
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let allowed = |c: char| alphanumeric(c) || "._:/@-".contains(c);
    if alphanumeric(first) && key.chars().all(allowed) {
        Ok(key)
    } else {
        Err(TextFault::NotAKey)
    }
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}'
            | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{FFFE}' | '\u{FFFF}'
            | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TextFault, clean, key};

    #[test]
    fn clean_composes_and_trims() {
        assert_eq!(clean("  Cafe\u{301} \n", 10).unwrap(), "Caf\u{e9}");
        assert_eq!(clean("   ", 10).unwrap(), "");
        assert_eq!(clean("Қазақша 👩\u{200D}💻", 20).unwrap(), "Қазақша 👩\u{200D}💻");
    }

    #[test]
    fn clean_refuses_what_a_reader_cannot_see() {
        let cases = [
            ("a\0b", 0),
            ("a\nb", 0x0A),
            ("a\u{1b}[31mb", 0x1B),
            ("a\u{85}b", 0x85),
            ("a\u{202E}b", 0x202E),
            ("a\u{2066}b", 0x2066),
            ("a\u{200B}b", 0x200B),
            ("a\u{FEFF}b", 0xFEFF),
            ("a\u{2028}b", 0x2028),
            ("a\u{E0041}b", 0xE0041),
            ("a\u{200D}", 0x200D),
            ("\u{200C}a", 0x200C),
        ];
        for (text, bad) in cases {
            assert_eq!(clean(text, 10), Err(TextFault::Forbidden(bad)), "{text:?}");
        }
    }

    #[test]
    fn clean_counts_characters_after_composition() {
        assert_eq!(clean("e\u{301}e\u{301}", 2).unwrap(), "éé");
        let fault = TextFault::TooLong { max: 2, found: 3 };
        assert_eq!(clean("ééé", 2), Err(fault));
    }

    #[test]
    fn key_is_one_spelling() {
        assert_eq!(key(" Acme-01 ").unwrap(), "acme-01");
        assert_eq!(key("crm:acme/eu@1.2_x").unwrap(), "crm:acme/eu@1.2_x");
        assert_eq!(key("  "), Err(TextFault::Empty));
        for bad in ["-acme", "ac me", "ac\0me", "аcme", "acme;", "acme'--", "%"] {
            assert_eq!(key(bad), Err(TextFault::NotAKey), "{bad:?}");
        }
        assert!(key(&"a".repeat(128)).is_ok());
        assert!(matches!(key(&"a".repeat(129)), Err(TextFault::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text: String) {
            if let Ok(once) = clean(&text, 1000) {
                prop_assert_eq!(clean(&once, 1000), Ok(once));
            }
            if let Ok(once) = key(&text) {
                prop_assert_eq!(key(&once), Ok(once));
            }
        }
    }
}
