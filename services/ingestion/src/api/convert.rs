//! Between the wire and the domain. Both directions take messages apart completely, so that a new field of the
//! contract breaks the build here.

mod account_bodies;
mod answer;
mod count_bodies;
mod event_bodies;
mod fact;
mod fields;
mod merge;
mod moment_bodies;
mod moment_out;
mod out;
mod pages;
mod terms;
#[cfg(test)]
mod tests;
mod view;
pub(crate) mod words;

pub(crate) use self::{
    answer::{answer_to_wire, decode_answer, encode_answer},
    fact::{decode, encode, fact_from_wire},
    merge::{decode_merge, duplicates_page, encode_merge, merge_to_wire, merges_page},
    out::{
        contact_to_wire, day, day_from_wire, fact_to_wire, payment_to_wire, profile_to_wire, reply_to_wire,
        terms_to_wire, ticket_to_wire, touch_to_wire, wire_time,
    },
    pages::{accounts_page, conflict_to_wire, conflicts_page, facts_page},
    view::{facts_to_wire, picture_to_wire},
};
