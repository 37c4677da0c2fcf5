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

/// What a person wrote in an e-mail reply: the lines above the quotation and the signature. Mail programs quote with `>`,
/// or put a line above that ends in a colon and names when or who, or a row of dashes or underscores.
pub fn visible(text: &str) -> String {
    let is_quote = |line: &str| {
        let line = line.trim();
        let rule = line.starts_with("-----") || line.starts_with("_____");
        let introduction = line.ends_with(':') && (line.contains('@') || line.chars().any(|c| c.is_ascii_digit()));
        line.starts_with('>') || line == "--" || rule || introduction
    };
    let own: Vec<&str> = text.lines().take_while(|line| !is_quote(line)).collect();
    own.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Answer, visible};

    #[test]
    fn t5_a_plus_above_a_quotation_is_a_plus() {
        let replies = [
            "+",
            "+\r\n\r\nOn Mon, Oct 12, 2026 at 10:00 Upswell <offers@a.example> wrote:\r\n> Reply with a single +\r\n",
            "+\n\n12 окт. 2026 г., в 10:00, Upswell написал(а):\n> Ответьте +",
            "+\n-- \nAnn, Acme",
            "+\n\n-----Original Message-----\nFrom: Upswell",
        ];
        for reply in replies {
            assert_eq!(Answer::read(&visible(reply)), Answer::Accept, "{reply}");
        }
        for reply in [
            "> +",
            "no\n> +",
            "+1\n> +",
            "",
            "On Mon, 12 Oct 2026 10:00 Upswell wrote:\n> +",
        ] {
            assert_eq!(Answer::read(&visible(reply)), Answer::Words, "{reply}");
        }
    }

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
