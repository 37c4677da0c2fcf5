//! Calls to other services.

mod history;
mod ingestion;

pub use self::{history::Histories, ingestion::Ingestion};
