//! Who is asked, and who after that (C-14): the CSM or who stands in on that day, the deputy, the lead. Who asked is never
//! asked.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::vocabulary::words;

words! {
    /// What somebody stands in for.
    DelegationKind, "delegation kind" {
        /// The person is away on these days: the delegate is asked at once.
        Absence = "absence",
        /// The person is there: the delegate is asked when the person did not decide in time.
        Deputy = "deputy",
    }
}

/// Somebody stands in for somebody on some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Derived from the request.
    pub id: Uuid,
    /// For whom.
    pub person_id: String,
    /// Who.
    pub delegate_id: String,
    /// What for.
    pub kind: DelegationKind,
    /// The first day.
    pub start_on: Date,
    /// The last day; none for an open end.
    pub end_on: Option<Date>,
    /// Who said so.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was ended by hand.
    pub ended_at: Option<Timestamp>,
}

/// Somebody who was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub approver_id: String,
    /// From when.
    pub asked_at: Timestamp,
    /// From this instant on it was too late.
    pub until: Timestamp,
}

/// Everybody who may be asked about an account on a day.
#[derive(Debug, Clone, Copy)]
pub struct Ladder<'a> {
    /// The account's CSM.
    pub csm_id: Option<&'a str>,
    /// Who decides in the end.
    pub lead_id: &'a str,
    /// Who stands in for whom; those that were ended are left out.
    pub delegations: &'a [Delegation],
    /// The day.
    pub today: Date,
    /// Only the lead may decide: the discount is beyond the CSM (M-5).
    pub lead_only: bool,
}

impl Delegation {
    /// Whether it stands on `day`.
    pub fn covers(&self, day: Date) -> bool {
        self.ended_at.is_none() && self.start_on <= day && self.end_on.is_none_or(|end| day <= end)
    }
}

impl<'a> Ladder<'a> {
    /// Who is asked first when `author` asks. Where nobody else is left it is the lead all the same, who cannot approve
    /// what they asked for: it expires.
    pub fn first(&self, author: &str) -> String {
        self.next(author, &[]).unwrap_or_else(|| self.lead_id.to_owned())
    }

    /// Who is asked after those who did not decide; none when everybody was asked.
    pub fn next(&self, author: &str, asked: &[Asked]) -> Option<String> {
        let mut rungs = Vec::new();
        if let Some(csm) = self.csm_id.filter(|_| !self.lead_only) {
            rungs.push(self.present(csm));
            rungs.extend(
                self.stands_in(csm, DelegationKind::Deputy)
                    .map(|deputy| self.present(deputy)),
            );
            // Away, and the CSM's own deputy is not there either: whoever stands in is asked before the lead.
            rungs.extend(self.stands_in(csm, DelegationKind::Absence));
        }
        rungs.push(self.present(self.lead_id));
        rungs.push(self.lead_id);
        let open = |rung: &&str| *rung != author && asked.iter().all(|asked| asked.approver_id != **rung);
        rungs.into_iter().find(open).map(str::to_owned)
    }

    /// The person, or who stands in on this day, or who stands in for that one. A circle of people who are all away ends
    /// with the person.
    fn present(&self, person: &'a str) -> &'a str {
        let mut present = person;
        for _ in 0..=self.delegations.len() {
            match self.stands_in(present, DelegationKind::Absence) {
                Some(delegate) => present = delegate,
                None => return present,
            }
        }
        person
    }

    /// Of several the newest.
    fn stands_in(&self, person: &str, kind: DelegationKind) -> Option<&'a str> {
        let today = self.today;
        let standing = self
            .delegations
            .iter()
            .filter(|delegation| delegation.kind == kind && delegation.person_id == person && delegation.covers(today));
        standing
            .max_by_key(|delegation| (delegation.created_at, delegation.id))
            .map(|delegation| delegation.delegate_id.as_str())
    }
}
