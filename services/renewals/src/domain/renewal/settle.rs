//! What contract and calendar do to a renewal.

use jiff::{Timestamp, civil::Date};

use super::{Decision, Policy, Renewal};
use crate::domain::{
    account::{Account, days_before},
    contract::{self, Term},
    deal::{CONTRACT, Deal, RenewalTerms},
    mark,
    risk::{ChurnRisk, at_risk},
    stage::Stage,
    task,
};

/// What the contract says about an open deal.
enum Fate {
    /// There is a term after it, or the term was prolonged after its date had passed.
    Renewed,
    /// The subscription is no more.
    Ended,
    /// It is still to be renewed.
    Stays(Term),
}

impl Renewal {
    /// What becomes of the renewal at `now` by contract and calendar.
    pub fn settled(&self, account: &Account, policy: &Policy, now: Timestamp) -> Decision {
        self.clone().decided(self, account, policy, now)
    }

    /// Settles what was changed from `before`, and says what is new.
    pub(super) fn decided(mut self, before: &Self, account: &Account, policy: &Policy, now: Timestamp) -> Decision {
        let today = account.today(now);
        let country = policy.countries.of(&account.country);
        let terms = self.terms(today);
        self.follow_contract(&terms, policy, today, now);
        let add_ons = std::mem::take(&mut self.add_ons);
        if let Some(deal) = self.open_deal_mut() {
            deal.keep_up(before.deal(deal.deal_id), country, today, now);
            deal.add_ons = contract::co_terminating(&add_ons, deal.renewal_on, deal.mrr.currency);
            weigh(deal, account, policy, today);
        }
        self.add_ons = add_ons;
        for deal in &mut self.deals {
            deal.account_id.clone_from(&self.account_id);
        }
        for deal in &self.deals {
            task::tend(&mut self.tasks, deal, before.deal(deal.deal_id), country, today);
        }
        if let Some(deal) = self.open_deal() {
            let marks = mark::reached(&policy.marks, deal, today, &self.marks);
            self.marks.extend(marks);
        }
        let check_on = self.check_on(terms.last(), policy, today);
        let news = self.changes_since(before);
        Decision {
            renewal: self,
            news,
            check_on,
        }
    }

    /// The terms of the contract, with those that began by themselves: not behind a renewal to which notice was given. A
    /// notice to a date that the contract no longer has is none.
    fn terms(&self, today: Date) -> Vec<Term> {
        let mut terms = contract::terms(&self.versions);
        let Some(stated) = terms.last().map(|term| term.stated) else {
            return terms;
        };
        let last = self.deals.last();
        let rule = last.map_or_else(|| stated.over(RenewalTerms::default()), |deal| deal.terms_with(stated));
        if !rule.auto_renew || last.is_some_and(|deal| deal.stage == Stage::Lost) {
            return terms;
        }
        if let Some(deal) = last.filter(|deal| deal.is_open() && deal.notice_given_on.is_some()) {
            contract::renew_by_itself(&mut terms, rule, today.min(days_before(deal.renewal_on, 1)));
            if terms.last().is_some_and(|term| term.renewal_on == deal.renewal_on) {
                return terms;
            }
        }
        contract::renew_by_itself(&mut terms, rule, today);
        terms
    }

    fn follow_contract(&mut self, terms: &[Term], policy: &Policy, today: Date, now: Timestamp) {
        if let Some(deal) = self.open_deal() {
            let fate = self.fate(deal, terms, policy, today);
            if let Some(deal) = self.open_deal_mut() {
                match fate {
                    Fate::Renewed => deal.renew(CONTRACT, now),
                    Fate::Ended => deal.end(now),
                    Fate::Stays(term) => return deal.follow(&term, today),
                }
            }
        }
        self.open_next(terms, policy, today, now);
    }

