//! Discounts in catalogue and playbooks, as percents of the list price.

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money};

use super::{
    fault::Faults,
    fields::{At, Fields},
};
use crate::domain::discount::{Authority, Deal, Step};

/// What a playbook asks for besides the list price: `discount`, `annual` and `trial_days` of its `offers`.
pub(super) fn deal(fields: &Fields<'_>, faults: &mut Faults) -> Deal {
    let discount = fields.optional("discount").and_then(|at| basis_points(&at, faults));
    let annual = fields.optional("annual").and_then(|at| at.boolean(faults));
    let trial_days = fields.optional("trial_days").and_then(|at| at.integer(1, 365, faults));
    Deal {
        discount: discount.unwrap_or_default(),
        annual: annual.unwrap_or_default(),
        trial_days: trial_days.unwrap_or_default(),
    }
}

/// `discounts: {authority: {autopilot: 0, csm: 10, lead: 25}, annual: 10}` of the catalogue.
pub(super) fn discounts(at: &At<'_>, faults: &mut Faults) -> (Authority, i32) {
    let Some(fields) = at.fields(faults) else {
        return (Authority::default(), 0);
    };
    let authority = fields.optional("authority").map(|at| authority(&at, faults));
    let annual = fields.optional("annual").and_then(|at| basis_points(&at, faults));
    fields.close(faults);
    (authority.unwrap_or_default(), annual.unwrap_or_default())
}

fn authority(at: &At<'_>, faults: &mut Faults) -> Authority {
    let Some(fields) = at.fields(faults) else {
        return Authority::default();
    };
    let most = |key, faults: &mut Faults| {
        let at = fields.required(key, faults, "the most that may be taken off, percent; 0 for nothing");
        at.and_then(|at| basis_points(&at, faults)).unwrap_or_default()
    };
    let authority = Authority {
        autopilot: most("autopilot", faults),
        csm: most("csm", faults),
        lead: most("lead", faults),
    };
    fields.close(faults);
    if authority.autopilot > authority.csm || authority.csm > authority.lead {
        at.fault(
            faults,
            "is not ascending",
            "the lead may grant what the CSM may, and the CSM what the autopilot may",
        );
    }
    authority
}

/// `volume: [{from: 10, percent: 5}, {from: 50, percent: 10}]` of a product.
pub(super) fn volume(fields: &Fields<'_>, faults: &mut Faults) -> Vec<Step> {
    let Some(list) = fields.optional("volume") else {
        return Vec::new();
    };
    let mut steps: Vec<Step> = Vec::new();
    for at in list.items(faults) {
        let Some(fields) = at.fields(faults) else { continue };
        let from = fields.required("from", faults, "units from which it holds");
        let from = from.and_then(|at| at.integer(2, 1_000_000_000, faults));
        let percent = fields.required("percent", faults, "what it takes off");
        let basis_points = percent.and_then(|at| basis_points(&at, faults));
        fields.close(faults);
        if let (Some(from), Some(basis_points)) = (from, basis_points) {
            steps.push(Step { from, basis_points });
        }
    }
    let ascends = |pair: &[Step]| pair[0].from < pair[1].from && pair[0].basis_points < pair[1].basis_points;
    if !steps.windows(2).all(ascends) {
        list.fault(faults, "does not ascend", "more units, more off");
    }
    steps
}

/// `grandfathered: {before: "2025-01-01", amount: 25}` of a price.
pub(super) fn grandfathered(
    fields: &Fields<'_>,
    currency: Option<Currency>,
    faults: &mut Faults,
) -> Option<(Date, Money)> {
    let at = fields.optional("grandfathered")?;
    let fields = at.fields(faults)?;
    let before = fields.required("before", faults, "customers of before this day keep the amount");
    let before = before.and_then(|at| {
        let date = at.line_of_text(10, faults)?.parse::<Date>().ok();
        if date.is_none() {
            at.fault(faults, "is not a date", "write `\"2025-01-01\"`");
        }
        date
    });
    let amount = fields.required("amount", faults, "what they pay for one unit and period");
    let amount = currency
        .zip(amount)
        .and_then(|(currency, at)| at.amount(currency, faults));
    fields.close(faults);
    before.zip(amount)
}

/// A percent in hundredths.
fn basis_points(at: &At<'_>, faults: &mut Faults) -> Option<i32> {
    let percent = at.number(0.0, 99.99, faults)?;
    #[expect(clippy::cast_possible_truncation, reason = "below 10,000")]
    Some((percent * 100.0).round() as i32)
}
