//! `playbooks/<key>.yaml`: one playbook each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;

use super::{
    catalogue::Shelf,
    deal,
    fault::{Faults, did_you_mean},
    fields::{At, Fields},
    messages,
    node::Node,
    rules,
};
use crate::domain::{
    decision::Timing,
    discount::Deal,
    playbook::{After, Audience, Guards, Playbook, Proposal, Rollout, Standing, Units},
    variants::{Arm, VariantTest},
    vocabulary::{Channel, ContactRole, Grade, HealthBand, Motion, Owner, SignalKind, TouchClass},
};

/// Reads all playbooks and what they say of each other. Those that are switched off are checked and left out.
pub(super) fn build_all(files: &[(&str, Node)], shelf: &Shelf, faults: &mut Faults) -> BTreeMap<String, Playbook> {
    let mut playbooks = BTreeMap::new();
    let mut off = BTreeSet::new();
    for (name, node) in files.iter().filter(|(name, _)| *name != super::CATALOGUE) {
        faults.enter(name);
        let Some((playbook, enabled)) = build(name, node, shelf, faults) else {
            continue;
        };
        if enabled {
            playbooks.insert(playbook.key.clone(), playbook);
        } else {
            off.insert(playbook.key);
        }
    }
    for playbook in playbooks.values() {
        let Some(after) = &playbook.guards.after else { continue };
        faults.enter(&format!("playbooks/{}.yaml", playbook.key));
        let found = playbooks.get(&after.playbook);
        let place = "guards.after.playbook";
        match found {
            Some(first) if first.signals.is_disjoint(&playbook.signals) => {
                let hint = "the first one must be started by one of the same signals";
                faults.add(
                    None,
                    place,
                    &format!("`{}` has no signal in common", after.playbook),
                    hint,
                );
            }
            Some(_) => {}
            None if off.contains(&after.playbook) => {
                faults.add(
                    None,
                    place,
                    &format!("`{}` is switched off", after.playbook),
                    "enable it, or this one never goes",
                );
            }
            None => {
                let hint = did_you_mean(&after.playbook, playbooks.keys().map(String::as_str));
                faults.add(None, place, &format!("unknown playbook `{}`", after.playbook), &hint);
            }
        }
    }
    playbooks
}

fn build(file: &str, node: &Node, shelf: &Shelf, faults: &mut Faults) -> Option<(Playbook, bool)> {
    let fields = At::root(node).fields(faults)?;
    let stem = file
        .rsplit('/')
        .next()
        .and_then(|name| name.strip_suffix(".yaml"))
        .unwrap_or(file);
    let head = head(&fields, stem, faults);
    let body = body(&fields, shelf, faults);
    let test = fields.optional("test").and_then(|at| variants(&at, faults));
    let frames = fields.required("messages", faults, "what it says; see the README of the format");
    fields.close(faults);
    let mut playbook = body?;
    let sound = head.is_some();
    let enabled = head.is_some_and(|head| {
        (playbook.key, playbook.version, playbook.motion) = (head.key, head.version, head.motion);
        (playbook.class, playbook.timing) = (head.class, head.timing);
        head.enabled
    });
    playbook.test = test;
    if sound {
        rules::check(&playbook, &fields, shelf, faults);
    }
    // The words depend on what is in the body only, so they are checked although something in the head is wrong.
    if let Some(at) = frames {
        playbook.messages = messages::build(&at, &playbook, &shelf.catalogue.languages, faults);
    }
    sound.then_some((playbook, enabled))
}

/// What a playbook is.
struct Head {
    key: String,
    enabled: bool,
    version: i64,
    motion: Motion,
    class: TouchClass,
    timing: Timing,
}

