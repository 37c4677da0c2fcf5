//! The table `rollout` of a playbook.

use jiff::civil::Date;

use super::{fault::Faults, fields::At};
use crate::domain::playbook::{Rollout, Stage};

pub(super) fn build(at: &At<'_>, faults: &mut Faults) -> Option<Rollout> {
    let fields = at.fields(faults)?;
    let stage = fields.required("stage", faults, "shadow, friendly, pilot, percentage or all");
    let stage = stage.and_then(|at| at.word::<Stage>(faults));
    let accounts = fields.optional("accounts").map(|at| at.keys(faults));
    let percent = fields.optional("percent").map(|at| at.integer(1, 99, faults));
    let since = fields.optional("since").and_then(|at| {
        let text = at.line_of_text(10, faults)?;
        let date = text.parse::<Date>().ok();
        if date.is_none() {
            at.fault(faults, "is not a date", "write `\"2026-10-12\"`");
        }
        date
    });
    let stage = stage?;
    match (stage.accounts(), accounts.as_ref().map(std::collections::BTreeSet::len)) {
        (Some((least, most)), Some(count)) if (least..=most).contains(&count) => {}
        (Some((least, most)), _) => {
            let problem = format!("{stage} has {least} to {most} accounts");
            fields.fault(faults, "accounts", &problem, "name them by id");
        }
        (None, Some(_)) => fields.fault(
            faults,
            "accounts",
            &format!("{stage} names no accounts"),
            "leave them out",
        ),
        (None, None) => {}
    }
    if percent.is_some() != (stage == Stage::Percentage) {
        fields.fault(
            faults,
            "percent",
            "belongs to the stage `percentage`, and only to it",
            "from 1 to 99",
        );
    }
    fields.close(faults);
    Some(Rollout {
        stage,
        accounts: accounts.unwrap_or_default(),
        percent: percent
            .flatten()
            .and_then(|percent| u8::try_from(percent).ok())
            .unwrap_or_default(),
        since,
    })
}
