//! Words made of facts: signal → why now → personal proposal → one simple next step (T-1), in the language of the
//! reader with right plurals, dates and money (T-4).

use std::{collections::BTreeMap, fmt};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use upswell_runtime::money::Money;

use super::offer::Message;

mod locale;
mod pattern;
#[cfg(test)]
mod tests;

pub use self::{locale::Language, pattern::variables};

/// A value that a message may show.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A figure; rounded for people and used to choose the plural form.
    Number(f64),
    /// A name.
    Text(String),
    /// An amount.
    Money(Money),
    /// A day.
    Date(Date),
}

/// The facts of one message by name.
pub type Facts = BTreeMap<String, Fact>;

/// The parts of a message, each a Fluent pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// Subject line or title of a task; one line.
    Subject,
    /// Opening that uses the first name; left out when the name is unknown (T-1).
    Greeting,
    /// Why now and what is proposed.
    Body,
    /// The one thing to do; one line.
    NextStep,
    /// Passive text in the product beside a task; one line (T-6).
    Banner,
}

/// A message in one language, ready to be filled in.
pub struct Template {
    language: Language,
    bundle: FluentBundle<FluentResource>,
    /// What the author wrote.
    sources: BTreeMap<Part, String>,
}

/// What is wrong with one part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternFault {
    /// The part.
    pub part: Part,
    /// What is wrong.
    pub detail: String,
}

impl Part {
    /// Every part, in order of reading.
    pub const ALL: [Self; 5] = [Self::Subject, Self::Greeting, Self::Body, Self::NextStep, Self::Banner];

    /// Its key in a playbook file, and the id of its Fluent message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Greeting => "greeting",
            Self::Body => "body",
            Self::NextStep => "next_step",
            Self::Banner => "banner",
        }
    }

    /// Whether a message without it is no message.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Subject | Self::Body | Self::NextStep)
    }

    /// Whether it must not have a line break.
    pub const fn is_one_line(self) -> bool {
        !matches!(self, Self::Body)
    }
}

impl Template {
    /// Compiles the parts. Errors: every part that is not a Fluent pattern.
    pub fn compile(language: Language, sources: &BTreeMap<Part, String>) -> Result<Self, Vec<PatternFault>> {
        let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
        // Isolation marks are invisible characters, which confuse search, copies and text messages.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(language.formatter()));
        let mut faults = Vec::new();
        for (part, source) in sources {
            match pattern::resource(part.as_str(), source) {
                Ok(resource) => bundle.add_resource_overriding(resource),
                Err(details) => {
                    faults.extend(details.into_iter().map(|detail| PatternFault { part: *part, detail }));
                }
            }
        }
        if faults.is_empty() {
            Ok(Self {
                language,
                bundle,
                sources: sources.clone(),
            })
        } else {
            Err(faults)
        }
    }

    /// What the author wrote of a part; none for a part that is left out.
    pub fn source(&self, part: Part) -> Option<&str> {
        self.sources.get(&part).map(String::as_str)
    }

    /// Fills in the facts. Errors: what is missing, by name of the fact where that is the reason. The greeting, and
    /// only that, may be left out for want of a first name.
    pub fn render(&self, facts: &Facts) -> Result<Message, Vec<String>> {
        let args = self.arguments(facts);
        let mut missing = Vec::new();
        let mut texts = BTreeMap::new();
        for part in self.sources.keys() {
            match self.format(*part, &args) {
                Ok(text) => drop(texts.insert(*part, text)),
                Err(_) if *part == Part::Greeting && !facts.contains_key("first_name") => {}
                Err(faults) => missing.extend(faults),
            }
        }
        if !missing.is_empty() {
            missing.sort();
            missing.dedup();
            return Err(missing);
        }
        let mut take = |part| texts.remove(&part).unwrap_or_default();
        let (subject, banner) = (take(Part::Subject), take(Part::Banner));
        let paragraphs = [take(Part::Greeting), take(Part::Body), take(Part::NextStep)];
        let body = paragraphs
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n\n");
        Ok(Message {
            language: self.language.as_str().to_owned(),
            subject,
            body,
            banner,
        })
    }

    fn format(&self, part: Part, args: &FluentArgs<'_>) -> Result<String, Vec<String>> {
        let pattern = self
            .bundle
            .get_message(part.as_str())
            .and_then(|message| message.value());
        let Some(pattern) = pattern else {
            return Err(vec![format!("{} has no text", part.as_str())]);
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(args), &mut errors);
        if errors.is_empty() {
            Ok(text.trim().to_owned())
        } else {
            Err(errors.iter().map(pattern::reason).collect())
        }
    }

    fn arguments<'a>(&self, facts: &'a Facts) -> FluentArgs<'a> {
        let mut args = FluentArgs::with_capacity(facts.len());
        for (name, fact) in facts {
            let value: FluentValue<'a> = match fact {
                // Rounded before the plural form is chosen: "1 ticket" must never come from 1.04.
                Fact::Number(value) => FluentValue::from(locale::rounded(*value)),
                Fact::Text(text) => FluentValue::from(text.as_str()),
                Fact::Money(money) => FluentValue::from(self.language.money(*money)),
                Fact::Date(date) => FluentValue::from(self.language.date(*date)),
            };
            args.set(name.as_str(), value);
        }
        args
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("language", &self.language)
            .field("parts", &self.sources.keys())
            .finish_non_exhaustive()
    }
}
