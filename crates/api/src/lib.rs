//! Code generated from `proto/` by `cargo xtask generate`, and the descriptor
//! set. No logic: what the messages mean is said in the protos' comments.

#[allow(
    missing_docs,
    unreachable_pub,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    reason = "code as prost and tonic generate it; which of these it needs changes with them, so that none can be expected"
)]
mod generated {
    include!("generated/mod.rs");
}

pub use generated::google;
pub use generated::mainstay;

/// The descriptor set of everything served, with comments, for reflection and
/// for reading method options.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor.bin");
