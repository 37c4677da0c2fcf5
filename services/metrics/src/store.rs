//! The only SQL of the service. Snapshots are upserted by id; of the timeline of an account is written what differs;
//! reads take sums that are kept or aggregate in the database. Statements use what SQLite and PostgreSQL have in common.

mod exchange;
mod kept;
mod migrations;
mod movements;
mod programme;
mod rates;
mod revenue;
mod rows;
mod snapshots;
mod subscriptions;
mod uplift;
mod variants;
mod voices;
mod ways;

pub use self::{
    exchange::{ExchangeKey, ExchangeRow, exchange_list, exchange_upsert, rates_fetch},
    kept::{
        BySlice, kept_add, kept_faults, kept_lock, order_ids, place_fetch, place_upsert, profile_fetch, state_fetch,
    },
    migrations::Migrator,
    movements::{ListedMovement, MovementFilter, MovementKey, movement_list, timeline_fetch, timeline_replace},
    programme::{CountedStep, StepFilter, StepKey, programme_fetch, step_list},
    rates::{approval_list, conversion_list, lead_list, pressure_fetch},
    revenue::{
        AccountRevenue, Natives, SliceSums, Slices, account_revenue_list, cohort_flows, natives_fetch,
        revenue_sums_fetch,
    },
    snapshots::{
        approval_upsert, arm_upsert, offer_upsert, order_remove, order_upsert, profile_upsert, signal_upsert,
        touch_upsert,
    },
    subscriptions::{version_list, version_owner, version_upsert},
    uplift::{Epoch, MemberFilter, currency_fetch, epoch_fetch, member_list},
    variants::{assignment_insert, variant_list},
    voices::{FirstSteps, first_step_list, heard_fetch, voice_upsert},
    ways::{way_fetch, week_list},
};
pub(crate) use self::{
    kept::{account_page, kept_clear, order_range, profile_range, state_put},
    movements::{timeline_clear, timeline_insert},
    subscriptions::version_range,
};
