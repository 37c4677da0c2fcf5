//! The facts of a candidate, and the message that they fill (T-1, T-3).

use std::collections::BTreeSet;

use super::{AccountPicture, Contact, proposal::Idea, sale::Sale};
use crate::domain::{
    catalogue::Catalogue,
    message::{Fact, Facts, Language},
    offer::{Message, Terms},
    playbook::MessageFrame,
    vocabulary::{ContactRole, Owner, SignalKind},
};

impl Idea<'_> {
    pub(super) fn facts(
        &self,
        picture: &AccountPicture,
        catalogue: &Catalogue,
        language: Language,
        contact: Option<&Contact>,
        sale: Option<&Sale<'_>>,
        terms: Option<&Terms>,
    ) -> Facts {
        let mut facts = Facts::new();
        let mut text = |name: &str, value: &str| drop(facts.insert(name.to_owned(), Fact::Text(value.to_owned())));
        text("account_name", &picture.profile.display_name);
        text("subject_name", catalogue.subject_name(self.subject, language));
        if let Some(name) = contact
            .and_then(|contact| contact.first_name.as_deref())
            .filter(|name| !name.is_empty())
        {
            text("first_name", name);
        }
        if let Some(csm) = &picture.profile.csm_id {
            text("csm", csm);
        }
        if let Some(sale) = sale {
            text("product_name", sale.product.names().get(language));
            facts.insert("price_monthly".to_owned(), Fact::Money(sale.monthly));
            #[expect(clippy::cast_precision_loss, reason = "units of an offer are far below 2^53")]
            facts.insert("quantity".to_owned(), Fact::Number(sale.quantity as f64));
        }
        if let Some(renewal) = picture.calendar.renewal() {
            facts.insert("renewal_date".to_owned(), Fact::Date(renewal));
        }
        if let Some(terms) = terms {
            let day = picture.profile.time_zone.to_datetime(terms.valid_until).date();
            facts.insert("valid_until".to_owned(), Fact::Date(day));
        }
        for evidence in self.signals.iter().flat_map(|signal| &signal.evidence) {
            if let Some(value) = self.figure(&evidence.name) {
                facts.entry(evidence.name.clone()).or_insert(Fact::Number(value));
            }
        }
        facts
    }

    /// The words of the first frame that fits and has all its facts (T-1, T-3).
    pub(super) fn words(
        &self,
        owner: Owner,
        role: Option<ContactRole>,
        arm: Option<&str>,
        language: Language,
        facts: &Facts,
    ) -> Result<Message, String> {
        let kinds: BTreeSet<SignalKind> = self.signals.iter().map(|signal| signal.kind).collect();
        let mut why_not = None;
        for frame in self
            .playbook
            .messages
            .iter()
            .filter(|frame| frame.fits(&kinds, owner, role, arm))
        {
            match fill(frame, language, facts) {
                Ok(message) => return Ok(message),
                Err(reason) => why_not = why_not.or(Some(reason)),
            }
        }
        let reader = role.map_or_else(|| "a task".to_owned(), |role| role.to_string());
        Err(why_not.unwrap_or_else(|| format!("no message for {reader}, {owner}, {}", list_of(&kinds))))
    }
}

fn fill(frame: &MessageFrame, language: Language, facts: &Facts) -> Result<Message, String> {
    let missing: Vec<&str> = frame
        .facts
        .iter()
        .filter(|name| !facts.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Err(format!("without the facts: {}", missing.join(", ")));
    }
    let template = frame
        .texts
        .get(&language)
        .ok_or_else(|| format!("no text in {language}"))?;
    template
        .render(facts)
        .map_err(|faults| format!("without the facts: {}", faults.join(", ")))
}

fn list_of(kinds: &BTreeSet<SignalKind>) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" + ")
}