fn head(fields: &Fields<'_>, stem: &str, faults: &mut Faults) -> Option<Head> {
    let key = fields
        .required("key", faults, "the name of the file without `.yaml`")
        .and_then(|at| {
            let key = at.key(faults)?;
            if stem != key {
                at.fault(
                    faults,
                    "the key is not the name of the file",
                    &format!("write `{stem}` or rename the file"),
                );
            }
            Some(key)
        });
    let enabled = fields.optional("enabled").map_or(Some(true), |at| at.boolean(faults));
    let version = fields.required("version", faults, "count it up with every change");
    let version = version.and_then(|at| at.integer(1, i64::from(i32::MAX), faults));
    let motion = fields
        .required("motion", faults, "e.g. `capacity`")
        .and_then(|at| at.word::<Motion>(faults));
    let class = fields.required("class", faults, "commercial, renewal or educational");
    let class = class.and_then(|at| at.word::<TouchClass>(faults));
    let timing = fields
        .optional("timing")
        .map_or(Some(Timing::Daily), |at| timing(&at, faults));
    Some(Head {
        key: key?,
        enabled: enabled?,
        version: version?,
        motion: motion?,
        class: class?,
        timing: timing?,
    })
}

/// What a playbook does. The head is still to be filled in; none when the words could not be checked against it.
fn body(fields: &Fields<'_>, shelf: &Shelf, faults: &mut Faults) -> Option<Playbook> {
    let before = faults.count();
    let signals: Vec<SignalKind> = words(fields, "signals", "e.g. `[volume_growth]`", faults);
    let proposal = fields
        .optional("offers")
        .map_or(Some((Proposal::Nothing, Deal::default())), |at| {
            proposal(&at, shelf, faults)
        });
    let channels = channels(fields, faults);
    let audience = audience(fields, faults);
    let sound = faults.count() == before;
    let subjects = fields
        .optional("subjects")
        .map(|at| at.keys(faults))
        .unwrap_or_default();
    let owner = fields.required("owner", faults, "`auto`, or product_led, csm_led, sales_led");
    let owner = owner.and_then(|at| if at.is("auto") { None } else { at.word::<Owner>(faults) });
    let guards = fields
        .optional("guards")
        .map(|at| guards(&at, faults))
        .unwrap_or_default();
    let rollout = fields
        .optional("rollout")
        .map_or(Some(Rollout::default()), |at| super::rollout::build(&at, faults));
    let consumes_signals = fields
        .optional("consumes_signal")
        .and_then(|at| at.boolean(faults))
        .unwrap_or(true);
    let validity_days = fields
        .optional("validity_days")
        .and_then(|at| at.integer(1, 365, faults))
        .unwrap_or(14);
    let (proposal, deal) = proposal?;
    sound.then_some(Playbook {
        key: String::new(),
        version: 0,
        signals: signals.into_iter().collect(),
        subjects,
        motion: Motion::Value,
        class: TouchClass::Educational,
        timing: Timing::Daily,
        proposal,
        deal,
        owner,
        channels,
        audience,
        guards,
        rollout: rollout?,
        consumes_signals,
        validity_days,
        test: None,
        messages: Vec::new(),
    })
}

fn words<T>(fields: &Fields<'_>, key: &'static str, hint: &str, faults: &mut Faults) -> Vec<T>
where
    T: std::str::FromStr<Err = crate::domain::vocabulary::UnknownWord> + PartialEq + std::fmt::Display + Copy,
{
    let Some(at) = fields.required(key, faults, hint) else {
        return Vec::new();
    };
    let before = faults.count();
    let words = at.words(faults);
    if words.is_empty() && faults.count() == before {
        at.fault(faults, "must not be empty", hint);
    }
    words
}

fn timing(at: &At<'_>, faults: &mut Faults) -> Option<Timing> {
    if at.is("immediate") {
        return Some(Timing::Immediate);
    }
    if at.is("slot") {
        return Some(Timing::Daily);
    }
    at.fault(
        faults,
        "unknown timing",
        "`immediate`, or `slot` for the account's slot of the day",
    );
    None
}

