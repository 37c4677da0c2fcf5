//! What a policy means, thing by thing, so that two of them can be compared: comments, layout, the order of keys and
//! defaults that are written out do not count.

use std::{collections::BTreeMap, fmt::Debug};

use crate::domain::{
    catalogue::{AddOn, Catalogue, Plan, Price},
    message::{Language, Part},
    owner::OwnerLimits,
    playbook::{Audience, Guards, MessageFrame, Playbook, Rollout},
    policy::{DecisionRules, Policy},
};

#[cfg(test)]
mod tests;

/// What two policies say differently in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place, e.g. `playbooks.capacity-growth.validity_days`.
    pub place: String,
    /// What the one says; none when it says nothing there.
    pub was: Option<String>,
    /// What the other says.
    pub is: Option<String>,
}

/// What is different, by place.
pub fn differences(was: &Policy, is: &Policy) -> Vec<Difference> {
    let (was, mut is) = (meaning(was), meaning(is));
    let mut found: Vec<Difference> = Vec::new();
    for (place, value) in was {
        let other = is.remove(&place);
        if other.as_ref() != Some(&value) {
            found.push(Difference {
                place,
                was: Some(value),
                is: other,
            });
        }
    }
    found.extend(is.into_iter().map(|(place, value)| Difference {
        place,
        was: None,
        is: Some(value),
    }));
    found.sort_by(|a, b| a.place.cmp(&b.place));
    found
}

/// The playbooks that mean something else and still have the same version number.
pub fn uncounted(was: &Policy, is: &Policy) -> Vec<String> {
    let changed = differences(was, is);
    let same_number = |(key, playbook): &(&String, &Playbook)| {
        was.playbooks
            .get(*key)
            .is_some_and(|before| before.version == playbook.version)
    };
    let means_other = |key: &String| {
        let place = format!("playbooks.{key}.");
        changed.iter().any(|difference| difference.place.starts_with(&place))
    };
    let kept = is.playbooks.iter().filter(same_number);
    kept.map(|(key, _)| key)
        .filter(|key| means_other(key))
        .cloned()
        .collect()
}

/// Places with what is said there.
struct Told(BTreeMap<String, String>);

impl Told {
    fn say(&mut self, place: &str, key: &str, value: impl Into<String>) {
        self.0.insert(format!("{place}.{key}"), value.into());
    }

    /// A value that has no words of its own.
    fn show(&mut self, place: &str, key: &str, value: &impl Debug) {
        self.say(place, key, format!("{value:?}"));
    }
}

fn meaning(policy: &Policy) -> BTreeMap<String, String> {
    let Policy {
        version: _,
        catalogue,
        playbooks,
        rules,
    } = policy;
    let mut told = Told(BTreeMap::new());
    goods(catalogue, &mut told);
    numbers(rules, &mut told);
    for (key, playbook) in playbooks {
        one(&format!("playbooks.{key}"), playbook, &catalogue.languages, &mut told);
    }
    told.0
}

fn goods(catalogue: &Catalogue, told: &mut Told) {
    let Catalogue {
        languages,
        plans,
        add_ons,
        owners,
        enterprise,
        authority,
        annual_discount,
        subjects,
    } = catalogue;
    told.say("catalogue", "languages", list(languages));
    for (key, plan) in plans {
        let place = format!("catalogue.plans.{key}");
        let Plan {
            names,
            prices,
            limits,
            features,
            support,
            upgrade_to,
            volume,
        } = plan;
        told.show(&place, "name", names);
        for (currency, price) in prices {
            told.say(&place, &format!("price.{currency}"), priced(price));
        }
        told.show(&place, "limits", limits);
        told.say(&place, "features", list(features));
        told.say(&place, "support", support);
        told.say(&place, "upgrade_to", upgrade_to.as_deref().unwrap_or("nothing"));
        told.show(&place, "volume", volume);
    }
    for (key, add_on) in add_ons {
        let place = format!("catalogue.add_ons.{key}");
        let AddOn {
            names,
            motion,
            prices,
            adds,
            adjacent_to,
            stackable,
            volume,
            includes,
        } = add_on;
        told.show(&place, "name", names);
        told.say(&place, "motion", motion.as_str());
        for (currency, price) in prices {
            told.say(&place, &format!("price.{currency}"), priced(price));
        }
        told.show(&place, "adds", adds);
        told.say(&place, "adjacent_to", list(adjacent_to));
        told.show(&place, "stackable", stackable);
        told.show(&place, "volume", volume);
        told.say(&place, "includes", list(includes));
    }
    let OwnerLimits {
        by_currency,
        least_by_segment,
    } = owners;
    for (currency, band) in by_currency {
        told.show("catalogue.owners", &currency.to_string(), band);
    }
    told.show("catalogue.owners", "segments", least_by_segment);
    told.show("catalogue", "enterprise", enterprise);
    told.show("catalogue.discounts", "authority", authority);
    told.show("catalogue.discounts", "annual", annual_discount);
    for (key, names) in subjects {
        told.show("catalogue.names", key, names);
    }
}

