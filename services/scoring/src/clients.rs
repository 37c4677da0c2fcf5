//! Calls to other services.

mod ingestion;

pub use self::ingestion::Ingestion;
