//! The one binary: serves the services, plays cases, imports facts, and answers people.

pub mod amounts;
pub mod cli;
pub mod cluster;
pub mod demo;
pub mod lists;
pub mod report;
pub mod settings;
pub mod tables;
pub mod wire;
