//! What an inbound reply says (T-5).

/// What is understood of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A lone plus sign: the offer is accepted.
    Accept,
    /// Anything else: kept for people to read, changes nothing.
    Words,
}

impl Answer {
    /// Reads the words of a reply. Keyboards of phones write the plus in several ways; quotation, thanks or a second
    /// plus make it words, because an order must never come of a guess.
    pub fn read(text: &str) -> Self {
        match text.trim() {
            "+" | "\u{ff0b}" | "\u{fe62}" | "\u{2795}" => Self::Accept,
            _ => Self::Words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn t5_only_a_lone_plus_accepts() {
        for text in ["+", " + ", "\n+\n", "＋"] {
            assert_eq!(Answer::read(text), Answer::Accept, "{text:?}");
        }
        for text in ["", "++", "+1", "+ thanks", "yes", "-", "\"+\"", "+ +", "не +"] {
            assert_eq!(Answer::read(text), Answer::Words, "{text:?}");
        }
    }
}