    fn fate(&self, deal: &Deal, terms: &[Term], policy: &Policy, today: Date) -> Fate {
        let at = terms.iter().rposition(|term| term.from <= deal.term_from).unwrap_or(0);
        let Some(term) = terms.get(at) else { return Fate::Ended };
        let prolonged = today > deal.renewal_on
            && term.renewal_on > deal.renewal_on
            && contract::states(&self.versions, deal.renewal_on);
        // Another term came after it, unless that one renews where the deal does: then an earlier term was only learned late.
        let next = terms.get(at + 1..).and_then(<[Term]>::last);
        let continued = next.filter(|next| !is_over(next, policy, today) && self.covers(deal, next));
        if prolonged {
            Fate::Renewed
        } else if let Some(next) = continued {
            Fate::Stays(*next)
        } else if next.is_some() {
            Fate::Renewed
        } else if is_over(term, policy, today) {
            Fate::Ended
        } else {
            Fate::Stays(*term)
        }
    }

    /// True when `deal` is the renewal of `term`: the term renews no later, or the date of the deal was never true.
    fn covers(&self, deal: &Deal, term: &Term) -> bool {
        term.renewal_on <= deal.renewal_on
            || (term.from < deal.renewal_on && !contract::states(&self.versions, deal.renewal_on))
    }

    /// Opens the deal of the last term, if it has none. Earlier terms were renewed, since another came after them.
    fn open_next(&mut self, terms: &[Term], policy: &Policy, today: Date, now: Timestamp) {
        let Some(term) = terms.last().filter(|term| !is_over(term, policy, today)) else {
            return;
        };
        match self.deals.last() {
            Some(last) if self.covers(last, term) => {
                if let Some(last) = self.deals.last_mut().filter(|last| last.was_closed_by_facts()) {
                    last.reopen(term, today);
                }
            }
            last => {
                let number = last.map_or(1, |last| last.number + 1);
                let deal = Deal::open(&self.subscription_id, number, term, today, now);
                let terms = last.map_or(deal.terms, |last| last.terms_with(term.stated));
                self.deals.push(Deal { terms, ..deal });
            }
        }
    }

    /// The next day on which the calendar may change something.
    fn check_on(&self, term: Option<&Term>, policy: &Policy, today: Date) -> Option<Date> {
        let Some(deal) = self.open_deal() else {
            let last = self.deals.last()?;
            let goes_on = last.terms.auto_renew && last.stage == Stage::Renewed && last.renewal_on > today;
            return goes_on.then_some(last.renewal_on);
        };
        let tomorrow = days_before(today, -1);
        let pipeline = deal.schedule().opens(Stage::Preparation);
        let daily = (pipeline..=deal.renewal_on).contains(&today).then_some(tomorrow);
        let renewal = deal.renewal_on;
        let end = term.and_then(|term| term.lost_on(policy.grace_days));
        let marks = policy.marks.iter().map(|rule| rule.reached_on(deal));
        let tasks = self
            .tasks
            .iter()
            .filter(|task| task.is_live())
            .map(|task| days_before(task.due_on, -1));
        let days = daily
            .into_iter()
            .chain([pipeline, renewal])
            .chain(end)
            .chain(marks)
            .chain(tasks);
        days.filter(|day| *day > today).min()
    }
}

/// Who is in charge, and how much money is at risk (RN-3). A notice makes the loss certain.
fn weigh(deal: &mut Deal, account: &Account, policy: &Policy, today: Date) {
    deal.owner_id.clone_from(&account.owner_id);
    deal.segment.clone_from(&account.segment);
    deal.health = account.health;
    let risk = match deal.notice_given_on {
        Some(_) => ChurnRisk::certain(),
        None => account.churn_risk.unwrap_or(policy.unknown_churn_risk),
    };
    deal.at_risk = at_risk(deal.money(), risk, deal.health, deal.schedule().days_left(today));
}

fn is_over(term: &Term, policy: &Policy, today: Date) -> bool {
    term.lost_on(policy.grace_days).is_some_and(|day| day <= today)
}
