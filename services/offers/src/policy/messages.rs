//! The messages of a playbook, with the rules of T-1 and T-3 that can be checked before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fault::{Faults, did_you_mean},
    fields::{At, Fields},
};
use crate::domain::{
    message::{Fact, Facts, Language, Part, Template, variables},
    playbook::{Claim, MessageFrame, Playbook, Proposal, facts},
    vocabulary::{Channel, ContactRole, Owner, SignalKind},
};

/// The longest line of a message.
const MAX_LINE: usize = 2_000;
/// Known only of some people, so it is never asked for (T-1).
const FIRST_NAME: &str = "first_name";

/// Reads the messages of a playbook whose other parts were read.
pub(super) fn build(
    at: &At<'_>,
    playbook: &Playbook,
    languages: &[Language],
    faults: &mut Faults,
) -> Vec<MessageFrame> {
    let before = faults.count();
    let frames: Vec<MessageFrame> = at
        .items(faults)
        .iter()
        .filter_map(|at| frame(at, playbook, languages, faults))
        .collect();
    // What is missing is only sure when what is there is right.
    if faults.count() == before {
        coverage(at, playbook, &frames, faults);
    }
    frames
}

fn frame(at: &At<'_>, playbook: &Playbook, languages: &[Language], faults: &mut Faults) -> Option<MessageFrame> {
    let fields = at.fields(faults)?;
    let signals = subset::<SignalKind>(
        fields.optional("signals"),
        |kind| playbook.signals.contains(kind),
        faults,
    );
    let spoken = spoken(at, &fields, playbook, faults);
    let facts_at = fields.required(
        "facts",
        faults,
        "every fact that the words use, e.g. `[growth_percent]` (T-1)",
    );
    let kinds = if signals.is_empty() {
        &playbook.signals
    } else {
        &signals
    };
    let declared = facts_at
        .as_ref()
        .map(|at| declared(at, playbook, kinds, faults))
        .unwrap_or_default();
    let text_at = fields.required("text", faults, "the words by language");
    fields.close(faults);
    let (facts_at, text_at) = (facts_at?, text_at?);
    let rules = Rules {
        playbook,
        kinds,
        owners: &spoken.owners,
        declared: &declared,
    };
    let texts = texts(&text_at, &rules, languages, &facts_at, faults);
    Some(MessageFrame {
        signals,
        owners: spoken.owners,
        roles: spoken.roles,
        claim: spoken.claim,
        variant: spoken.variant,
        facts: declared,
        texts,
    })
}

/// Who says it to whom, and with which argument.
struct Spoken {
    owners: BTreeSet<Owner>,
    roles: BTreeSet<ContactRole>,
    claim: Option<Claim>,
    variant: Option<String>,
}

fn spoken(at: &At<'_>, fields: &Fields<'_>, playbook: &Playbook, faults: &mut Faults) -> Spoken {
    let owners = subset::<Owner>(
        fields.optional("owners"),
        |owner| playbook.channels.contains_key(owner),
        faults,
    );
    let of_audience = |role: &ContactRole| playbook.audience.roles.contains(role);
    let roles = subset::<ContactRole>(fields.optional("roles"), of_audience, faults);
    let claim_at = fields.optional("claim");
    let claim = claim_at.as_ref().and_then(|at| at.word::<Claim>(faults));
    let variant = fields.optional("variant").and_then(|at| variant(&at, playbook, faults));
    let spoken = Spoken {
        owners,
        roles,
        claim,
        variant,
    };
    // A word that is no claim was said already.
    if claim.is_some() || claim_at.is_none() {
        audience(&claim_at.unwrap_or_else(|| at.clone()), playbook, &spoken, faults);
    }
    spoken
}

/// A message that sells something to people says which argument it makes, and makes it to those whom it concerns (T-3).
fn audience(at: &At<'_>, playbook: &Playbook, spoken: &Spoken, faults: &mut Faults) {
    let Spoken {
        owners, roles, claim, ..
    } = spoken;
    let concerned = |owner: &Owner| owners.is_empty() || owners.contains(owner);
    let channels = playbook.channels.iter().filter(|(owner, _)| concerned(owner));
    let is_read = channels.flat_map(|(_, all)| all).any(|channel| !channel.is_task());
    let Some(claim) = claim else {
        if playbook.is_commercial() && is_read {
            let hint = "one of economics, reliability, value; `figures` where only the account's own figures are said";
            at.fault(
                faults,
                "says not which argument it makes: `claim` is missing (T-3)",
                hint,
            );
        }
        return;
    };
    let audience = playbook.audience.roles.iter();
    let spoken_to = audience.filter(|role| roles.is_empty() || roles.contains(role));
    for role in spoken_to.filter(|role| is_read && !claim.is_for(**role)) {
        let fitting = Claim::ALL.iter().filter(|claim| claim.is_for(*role));
        let fitting: Vec<&str> = fitting.map(|claim| claim.as_str()).collect();
        let hint = format!("to {role}: {}; or narrow `roles`", fitting.join(", "));
        at.fault(faults, &format!("{claim} is not for {role} (T-3)"), &hint);
    }
}

