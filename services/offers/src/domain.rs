//! The pure heart: states, legal transitions and decisions. No clock, no database, no wire format.

pub mod approval;
pub mod calendar;
pub mod catalogue;
pub mod conversion;
pub mod decision;
pub mod delivery;
pub mod discount;
pub mod holdout;
pub mod ledger;
pub mod loyalty;
pub mod message;
pub mod offer;
pub mod order;
pub mod owner;
pub mod playbook;
pub mod policy;
pub mod reply;
pub mod slots;
pub mod task;
pub mod variants;
pub mod vocabulary;
pub mod whatif;