fn numbers(rules: &DecisionRules, told: &mut Told) {
    let DecisionRules {
        propensity_threshold,
        education_review_days,
        refusal_block_days,
        acceptance_block_days,
        fatigue_factor,
        fatigue_days,
        rising_health_factor,
        urgency,
        conversion,
        conversion_weight,
        conversion_days,
        drift_certainty,
    } = rules;
    let place = "decisions";
    for (key, value) in [
        ("propensity_threshold", propensity_threshold),
        ("fatigue_factor", fatigue_factor),
        ("rising_health_factor", rising_health_factor),
        ("conversion_weight", conversion_weight),
        ("drift_certainty", drift_certainty),
    ] {
        told.show(place, key, value);
    }
    for (key, days) in [
        ("education_review_days", education_review_days),
        ("refusal_block_days", refusal_block_days),
        ("acceptance_block_days", acceptance_block_days),
        ("fatigue_days", fatigue_days),
        ("conversion_days", conversion_days),
    ] {
        told.show(place, key, days);
    }
    for (grade, factor) in urgency {
        told.show(place, &format!("urgency.{grade}"), factor);
    }
    for (motion, band) in conversion {
        told.show(place, &format!("conversion.{motion}"), band);
    }
}

fn one(place: &str, playbook: &Playbook, languages: &[Language], told: &mut Told) {
    let Playbook {
        key: _,
        // It counts changes and means nothing itself.
        version: _,
        signals,
        subjects,
        motion,
        class,
        timing,
        proposal,
        deal,
        owner,
        channels,
        audience: Audience { roles, any_of },
        guards,
        rollout,
        consumes_signals,
        validity_days,
        test,
        messages,
    } = playbook;
    told.say(place, "signals", list(signals));
    told.say(place, "subjects", list(subjects));
    told.say(place, "motion", motion.as_str());
    told.say(place, "class", class.as_str());
    told.show(place, "timing", timing);
    told.show(place, "offers", proposal);
    told.show(place, "offers.deal", deal);
    told.say(place, "owner", owner.map_or("auto", |owner| owner.as_str()));
    for (owner, channels) in channels {
        told.say(place, &format!("channels.{owner}"), list(channels));
    }
    told.say(place, "audience.roles", list(roles));
    told.say(place, "audience.any_of", list(any_of));
    guarded(place, guards, told);
    let Rollout {
        stage,
        accounts,
        percent,
        since,
    } = rollout;
    told.say(place, "rollout.stage", stage.as_str());
    told.say(place, "rollout.accounts", list(accounts));
    told.show(place, "rollout.percent", percent);
    told.show(place, "rollout.since", since);
    told.show(place, "consumes_signal", consumes_signals);
    told.show(place, "validity_days", validity_days);
    told.show(place, "test", test);
    for (number, frame) in messages.iter().enumerate() {
        said(&format!("{place}.messages[{number}]"), frame, languages, told);
    }
}

fn guarded(place: &str, guards: &Guards, told: &mut Told) {
    let Guards {
        min_grade,
        min_health_band,
        min_propensity,
        max_critical_ticket_age_days,
        min_customer_days,
        after,
    } = guards;
    told.show(place, "guards.min_grade", min_grade);
    told.show(place, "guards.min_health_band", min_health_band);
    told.show(place, "guards.min_propensity", min_propensity);
    told.show(
        place,
        "guards.max_critical_ticket_age_days",
        max_critical_ticket_age_days,
    );
    told.show(place, "guards.min_customer_days", min_customer_days);
    told.show(place, "guards.after", after);
}

fn said(place: &str, frame: &MessageFrame, languages: &[Language], told: &mut Told) {
    let MessageFrame {
        signals,
        owners,
        roles,
        claim,
        variant,
        facts,
        texts,
    } = frame;
    told.say(place, "signals", list(signals));
    told.say(place, "owners", list(owners));
    told.say(place, "roles", list(roles));
    told.say(place, "claim", claim.map_or("none", |claim| claim.as_str()));
    told.say(place, "variant", variant.as_deref().unwrap_or("all"));
    told.say(place, "facts", list(facts));
    for language in languages {
        for part in Part::ALL {
            let source = texts.get(language).and_then(|template| template.source(part));
            if let Some(source) = source {
                told.say(place, &format!("text.{language}.{}", part.as_str()), source);
            }
        }
    }
}

fn priced(price: &Price) -> String {
    let Price {
        amount,
        period,
        from,
        grandfathered,
    } = price;
    let from = if *from { "from " } else { "" };
    let old = grandfathered.map_or(String::new(), |(before, amount)| {
        format!(", {amount} for customers before {before}")
    });
    format!("{from}{amount} a {period}{old}")
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}