/// An arm of the playbook's test.
fn variant(at: &At<'_>, playbook: &Playbook, faults: &mut Faults) -> Option<String> {
    let key = at.key(faults)?;
    let arms = playbook
        .test
        .iter()
        .flat_map(|test| &test.arms)
        .map(|arm| arm.key.as_str());
    if !arms.clone().any(|arm| arm == key) {
        at.fault(
            faults,
            &format!("the playbook's test has no arm `{key}`"),
            &did_you_mean(&key, arms),
        );
    }
    Some(key)
}

/// Words of a closed set which must also be words of the playbook.
fn subset<T>(at: Option<At<'_>>, known: impl Fn(&T) -> bool, faults: &mut Faults) -> BTreeSet<T>
where
    T: std::str::FromStr<Err = crate::domain::vocabulary::UnknownWord> + Ord + std::fmt::Display + Copy,
{
    let Some(at) = at else { return BTreeSet::new() };
    let words: Vec<T> = at.words(faults);
    for word in words.iter().filter(|word| !known(word)) {
        at.fault(
            faults,
            &format!("the playbook has no `{word}`"),
            "name only what stands in the playbook above",
        );
    }
    words.into_iter().collect()
}

fn declared(at: &At<'_>, playbook: &Playbook, kinds: &BTreeSet<SignalKind>, faults: &mut Faults) -> BTreeSet<String> {
    let evidence = || kinds.iter().flat_map(|kind| facts::of_signal(*kind)).copied();
    let built_in = || facts::BUILT_IN.iter().copied().filter(|name| *name != FIRST_NAME);
    let mut declared = BTreeSet::new();
    for item in at.items(faults) {
        let Some(name) = item.line_of_text(64, faults) else {
            continue;
        };
        if name == FIRST_NAME {
            item.fault(
                faults,
                "the first name is never required (T-1)",
                "use it in the greeting without declaring it",
            );
        } else if facts::OF_A_PRICE.contains(&name.as_str()) && playbook.proposal == Proposal::Nothing {
            item.fault(
                faults,
                &format!("`{name}` exists only where something is sold"),
                "the playbook has no `offers`",
            );
        } else if evidence().chain(built_in()).any(|known| known == name) {
            declared.insert(name);
        } else {
            let hint = did_you_mean(&name, evidence().chain(built_in()));
            item.fault(faults, &format!("no signal of this message provides `{name}`"), &hint);
        }
    }
    declared
}

/// What the words of one frame are checked against.
struct Rules<'a> {
    playbook: &'a Playbook,
    kinds: &'a BTreeSet<SignalKind>,
    owners: &'a BTreeSet<Owner>,
    declared: &'a BTreeSet<String>,
}

fn texts(
    at: &At<'_>,
    rules: &Rules<'_>,
    languages: &[Language],
    facts_at: &At<'_>,
    faults: &mut Faults,
) -> BTreeMap<Language, Template> {
    let mut texts = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (tag, line, at) in at.entries(faults).unwrap_or_default() {
        let Ok(language) = tag.parse::<Language>() else {
            let known = Language::ALL.iter().map(|language| language.as_str());
            faults.add(
                Some(line),
                &at.place,
                &format!("unknown language `{tag}`"),
                &did_you_mean(tag, known),
            );
            continue;
        };
        seen.insert(language);
        texts.extend(text(&at, rules, language, facts_at, faults).map(|template| (language, template)));
    }
    for language in languages.iter().filter(|language| !seen.contains(language)) {
        at.fault(
            faults,
            &format!("the translation `{language}` is missing"),
            "every language of the catalogue needs one",
        );
    }
    texts
}

fn text(
    at: &At<'_>,
    rules: &Rules<'_>,
    language: Language,
    facts_at: &At<'_>,
    faults: &mut Faults,
) -> Option<Template> {
    let before = faults.count();
    let fields = at.fields(faults)?;
    let mut sources = BTreeMap::new();
    let mut places = BTreeMap::new();
    for part in Part::ALL {
        let found = if part.is_required() {
            fields.required(
                part.as_str(),
                faults,
                "a message has a subject, a body and one next_step (T-1)",
            )
        } else {
            fields.optional(part.as_str())
        };
        let Some(at) = found else { continue };
        let source = at.lines_of_text(MAX_LINE, faults)?;
        rules.part(part, &source, &at, faults);
        sources.insert(part, source);
        places.insert(part, at);
    }
    fields.close(faults);
    rules.whole(&sources, at, facts_at, language, faults);
    let template = match Template::compile(language, &sources) {
        Ok(template) => template,
        Err(wrong) => {
            for fault in wrong {
                let at = places.get(&fault.part).unwrap_or(at);
                at.fault(
                    faults,
                    &fault.detail,
                    "Fluent: text with { $fact }, see projectfluent.org",
                );
            }
            return None;
        }
    };
    if faults.count() == before {
        rules.rehearse(&template, at, faults);
    }
    Some(template)
}

