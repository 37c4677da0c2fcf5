//! The only SQL of the service. Snapshots are upserted by id; the timeline of an account is replaced as a whole; reads
//! aggregate in the database. Statements use what SQLite and PostgreSQL have in common.

mod migrations;
mod movements;
mod rates;
mod revenue;
mod rows;
mod snapshots;
mod subscriptions;

pub use self::{
    migrations::Migrator,
    movements::{ListedMovement, MovementFilter, MovementKey, movement_list, timeline_replace},
    rates::{approval_list, conversion_list, counts_fetch, pressure_fetch, way_list, week_list},
    revenue::revenue_sums_fetch,
    snapshots::{approval_upsert, arm_upsert, offer_upsert, order_upsert, profile_upsert, signal_upsert, touch_upsert},
    subscriptions::{version_list, version_upsert},
};
