mod deals;
mod gates;
mod invariants;
mod slots;
pub(in crate::domain) mod support;
