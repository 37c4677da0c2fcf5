//! The protobuf contracts of Upswell and their generated Rust.
//!
//! Modules follow the protobuf packages: `upswell.offers.v1` is [`upswell::offers::v1`].

/// Encoded `FileDescriptorSet` of every contract, without comments, for server reflection and tests.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// Who may call which method: the text of `access.toml`, which explains itself.
pub const ACCESS: &str = include_str!("../access.toml");

mod generated {
    #![expect(
        missing_docs,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "the code below is generated from the contracts"
    )]
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

pub use generated::google::r#type as gtype;
pub use generated::upswell::*;
