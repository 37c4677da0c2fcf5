//! What must hold before an offer may go. Every gate is asked, so that a decision names everything that stands in the
//! way and not only the first thing (C-16). No gate looks at another candidate; only the slot does.

use jiff::{SignedDuration, Timestamp};

use super::{
    AccountPicture, GateVerdict, OfferHistory,
    proposal::{Assembly, Idea},
    slot::Slot,
};
use crate::domain::{
    discount::{Grantor, percent},
    ledger::{self, CapPolicy, Judgement, Row, judge},
    playbook::Playbook,
    policy::Policy,
    vocabulary::{HealthBand, OfferState, Owner, SignalKind, TouchClass},
};

/// One candidate before the gates.
pub(super) struct Case<'a> {
    pub(super) picture: &'a AccountPicture,
    pub(super) policy: &'a Policy,
    pub(super) caps: &'a CapPolicy,
    pub(super) slot: Slot,
    pub(super) idea: &'a Idea<'a>,
    pub(super) assembly: &'a Assembly<'a>,
}

impl Case<'_> {
    /// The verdicts of all gates, in the order of checking.
    pub(super) fn verdicts(&self) -> Vec<GateVerdict> {
        vec![
            self.suppression(),
            self.hold(),
            self.holdout(),
            self.problem_first(),
            self.value_only(),
            self.education_first(),
            self.rollout(),
            self.loyalty(),
            self.guards(),
            self.not_blocked(),
            self.never_twice(),
            self.sequence(),
            self.product(),
            self.quote(),
            self.discount(),
            self.audience(),
            self.facts(),
            self.in_flight(),
            self.limits(),
        ]
    }

    /// Why a person has to look at it before it goes (C-14, SG-3); empty when nobody has to.
    pub(super) fn approval_reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if !self.playbook().is_commercial() {
            return reasons;
        }
        let (picture, products) = (
            self.picture,
            self.picture.subscriptions.iter().map(|held| held.product.as_str()),
        );
        if self
            .policy
            .catalogue
            .enterprise
            .applies(picture.profile.enterprise, products, picture.mrr)
        {
            reasons.push("C-14: an enterprise account waits for its CSM".to_owned());
        }
        let grantor = self.assembly.terms.as_ref().and_then(|terms| terms.grantor);
        if let Some(grantor) = grantor.filter(|grantor| *grantor > Grantor::Autopilot) {
            reasons.push(format!("M-5: the discount is for {grantor} to grant"));
        }
        if self.is_dropping() && !self.is_green() {
            reasons.push("SG-3: use or spend fell and health is not green".to_owned());
        }
        reasons
    }

    fn suppression(&self) -> GateVerdict {
        match &self.picture.suppressed {
            None => GateVerdict::pass("suppression", "C-10", ""),
            Some(suppressed) => GateVerdict::block("suppression", "C-10", suppressed.reason.clone(), suppressed.until),
        }
    }

    fn hold(&self) -> GateVerdict {
        let standing = self
            .picture
            .holds
            .iter()
            .filter(|hold| (hold.from..hold.until).contains(&self.slot.at));
        match standing.max_by_key(|hold| hold.until) {
            None => GateVerdict::pass("hold", "C-17", ""),
            Some(hold) => GateVerdict::defer("hold", "C-17", hold.reason.clone(), Some(hold.until)),
        }
    }

    fn holdout(&self) -> GateVerdict {
        if self.picture.holdout && self.playbook().is_commercial() {
            return GateVerdict::block("holdout", "C-12", "the account is in the control group", None);
        }
        GateVerdict::pass("holdout", "C-12", "")
    }

    fn problem_first(&self) -> GateVerdict {
        let open = self.picture.problems.open_critical;
        if open > 0 && self.playbook().is_commercial() {
            let detail = format!("{open} critical open: solve first");
            return GateVerdict::block("problem_first", "SC-9", detail, None);
        }
        GateVerdict::pass("problem_first", "SC-9", "")
    }

    fn value_only(&self) -> GateVerdict {
        if !self.playbook().is_commercial() || !self.is_dropping() {
            return GateVerdict::pass("value_only", "SG-3", "");
        }
        let detail = if self.is_green() {
            "falling, but health is green"
        } else {
            "falling: only with approval"
        };
        GateVerdict::pass("value_only", "SG-3", detail)
    }

    fn education_first(&self) -> GateVerdict {
        let pass = |detail: String| GateVerdict::pass("education_first", "SC-9", detail);
        if !self.playbook().is_commercial() {
            return pass(String::new());
        }
        let Some(score) = &self.picture.score else {
            return GateVerdict::defer("education_first", "SC-9", "there is no score yet", None);
        };
        let threshold = self.policy.rules.propensity_threshold;
        if score.propensity >= threshold {
            return pass(format!("propensity {:.2}", score.propensity));
        }
        let review = SignedDuration::from_hours(24 * self.policy.rules.education_review_days);
        let lessons = self
            .picture
            .offers
            .iter()
            .filter(|offer| offer.class == TouchClass::Educational);
        let last = lessons.filter_map(|offer| offer.sent_at).max();
        // Counted from the last lesson while its time runs; an account without one is looked at after a whole round.
        let earliest = last
            .and_then(|sent| after(sent, review))
            .filter(|at| *at > self.slot.at);
        let earliest = earliest.or_else(|| after(self.slot.at, review));
        let detail = format!("propensity {:.2} is below {threshold}: educate first", score.propensity);
        GateVerdict::defer("education_first", "SC-9", detail, earliest)
    }

    /// A playbook that is not rolled out to the account yet decides, and sends nothing (C-13).
    fn rollout(&self) -> GateVerdict {
        let (rollout, playbook) = (&self.playbook().rollout, self.playbook().key.as_str());
        if rollout.admits(playbook, &self.picture.account_id) {
            return GateVerdict::pass("rollout", "C-13", rollout.stage.as_str());
        }
        let detail = format!("rolled out to {} only: decided, not sent", rollout.stage);
        GateVerdict::block("rollout", "C-13", detail, None)
    }

    /// A playbook that did harm waits for a person (C-15).
    fn loyalty(&self) -> GateVerdict {
        match self.picture.programme.paused.get(&self.playbook().key) {
            None => GateVerdict::pass("loyalty", "C-15", ""),
            Some(why) => GateVerdict::defer("loyalty", "C-15", format!("paused: {why}"), None),
        }
    }

    fn guards(&self) -> GateVerdict {
        let guards = &self.playbook().guards;
        let mut against = Vec::new();
        let grade = self.idea.signals.iter().map(|signal| signal.grade).max();
        if let Some(least) = guards.min_grade.filter(|least| grade < Some(*least)) {
            against.push(format!("no signal is graded {least} or more"));
        }
        let score = self.picture.score.as_ref();
        if let Some(least) = guards
            .min_health_band
            .filter(|least| score.is_none_or(|score| score.band < *least))
        {
            against.push(format!("health is not {least} or better"));
        }
        if let Some(least) = guards
            .min_propensity
            .filter(|least| score.is_none_or(|score| score.propensity < *least))
        {
            against.push(format!("propensity is not {least} or more"));
        }
        let oldest = self.picture.problems.oldest_critical_at;
        let too_old = |days: &i64| oldest.is_some_and(|opened| self.slot.at.duration_since(opened) > of_days(*days));
        if let Some(days) = guards.max_critical_ticket_age_days.filter(too_old) {
            against.push(format!("a critical ticket is open for more than {days} days"));
        }
        let today = self.picture.profile.time_zone.to_datetime(self.slot.at).date();
        let since = self.picture.profile.customer_since;
        let too_new = |days: &i64| since.is_some_and(|since| today.duration_since(since) < of_days(*days));
        if let Some(days) = guards.min_customer_days.filter(too_new) {
            against.push(format!("a customer for less than {days} days"));
        }
        if against.is_empty() {
            GateVerdict::pass("guards", "M-7", "")
        } else {
            GateVerdict::block("guards", "M-7", against.join("; "), None)
        }
    }

    /// What was not wanted, or was just bought, is not offered again for a while (SG-R3). A renewal package asks for
    /// nothing, so nothing was refused.
    fn not_blocked(&self) -> GateVerdict {
        let pass = GateVerdict::pass("not_blocked", "SG-R3", "");
        if self.playbook().class == TouchClass::Renewal && !self.playbook().is_commercial() {
            return pass;
        }
        let rules = &self.policy.rules;
        let until = |offer: &OfferHistory| {
            let days = match offer.state {
                OfferState::Accepted => rules.acceptance_block_days,
                state if state.is_refusal() => rules.refusal_block_days,
                _ => return None,
            };
            after(offer.state_at, of_days(days))
                .filter(|until| *until > self.slot.at)
                .map(|until| (until, offer.state))
        };
        match self.alike().filter_map(until).max() {
            Some((until, state)) => {
                let detail = format!("the last offer of this kind was {state}");
                GateVerdict::block("not_blocked", "SG-R3", detail, Some(until))
            }
            None => pass,
        }
    }

    /// The same offer never goes out twice, and only one of a kind is open at a time (T-6).
    fn never_twice(&self) -> GateVerdict {
        let live = |offer: &&OfferHistory| offer.state.is_in_flight() || offer.state == OfferState::Sent;
        let is_package = self.playbook().class == TouchClass::Renewal && !self.playbook().is_commercial();
        if let Some(state) = self
            .alike()
            .filter(live)
            .map(|offer| offer.state)
            .max()
            .filter(|_| !is_package)
        {
            let detail = format!("one is {state} already");
            return GateVerdict::block("never_twice", "T-6", detail, None);
        }
        let same_reason = |offer: &&OfferHistory| {
            offer.playbook == self.playbook().key
                && self.idea.signals.iter().any(|signal| {
                    offer.signal_ids.contains(&signal.id) && offer.sent_at.is_some_and(|sent| sent >= signal.opened_at)
                })
        };
        if self.alike().any(|offer| same_reason(&offer)) {
            return GateVerdict::block("never_twice", "T-6", "sent before for the same signal", None);
        }
        GateVerdict::pass("never_twice", "T-6", "")
    }

    fn sequence(&self) -> GateVerdict {
        let Some(first) = &self.playbook().guards.after else {
            return GateVerdict::pass("sequence", "M-7", "");
        };
        // What was sent for an older signal says nothing about this one.
        let opened = self.idea.signals.iter().map(|signal| signal.opened_at).min();
        let before = self.picture.offers.iter();
        let before = before.filter(|offer| offer.playbook == first.playbook && offer.subject == self.idea.subject);
        let sent = before
            .filter_map(|offer| offer.sent_at)
            .filter(|sent| opened.is_some_and(|opened| *sent >= opened));
        match sent.min().map(|sent| after(sent, of_days(first.days))) {
            Some(Some(due)) if due <= self.slot.at => GateVerdict::pass("sequence", "M-7", ""),
            Some(due) => {
                let detail = format!("{} days after {}", first.days, first.playbook);
                GateVerdict::defer("sequence", "M-7", detail, due)
            }
            None => GateVerdict::defer("sequence", "M-7", format!("{} was not sent yet", first.playbook), None),
        }
    }

    fn product(&self) -> GateVerdict {
        match &self.assembly.sale {
            Ok(_) => GateVerdict::pass("product", "M-4", ""),
            Err(reason) => GateVerdict::block("product", "M-4", reason.clone(), None),
        }
    }

    /// A "from" price is no offer: a person has to make a quote (M-4).
    fn quote(&self) -> GateVerdict {
        let from = matches!(&self.assembly.sale, Ok(Some(sale)) if sale.price.from);
        if from && self.assembly.owner == Owner::ProductLed {
            return GateVerdict::block("quote", "M-4", "a \"from\" price needs a quote by a person", None);
        }
        GateVerdict::pass("quote", "M-4", "")
    }

    /// Nobody may grant more than the lead (M-5).
    fn discount(&self) -> GateVerdict {
        let Ok(Some(sale)) = &self.assembly.sale else {
            return GateVerdict::pass("discount", "M-5", "");
        };
        let off = percent(sale.granted);
        match (sale.granted, self.policy.catalogue.authority.grantor(sale.granted)) {
            (0, _) => GateVerdict::pass("discount", "M-5", ""),
            (_, Some(grantor)) => GateVerdict::pass("discount", "M-5", format!("{off} is for {grantor} to grant")),
            (_, None) => GateVerdict::block("discount", "M-5", format!("nobody may grant {off}"), None),
        }
    }

    fn audience(&self) -> GateVerdict {
        match &self.assembly.addressee {
            Err(reason) => GateVerdict::block("audience", "T-3", reason.clone(), None),
            Ok(addressee) => {
                let whom = addressee
                    .contact
                    .map_or("a task about the account", |contact| contact.role.as_str());
                GateVerdict::pass("audience", "T-3", format!("{whom} by {}", addressee.channel))
            }
        }
    }

    fn facts(&self) -> GateVerdict {
        match &self.assembly.words {
            Ok(_) => GateVerdict::pass("facts", "T-1", ""),
            Err(reason) => GateVerdict::block("facts", "T-1", reason.clone(), None),
        }
    }

    /// Only one commercial offer of an account is on its way at a time.
    fn in_flight(&self) -> GateVerdict {
        let asks = |offer: &&OfferHistory| offer.class == TouchClass::Commercial || offer.proposes_expansion;
        let flying = self.picture.offers.iter().filter(|offer| offer.state.is_in_flight());
        let other = flying
            .filter(asks)
            .min_by_key(|offer| (&offer.playbook, &offer.subject, offer.state, offer.id));
        match other.filter(|_| self.playbook().is_commercial()) {
            Some(offer) => {
                let detail = format!("{} ({}) is {}", offer.playbook, offer.subject, offer.state);
                GateVerdict::defer("in_flight", "C-9", detail, None)
            }
            None => GateVerdict::pass("in_flight", "C-9", ""),
        }
    }

    fn limits(&self) -> GateVerdict {
        let judgement = self.judge(&self.picture.ledger_rows);
        // The strictest rule wins (C-4): the one that stands in the way for longest.
        let strictest = judgement
            .blocking
            .iter()
            .max_by_key(|blocking| (blocking.earliest.is_none(), blocking.earliest));
        match strictest {
            None => GateVerdict::pass("caps", "C-4", ""),
            Some(strictest) => {
                let details: Vec<String> = judgement
                    .blocking
                    .iter()
                    .map(|rule| format!("{}: {}", rule.rule, rule.detail))
                    .collect();
                GateVerdict::defer("caps", strictest.rule, details.join("; "), judgement.earliest)
            }
        }
    }

    /// What the ledger would say, with these touches in it.
    pub(super) fn judge(&self, rows: &[Row]) -> Judgement {
        let playbook = self.playbook();
        let (class, proposes_expansion) = (playbook.class, playbook.proposes_expansion());
        let proposal = ledger::Proposal {
            class,
            proposes_expansion,
            at: self.slot.at,
        };
        judge(self.caps, &self.picture.calendar, rows, &proposal)
    }

    /// Offers of the same motion about the same subject.
    fn alike(&self) -> impl Iterator<Item = &OfferHistory> {
        let kind = (self.playbook().motion, self.idea.subject);
        self.picture
            .offers
            .iter()
            .filter(move |offer| (offer.motion, offer.subject.as_str()) == kind)
    }

    fn is_dropping(&self) -> bool {
        self.picture
            .signals
            .iter()
            .any(|signal| signal.kind == SignalKind::UsageDrop)
    }

    fn is_green(&self) -> bool {
        self.picture
            .score
            .as_ref()
            .is_some_and(|score| score.band == HealthBand::Green)
    }

    fn playbook(&self) -> &Playbook {
        self.idea.playbook
    }
}

fn of_days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days.saturating_mul(24))
}

fn after(at: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    at.checked_add(by).ok()
}
