//! What contract and calendar do to a renewal.

use jiff::{Timestamp, civil::Date};

use super::{Decision, Policy, Renewal};
use crate::domain::{
    account::{Account, days_before, days_between},
    contract::{self, Term},
    deal::{CONTRACT, Deal},
    mark,
    risk::at_risk,
    stage::PIPELINE_DAYS,
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
        let terms = contract::terms(&self.versions);
        self.follow_contract(&terms, policy, today, now);
        if let Some(deal) = self.open_deal_mut() {
            deal.keep_up(today, now);
            deal.owner_id.clone_from(&account.owner_id);
            let risk = account.churn_risk.unwrap_or(policy.unknown_churn_risk);
            deal.at_risk = at_risk(deal.mrr, risk, days_between(today, deal.renewal_on));
        }
        for deal in &self.deals {
            let moved = before
                .deal(deal.deal_id)
                .is_some_and(|old| old.renewal_on != deal.renewal_on);
            task::tend(&mut self.tasks, deal, today, moved);
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

    fn follow_contract(&mut self, terms: &[Term], policy: &Policy, today: Date, now: Timestamp) {
        if let Some(deal) = self.open_deal() {
            let fate = self.fate(deal, terms, policy, today);
            if let Some(deal) = self.open_deal_mut() {
                match fate {
                    Fate::Renewed => deal.renew(CONTRACT, now),
                    Fate::Ended => deal.end(now),
                    Fate::Stays(term) => return deal.follow(&term, today, now),
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
        if prolonged || at + 1 < terms.len() {
            Fate::Renewed
        } else if is_over(term, policy, today) {
            Fate::Ended
        } else {
            Fate::Stays(*term)
        }
    }

    /// Opens the deal of the last term, if it has none. Earlier terms were renewed, since another came after them.
    fn open_next(&mut self, terms: &[Term], policy: &Policy, today: Date, now: Timestamp) {
        let Some(term) = terms.last().filter(|term| !is_over(term, policy, today)) else {
            return;
        };
        let is_stated = |date| contract::states(&self.versions, date);
        let covers = |deal: &Deal| {
            term.renewal_on <= deal.renewal_on || (term.from < deal.renewal_on && !is_stated(deal.renewal_on))
        };
        match self.deals.last() {
            Some(last) if covers(last) => {
                if let Some(last) = self.deals.last_mut().filter(|last| last.was_ended()) {
                    last.reopen(term, today, now);
                }
            }
            last => {
                let number = last.map_or(1, |last| last.number + 1);
                self.deals
                    .push(Deal::open(&self.subscription_id, number, term, today, now));
            }
        }
    }

    /// The next day on which the calendar may change something.
    fn check_on(&self, term: Option<&Term>, policy: &Policy, today: Date) -> Option<Date> {
        let deal = self.open_deal()?;
        let left = days_between(today, deal.renewal_on);
        let tomorrow = days_before(today, -1);
        let daily = (0..=PIPELINE_DAYS).contains(&left).then_some(tomorrow);
        let pipeline = days_before(deal.renewal_on, PIPELINE_DAYS);
        let end = term.and_then(|term| term.lost_on(policy.grace_days));
        let marks = policy.marks.iter().map(|rule| rule.reached_on(deal.renewal_on));
        let tasks = self
            .tasks
            .iter()
            .filter(|task| task.is_live())
            .map(|task| days_before(task.due_on, -1));
        let days = daily.into_iter().chain([pipeline]).chain(end).chain(marks).chain(tasks);
        days.filter(|day| *day > today).min()
    }
}

fn is_over(term: &Term, policy: &Policy, today: Date) -> bool {
    term.lost_on(policy.grace_days).is_some_and(|day| day <= today)
}