fn proposal(at: &At<'_>, shelf: &Shelf, faults: &mut Faults) -> Option<(Proposal, Deal)> {
    if at.is("next_plan") {
        return Some((Proposal::NextPlan, Deal::default()));
    }
    let fields = at.fields(faults)?;
    let next_plan = fields
        .optional("next_plan")
        .and_then(|at| at.boolean(faults))
        .unwrap_or(false);
    let deal = deal::deal(&fields, faults);
    let by_subject = fields
        .optional("by_subject")
        .and_then(|at| at.boolean(faults))
        .unwrap_or(false);
    let product = fields.optional("product").and_then(|at| {
        let key = at.key(faults)?;
        if shelf.catalogue.product(&key).is_none() {
            let known = shelf
                .catalogue
                .plans
                .keys()
                .chain(shelf.catalogue.add_ons.keys())
                .map(String::as_str);
            at.fault(faults, &format!("unknown product `{key}`"), &did_you_mean(&key, known));
        }
        Some(key)
    });
    let fixed = fields
        .optional("quantity")
        .map(|at| at.integer(1, 1_000_000, faults).map(Units::Fixed));
    let cover = fields.optional("units_from").map(|at| cover(&at, faults));
    if fixed.is_some() && cover.is_some() {
        at.fault(faults, "has both quantity and units_from", "leave one out");
    }
    fields.close(faults);
    let units = cover.or(fixed).unwrap_or(Some(Units::Fixed(1)))?;
    let proposal = match (next_plan, by_subject, product) {
        (true, false, None) => Proposal::NextPlan,
        (false, true, None) => Proposal::BySubject { units },
        (false, false, Some(product)) => Proposal::Product { product, units },
        _ => {
            at.fault(
                faults,
                "must say what is sold",
                "either `product: <key>` or `by_subject: true`, or `next_plan`",
            );
            return None;
        }
    };
    Some((proposal, deal))
}

fn cover(at: &At<'_>, faults: &mut Faults) -> Option<Units> {
    let fields = at.fields(faults)?;
    let fact = fields
        .required("fact", faults, "name of a figure of the signal")
        .and_then(|at| at.line_of_text(64, faults));
    let per = fields
        .required("per", faults, "what one unit covers")
        .and_then(|at| at.integer(1, i64::MAX, faults));
    fields.close(faults);
    Some(Units::Cover { fact: fact?, per: per? })
}

fn channels(fields: &Fields<'_>, faults: &mut Faults) -> BTreeMap<Owner, Vec<Channel>> {
    let mut all = BTreeMap::new();
    let hint = "e.g. `channels: {product_led: [whatsapp, email], csm_led: [csm_task]}`";
    let Some(at) = fields.required("channels", faults, hint) else {
        return all;
    };
    for (word, line, at) in at.entries(faults).unwrap_or_default() {
        let Ok(owner) = word.parse::<Owner>() else {
            let hint = did_you_mean(word, Owner::ALL.iter().map(|owner| owner.as_str()));
            faults.add(Some(line), &at.place, &format!("unknown owner `{word}`"), &hint);
            continue;
        };
        let channels: Vec<Channel> = at.words(faults);
        for channel in &channels {
            let fits = match channel {
                Channel::CsmTask => owner == Owner::CsmLed,
                Channel::SalesTask => owner == Owner::SalesLed,
                _ => true,
            };
            if !fits {
                at.fault(
                    faults,
                    &format!("{channel} is not for {owner}"),
                    "a task belongs to the owner who does it",
                );
            }
        }
        all.insert(owner, channels);
    }
    all
}

fn audience(fields: &Fields<'_>, faults: &mut Faults) -> Audience {
    let hint = "e.g. `audience: {roles: [business, finance]}`";
    let Some(at) = fields.required("audience", faults, hint) else {
        return Audience::default();
    };
    let Some(fields) = at.fields(faults) else {
        return Audience::default();
    };
    let roles: Vec<ContactRole> = words(&fields, "roles", "roles in order of preference", faults);
    let any_of = fields
        .optional("any_of")
        .map(|at| at.words::<Standing>(faults).into_iter().collect());
    fields.close(faults);
    Audience {
        roles,
        any_of: any_of.unwrap_or_default(),
    }
}

