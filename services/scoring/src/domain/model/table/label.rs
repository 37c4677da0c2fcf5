//! Which words of a label mean that it happened.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Words for yes and for no, lower case.
const YES: [&str; 8] = ["1", "yes", "true", "y", "t", "churned", "churn", "positive"];
const NO: [&str; 9] = ["0", "no", "false", "n", "f", "retained", "stayed", "active", "negative"];

/// The two words of a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Words that mean that it happened, lower case.
    pub positive: BTreeSet<String>,
    /// Words that mean that it did not.
    pub negative: BTreeSet<String>,
}

/// A label that does not say yes or no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelFault {
    /// It has words of which it is not plain what they mean.
    #[error("label {column} holds {words}: name the word that means yes with --positive")]
    Unclear {
        /// The column.
        column: String,
        /// Some of its words.
        words: String,
    },
    /// The word that was named as yes is not among several others.
    #[error("label {column} never says {positive}, it holds {words}")]
    Absent {
        /// The column.
        column: String,
        /// The word that was named.
        positive: String,
        /// Some of its words.
        words: String,
    },
    /// A word that was not in training.
    #[error("label `{0}` was not in training")]
    Unknown(String),
}

/// True for a cell that says nothing.
pub fn is_gap(cell: &str) -> bool {
    matches!(
        cell.to_ascii_lowercase().as_str(),
        "" | "na" | "n/a" | "nan" | "null" | "nil" | "#n/a" | "?" | "-"
    )
}

/// `1.0` is `1`.
fn word(cell: &str) -> String {
    let word = cell.to_ascii_lowercase();
    match word.parse::<f64>() {
        Ok(1.0) => "1".to_owned(),
        Ok(0.0) => "0".to_owned(),
        _ => word,
    }
}

impl Label {
    /// Learns the words of a column. Errors: it is not plain which of them means yes.
    pub fn of(column: &str, cells: &[String], positive: Option<&str>) -> Result<Self, LabelFault> {
        let words: BTreeSet<String> = cells
            .iter()
            .filter(|cell| !is_gap(cell))
            .map(|cell| word(cell))
            .collect();
        if let Some(positive) = positive.map(word) {
            // With one word only, it may be that it never happened; with two, the one that was named is misspelt.
            if !words.contains(&positive) && words.len() > 1 {
                return Err(LabelFault::Absent {
                    column: column.to_owned(),
                    positive,
                    words: words.into_iter().take(6).collect::<Vec<_>>().join(", "),
                });
            }
            let negative = words.iter().filter(|known| **known != positive).cloned().collect();
            return Ok(Self {
                positive: BTreeSet::from([positive]),
                negative,
            });
        }
        let among = |list: &[&str]| {
            words
                .iter()
                .filter(|known| list.contains(&known.as_str()))
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        let (positive, negative) = (among(&YES), among(&NO));
        if positive.len() + negative.len() == words.len() {
            return Ok(Self { positive, negative });
        }
        let words: Vec<String> = words.into_iter().take(6).collect();
        Err(LabelFault::Unclear {
            column: column.to_owned(),
            words: words.join(", "),
        })
    }

    /// Whether a cell says that it happened. Errors: a word that is in neither list.
    pub fn read(&self, cell: &str) -> Result<bool, LabelFault> {
        let word = word(cell);
        if self.positive.contains(&word) || (YES.contains(&word.as_str()) && !self.negative.contains(&word)) {
            Ok(true)
        } else if self.negative.contains(&word) || NO.contains(&word.as_str()) {
            Ok(false)
        } else {
            Err(LabelFault::Unknown(word))
        }
    }
}
