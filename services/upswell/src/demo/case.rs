//! A case: a folder with raw facts, a policy, and how customers, CSMs and billing answer.
//!
//! ```text
//! case.yaml        name, title, start, days, currency, quarter_end, zone
//! facts.jsonl      one fact a line, in the import format of ingestion, plus `known_at` for a fact that arrives late
//! policy/          catalogue.yaml and playbooks/*.yaml
//! reactions.yaml   see [`super::reactions`]
//! settings.toml    settings that differ from the defaults; optional
//! ```

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use upswell_proto::ingestion::v1::Fact;

use super::reactions::Reactions;

/// Facts that start with this many characters of JSON at most; longer lines are refused.
const LINE_LIMIT: usize = 64 * 1024;

/// `case.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name of the case; ids of its requests derive from it.
    pub name: String,
    /// What it plays, in a line.
    pub title: String,
    /// First day that is played, from 00:00 UTC. Facts known before are history.
    pub start: Date,
    /// Days to play, 1 to 400.
    pub days: u32,
    /// Currency of the report, ISO 4217.
    pub currency: String,
    /// A day after the last played one, up to which contracted revenue is reported too.
    pub quarter_end: Option<Date>,
}

/// A fact and when it becomes known to Upswell.
#[derive(Clone, Debug)]
pub struct KnownFact {
    /// When it arrives.
    pub known_at: Timestamp,
    /// The fact as it is sent.
    pub fact: Fact,
}

/// A case, read and checked as a whole.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it lies.
    pub folder: PathBuf,
    /// What and when.
    pub header: Header,
    /// Its facts in the order of their arrival.
    pub facts: Vec<KnownFact>,
    /// How people and billing answer.
    pub reactions: Reactions,
    /// Lines of `facts.jsonl` that hold no fact: kept out and reported, as an import would.
    pub broken_lines: Vec<String>,
}

/// Everything that is wrong with a case.
#[derive(Debug, Default)]
pub struct CaseFaults(pub Vec<String>);

impl fmt::Display for CaseFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the case cannot be played:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for CaseFaults {}

impl Case {
    /// Reads a case folder and names all that is wrong with it.
    ///
    /// # Errors
    /// Every missing file, malformed YAML and impossible value, with its place.
    pub fn read(folder: &Path) -> Result<Self, CaseFaults> {
        let mut faults = Vec::new();
        let header: Option<Header> = parse_yaml(folder, "case.yaml", &mut faults);
        let reactions: Option<Reactions> = parse_yaml(folder, "reactions.yaml", &mut faults);
        let facts = text(folder, "facts.jsonl", &mut faults);
        if !folder.join("policy/catalogue.yaml").is_file() {
            faults.push(format!(
                "{}: no such file",
                folder.join("policy/catalogue.yaml").display()
            ));
        }
        if let Some(header) = &header {
            header.check(&mut faults);
        }
        if let Some(reactions) = &reactions {
            reactions.check(&mut faults);
        }
        match (header, reactions, facts) {
            (Some(header), Some(reactions), Some(facts)) if faults.is_empty() => {
                let (facts, broken_lines) = parse_facts(&facts);
                Ok(Self {
                    folder: folder.to_path_buf(),
                    header,
                    facts,
                    reactions,
                    broken_lines,
                })
            }
            _ => Err(CaseFaults(faults)),
        }
    }

    /// The instant at which playing begins.
    pub fn start(&self) -> Timestamp {
        midnight(self.header.start)
    }

    /// The instant at which playing ends.
    pub fn end(&self) -> Timestamp {
        self.start() + SignedDuration::from_hours(24 * i64::from(self.header.days))
    }

    /// The first day that is not played.
    pub fn end_date(&self) -> Date {
        self.end().to_zoned(TimeZone::UTC).date()
    }

    /// Every hour of the case; the first carries the history.
    pub fn ticks(&self) -> impl Iterator<Item = Timestamp> {
        let start = self.start();
        (0..=i64::from(self.header.days) * 24).map(move |hour| start + SignedDuration::from_hours(hour))
    }

    /// The facts that arrive after `from` (none: from the beginning of time) and not after `until`.
    pub fn arriving(&self, from: Option<Timestamp>, until: Timestamp) -> &[KnownFact] {
        let first = from.map_or(0, |from| self.facts.partition_point(|fact| fact.known_at <= from));
        let last = self.facts.partition_point(|fact| fact.known_at <= until);
        &self.facts[first.min(last)..last]
    }
}

impl Header {
    fn check(&self, faults: &mut Vec<String>) {
        let mut fault = |text: &str| faults.push(format!("case.yaml: {text}"));
        if !(1..=400).contains(&self.days) {
            fault("days: must be 1 to 400");
        }
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            fault("name: letters, digits and `-` only");
        }
        if self.currency.parse::<upswell_runtime::money::Currency>().is_err() {
            fault("currency: not an ISO 4217 code");
        }
    }
}

fn midnight(day: Date) -> Timestamp {
    // Midnight exists on every day of UTC.
    day.to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

fn text(folder: &Path, name: &str, faults: &mut Vec<String>) -> Option<String> {
    let path = folder.join(name);
    fs::read_to_string(&path)
        .map_err(|error| faults.push(format!("{}: {error}", path.display())))
        .ok()
}

fn parse_yaml<T: serde::de::DeserializeOwned>(folder: &Path, name: &str, faults: &mut Vec<String>) -> Option<T> {
    let text = text(folder, name, faults)?;
    serde_saphyr::from_str(&text)
        .map_err(|error| faults.push(format!("{name}: {error}")))
        .ok()
}

fn parse_facts(text: &str) -> (Vec<KnownFact>, Vec<String>) {
    let mut facts = Vec::new();
    let mut broken = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match parse_fact(line) {
            Ok(fact) => facts.push(fact),
            Err(reason) => broken.push(format!("facts.jsonl:{}: {reason}", index + 1)),
        }
    }
    // Stable: facts that arrive together keep the order of the file.
    facts.sort_by_key(|fact| fact.known_at);
    (facts, broken)
}

fn parse_fact(line: &str) -> Result<KnownFact, String> {
    if line.len() > LINE_LIMIT {
        return Err(format!("longer than {LINE_LIMIT} bytes"));
    }
    let mut value: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(line).map_err(|error| error.to_string())?;
    let known_at = value.remove("known_at");
    let fact = upswell_ingestion::jsonl::parse_line(&serde_json::Value::Object(value).to_string())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let known_at = match known_at {
        Some(serde_json::Value::String(text)) => text.parse().map_err(|_| "known_at: not an RFC 3339 instant")?,
        Some(_) => return Err("known_at: must be a string".to_owned()),
        None => fact
            .occur_time
            .as_ref()
            .and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
            .ok_or("at: not an RFC 3339 instant")?,
    };
    Ok(KnownFact { known_at, fact })
}