impl Rules<'_> {
    fn part(&self, part: Part, source: &str, at: &At<'_>, faults: &mut Faults) {
        let rendered_lines = if source.contains("->") {
            1
        } else {
            source.lines().count()
        };
        if part.is_one_line() && rendered_lines > 1 {
            at.fault(
                faults,
                "must be one line",
                "one simple next step, one subject; the rest belongs to the body (T-1)",
            );
        }
        for name in variables(source) {
            if name == FIRST_NAME {
                if part != Part::Greeting {
                    let hint = "only the greeting may use it: it is left out when the name is unknown (T-1)";
                    at.fault(faults, "uses the first name", hint);
                }
            } else if !self.declared.contains(&name) {
                let hint = format!(
                    "add it to `facts`; {}",
                    did_you_mean(&name, self.declared.iter().map(String::as_str))
                );
                at.fault(faults, &format!("uses the undeclared fact `{name}`"), &hint);
            }
        }
        if part == Part::Banner && !self.has_task() {
            let hint = "a banner is free only beside a csm_task or sales_task (T-6)";
            at.fault(faults, "there is no task for the banner to stand beside", hint);
        }
    }

    /// What the parts must say together.
    fn whole(
        &self,
        sources: &BTreeMap<Part, String>,
        at: &At<'_>,
        facts_at: &At<'_>,
        language: Language,
        faults: &mut Faults,
    ) {
        let used: BTreeSet<String> = sources.values().flat_map(|source| variables(source)).collect();
        for name in self.declared.iter().filter(|name| !used.contains(*name)) {
            let problem = format!("the fact `{name}` is declared, but the text in `{language}` does not use it");
            facts_at.fault(faults, &problem, "use it or drop it");
        }
        let Some(body) = sources.get(&Part::Body) else { return };
        let in_body = variables(body);
        let evidence: BTreeSet<&str> = self
            .kinds
            .iter()
            .flat_map(|kind| facts::of_signal(*kind))
            .copied()
            .collect();
        if !in_body.iter().any(|name| evidence.contains(name.as_str())) {
            let names: Vec<&str> = evidence.into_iter().collect();
            at.fault(
                faults,
                "the body does not say why now (T-1)",
                &format!("use one of: {}", names.join(", ")),
            );
        }
        if self.playbook.proposal != Proposal::Nothing && !used.contains("price_monthly") {
            at.fault(faults, "an offer states its price (M-5)", "use { $price_monthly }");
        }
    }

    /// Fills in sample facts, so that a reference to nothing shows now and not before the customer.
    fn rehearse(&self, template: &Template, at: &At<'_>, faults: &mut Faults) {
        for sample in [1.0, 2.0, 5.0, 21.5] {
            let fact = |name: &String| (name.clone(), Fact::Number(sample));
            let facts: Facts = self
                .declared
                .iter()
                .map(fact)
                .chain([fact(&FIRST_NAME.to_owned())])
                .collect();
            if let Err(missing) = template.render(&facts) {
                at.fault(faults, &format!("cannot be filled in: {}", missing.join(", ")), "");
                return;
            }
        }
    }

    fn has_task(&self) -> bool {
        let mine = |owner: &Owner| self.owners.is_empty() || self.owners.contains(owner);
        let channels = self
            .playbook
            .channels
            .iter()
            .filter(|(owner, _)| mine(owner))
            .flat_map(|(_, all)| all);
        channels.copied().any(Channel::is_task)
    }
}

/// Every signal, owner and role that the playbook allows must find words that need nothing else (T-3).
fn coverage(at: &At<'_>, playbook: &Playbook, frames: &[MessageFrame], faults: &mut Faults) {
    let arms: Vec<Option<&str>> = match &playbook.test {
        Some(test) => test.arms.iter().map(|arm| Some(arm.key.as_str())).collect(),
        None => vec![None],
    };
    for kind in &playbook.signals {
        let (alone, has) = (BTreeSet::from([*kind]), facts::of_signal(*kind));
        let known = |name: &String| has.contains(&name.as_str()) || facts::BUILT_IN.contains(&name.as_str());
        for owner in playbook.channels.keys() {
            for role in &playbook.audience.roles {
                for arm in &arms {
                    let speaks = |frame: &&MessageFrame| {
                        frame.fits(&alone, *owner, Some(*role), *arm) && frame.facts.iter().all(known)
                    };
                    if frames.iter().find(speaks).is_some() {
                        continue;
                    }
                    let of_arm = arm.map(|arm| format!(", arm {arm}")).unwrap_or_default();
                    let problem = format!("no message for signal {kind}, owner {owner}, role {role}{of_arm}");
                    at.fault(
                        faults,
                        &problem,
                        "add one, or leave out its signals, owners or roles to mean any",
                    );
                }
            }
        }
    }
}
