//! Which reservations have to go when the ground under them moved.

use uuid::Uuid;

use super::{
    AccountCalendar, CapPolicy, Proposal, Row,
    judge::{Case, Rule},
};
use crate::domain::vocabulary::{TouchClass, TouchState};

/// The reservations that became illegal because a renewal date moved or a deal closed (C-8). Kept first: touches whose
/// sending began and those of other tools, then class renewal, then the earliest planned, then by id.
pub fn recheck(policy: &CapPolicy, calendar: &AccountCalendar, rows: &[Row]) -> Vec<Uuid> {
    give_way(policy, calendar, rows, |case, row| {
        !case.legal(row.at, &Rule::OF_RENEWAL)
    })
}

/// The reservations that became illegal because accounts were merged and their touches count together (I-3), in the order
/// of [`recheck`].
pub fn recheck_all(policy: &CapPolicy, calendar: &AccountCalendar, rows: &[Row]) -> Vec<Uuid> {
    give_way(policy, calendar, rows, |case, row| !case.legal(row.at, &Rule::ALL))
}

/// The reservations that became illegal because the touch `moved` is made at another instant than was known, in the
/// order of [`recheck`]. Reservations that it does not stand against are left alone.
pub fn displaced(policy: &CapPolicy, calendar: &AccountCalendar, rows: &[Row], moved: Uuid) -> Vec<Uuid> {
    give_way(policy, calendar, rows, |case, row| {
        let mut against = Rule::ALL.into_iter().filter_map(|rule| case.against(rule, row.at));
        against.any(|touches| touches.contains(&moved))
    })
}

fn give_way(
    policy: &CapPolicy,
    calendar: &AccountCalendar,
    rows: &[Row],
    illegal: impl Fn(&Case<'_>, &Row) -> bool,
) -> Vec<Uuid> {
    let (mut waiting, mut kept): (Vec<_>, Vec<_>) = rows
        .iter()
        .filter(|row| row.state.counts())
        .cloned()
        .partition(|row| row.state == TouchState::Reserved);
    waiting.sort_by_key(|row| (row.class != TouchClass::Renewal, row.at, row.touch_id));
    let mut released = Vec::new();
    for row in waiting {
        let proposal = Proposal {
            class: row.class,
            proposes_expansion: row.proposes_expansion,
            at: row.at,
        };
        if illegal(&Case::new(policy, calendar, &kept, &proposal), &row) {
            released.push(row.touch_id);
        } else {
            kept.push(row);
        }
    }
    released
}
