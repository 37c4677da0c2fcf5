//! What the parts of a playbook must be to each other, and to the catalogue.

use super::{
    catalogue::Shelf,
    fault::{Faults, did_you_mean},
    fields::Fields,
};
use crate::domain::{
    discount::{Deal, percent},
    playbook::{Playbook, Proposal, Units, facts},
    vocabulary::{ContactRole, Motion, SignalKind, TouchClass},
};

/// What the parts of a playbook must be to each other.
pub(super) fn check(playbook: &Playbook, fields: &Fields<'_>, shelf: &Shelf, faults: &mut Faults) {
    let Playbook {
        class,
        motion,
        proposal,
        ..
    } = playbook;
    let sells = *proposal != Proposal::Nothing;
    match class {
        TouchClass::Commercial if !sells => {
            fields.fault(
                faults,
                "class",
                "a commercial playbook sells nothing",
                "add `offers`, or make it educational",
            );
        }
        TouchClass::Educational if sells => {
            fields.fault(
                faults,
                "class",
                "an educational playbook sells something",
                "make it commercial, or drop `offers`",
            );
        }
        TouchClass::Contractual => {
            let hint = "contractual touches (signature, invoice) are sent by those who make the contract";
            fields.fault(faults, "class", "a playbook cannot be contractual (C-4)", hint);
        }
        _ => {}
    }
    if playbook.signals.contains(&SignalKind::UsageDrop) && playbook.is_commercial() {
        let hint = "make it educational and sell nothing";
        fields.fault(
            faults,
            "signals",
            "usage_drop leads to value only, never to a sale (SG-3)",
            hint,
        );
    }
    if *motion == Motion::Platform && !playbook.audience.roles.contains(&ContactRole::Executive) {
        fields.fault(
            faults,
            "audience",
            "platform needs an executive (T-3)",
            "add `executive` to the roles",
        );
    }
    if sells && !shelf.rules.conversion.contains_key(motion) {
        let hint = "give it a band in the catalogue: `decisions: {conversion: {<motion>: [0.1, 0.2]}}`";
        fields.fault(
            faults,
            "motion",
            &format!("{motion} has no expected conversion (M-1)"),
            hint,
        );
    }
    owner_rules(playbook, fields, faults);
    deal_rules(playbook, fields, shelf, faults);
    product_rules(playbook, fields, shelf, faults);
}

fn owner_rules(playbook: &Playbook, fields: &Fields<'_>, faults: &mut Faults) {
    match playbook.owner {
        Some(owner) if playbook.channels.get(&owner).is_none_or(Vec::is_empty) => {
            fields.fault(
                faults,
                "channels",
                &format!("the owner {owner} has no channel"),
                "name at least one",
            );
        }
        None if playbook.channels.values().all(Vec::is_empty) => {
            fields.fault(faults, "channels", "no owner has a channel", "name at least one");
        }
        _ => {}
    }
    for owner in playbook
        .channels
        .keys()
        .filter(|owner| playbook.owner.is_some_and(|only| only != **owner))
    {
        let hint = "make the owner `auto`, or leave these channels out";
        fields.fault(faults, "channels", &format!("{owner} never drives this playbook"), hint);
    }
}

/// Discounts that nobody may grant, and trials that are none (M-5, M-6).
fn deal_rules(playbook: &Playbook, fields: &Fields<'_>, shelf: &Shelf, faults: &mut Faults) {
    let Deal {
        discount, trial_days, ..
    } = playbook.deal;
    let authority = &shelf.catalogue.authority;
    if authority.grantor(discount).is_none() {
        let problem = format!("nobody may grant {} (M-5)", percent(discount));
        let hint = format!(
            "the lead may grant {}: `discounts.authority` in the catalogue",
            percent(authority.lead)
        );
        fields.fault(faults, "offers", &problem, &hint);
    }
    if (playbook.motion == Motion::Trial) != (trial_days > 0) {
        let hint = "a trial has the motion `trial` and `trial_days`, and nothing else has";
        fields.fault(faults, "offers", "is a trial by half (M-6)", hint);
    }
}

fn product_rules(playbook: &Playbook, fields: &Fields<'_>, shelf: &Shelf, faults: &mut Faults) {
    let motion = playbook.motion;
    let units = match &playbook.proposal {
        Proposal::Nothing => return,
        Proposal::NextPlan => {
            if !matches!(motion, Motion::Tier | Motion::Trial) {
                fields.fault(
                    faults,
                    "offers",
                    &format!("a higher plan is not {motion} (M-2)"),
                    "the motion is `tier`, or `trial` with trial_days",
                );
            }
            return;
        }
        Proposal::Product { product, units } => {
            let sold_by = shelf.catalogue.add_ons.get(product).map(|add_on| add_on.motion);
            if let Some(sold_by) = sold_by.filter(|sold_by| *sold_by != motion) {
                let problem = format!("`{product}` is sold by {sold_by}, not by {motion} (M-2)");
                fields.fault(faults, "offers", &problem, "change the motion here or in the catalogue");
            }
            units
        }
        Proposal::BySubject { units } => {
            if !shelf.catalogue.add_ons.values().any(|add_on| add_on.motion == motion) {
                fields.fault(
                    faults,
                    "offers",
                    &format!("no add-on is sold by {motion}"),
                    "add one to the catalogue",
                );
            }
            units
        }
    };
    if let Units::Cover { fact, .. } = units {
        let has = |kind: &&SignalKind| facts::of_signal(**kind).contains(&fact.as_str());
        for kind in playbook.signals.iter().filter(|kind| !has(kind)) {
            let hint = did_you_mean(fact, facts::of_signal(*kind).iter().copied());
            fields.fault(
                faults,
                "offers",
                &format!("the signal {kind} has no figure `{fact}`"),
                &hint,
            );
        }
    }
}