fn guards(at: &At<'_>, faults: &mut Faults) -> Guards {
    let Some(fields) = at.fields(faults) else {
        return Guards::default();
    };
    let days = |key, faults: &mut Faults| fields.optional(key).and_then(|at| at.integer(0, 3_650, faults));
    let max_critical_ticket_age_days = days("max_critical_ticket_age_days", faults);
    let min_customer_days = days("min_customer_days", faults);
    let guards = Guards {
        min_grade: fields.optional("min_grade").and_then(|at| at.word::<Grade>(faults)),
        min_health_band: fields
            .optional("min_health_band")
            .and_then(|at| at.word::<HealthBand>(faults)),
        min_propensity: fields
            .optional("min_propensity")
            .and_then(|at| at.number(0.0, 1.0, faults)),
        max_critical_ticket_age_days,
        min_customer_days,
        after: fields.optional("after").and_then(|at| after(&at, faults)),
    };
    fields.close(faults);
    guards
}

fn after(at: &At<'_>, faults: &mut Faults) -> Option<After> {
    let fields = at.fields(faults)?;
    let playbook = fields
        .required("playbook", faults, "the one that comes first")
        .and_then(|at| at.key(faults));
    let days = fields
        .required("days", faults, "days since it was sent")
        .and_then(|at| at.integer(0, 3_650, faults));
    fields.close(faults);
    Some(After {
        playbook: playbook?,
        days: days?,
    })
}

/// A test of variants: `test: {key: …, arms: [{key: a, control: true}, {key: b, weight: 2, send_at: "15:00"}]}`.
fn variants(at: &At<'_>, faults: &mut Faults) -> Option<VariantTest> {
    let before = faults.count();
    let fields = at.fields(faults)?;
    let key = fields
        .required("key", faults, "names the test; another name draws anew")
        .and_then(|at| at.key(faults));
    let arms_at = fields.required(
        "arms",
        faults,
        "two or more, e.g. `[{key: a, control: true}, {key: b}]`",
    );
    fields.close(faults);
    let arms_at = arms_at?;
    let arms: Vec<Arm> = arms_at.items(faults).iter().filter_map(|at| arm(at, faults)).collect();
    let keys: BTreeSet<&str> = arms.iter().map(|arm| arm.key.as_str()).collect();
    if faults.count() == before {
        if keys.len() != arms.len() || arms.len() < 2 {
            arms_at.fault(faults, "must be two or more arms, each with its own key", "");
        }
        if arms.iter().filter(|arm| arm.control).count() != 1 {
            arms_at.fault(
                faults,
                "must have one control",
                "mark the arm that others are compared with: `control: true`",
            );
        }
    }
    Some(VariantTest { key: key?, arms })
}

fn arm(at: &At<'_>, faults: &mut Faults) -> Option<Arm> {
    let fields = at.fields(faults)?;
    let key = fields
        .required("key", faults, "names the arm")
        .and_then(|at| at.key(faults));
    let weight = fields
        .optional("weight")
        .map_or(Some(1), |at| at.integer(1, 1_000_000, faults));
    let control = fields.optional("control").map_or(Some(false), |at| at.boolean(faults));
    let send_at = fields.optional("send_at").map(|at| {
        let text = at.line_of_text(5, faults)?;
        let time = Time::strptime("%H:%M", &text).ok();
        if time.is_none() {
            at.fault(
                faults,
                "is no time of day",
                "e.g. \"15:00\", in the account's time zone",
            );
        }
        time
    });
    fields.close(faults);
    Some(Arm {
        key: key?,
        weight: u32::try_from(weight?).ok()?,
        control: control?,
        send_at: send_at.flatten(),
    })
}
