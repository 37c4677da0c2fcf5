//! Everything that is wrong with a policy, where it is, and what to do about it.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file within the policy's directory.
    pub file: String,
    /// The line, from 1; none where no line is to blame.
    pub line: Option<u64>,
    /// Path of the value, e.g. `messages[0].text.ru.body`; empty for the file as a whole.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right; may be empty.
    pub hint: String,
}

/// All that is wrong with a policy, by file and line; never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct PolicyFaults(Vec<Fault>);

/// Faults while they are collected; new ones belong to the file that was entered last.
#[derive(Default)]
pub(super) struct Faults {
    file: String,
    list: Vec<Fault>,
}

impl PolicyFaults {
    /// Each of them, by file and line.
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for PolicyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "the policy has {} fault{plural}:", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.place.is_empty() {
            write!(f, ": {}", self.place)?;
        }
        write!(f, ": {}", self.problem)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, " (hint: {})", self.hint)
        }
    }
}

impl Faults {
    /// What follows is about this file.
    pub(super) fn enter(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    pub(super) fn add(&mut self, line: Option<u64>, place: &str, problem: &str, hint: &str) {
        let fault = Fault {
            file: self.file.clone(),
            line,
            place: place.to_owned(),
            problem: problem.to_owned(),
            hint: hint.to_owned(),
        };
        if !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    /// Whether anything is wrong with this file.
    pub(super) fn any_in(&self, file: &str) -> bool {
        self.list.iter().any(|fault| fault.file == file)
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    pub(super) fn into_result(mut self) -> Result<(), PolicyFaults> {
        self.list.sort();
        if self.list.is_empty() {
            Ok(())
        } else {
            Err(PolicyFaults(self.list))
        }
    }
}

/// The word of `known` that was probably meant, as a hint; else all of them.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    // A word cut short is as near as a word mistyped.
    let far = |candidate: &str| {
        if !word.is_empty() && candidate.starts_with(word) {
            0
        } else {
            distance(word, candidate)
        }
    };
    match known.iter().map(|candidate| (far(candidate), *candidate)).min() {
        Some((distance, candidate)) if distance <= 1 + candidate.chars().count() / 4 => {
            format!("did you mean `{candidate}`?")
        }
        Some(_) => format!("one of: {}", known.join(", ")),
        None => "there is none to choose from".to_owned(),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
