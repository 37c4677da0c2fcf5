//! Integration tests: the store against its definitions, and the service over a real channel.

#![expect(
    clippy::unwrap_used,
    reason = "fixtures fail their test by panicking, like the tests themselves"
)]

mod api;
mod crm;
mod delivery;
mod journeys;
mod late;
mod programme;
mod reached;
mod revenue;
mod store;
mod switches;
mod terms;
mod uplift;
mod world;
