mod gates;
mod invariants;
mod slots;
mod support;
