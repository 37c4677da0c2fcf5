//! Calls to other services: the touch ledger of offers, and the facts of ingestion.

mod ingestion;
mod ledger;

pub use self::{
    ingestion::Ingestion,
    ledger::{Begun, Ledger},
};
