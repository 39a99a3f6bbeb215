//! Code generated from `proto/` by `cargo xtask generate`, and the descriptor
//! set. No logic: what the messages mean is said in the protos' comments.

#[allow(missing_docs, unreachable_pub, rustdoc::all, clippy::all, clippy::pedantic)]
mod generated {
    include!("generated/mod.rs");
}

pub use generated::google;
pub use generated::mainstay;

/// The descriptor set of everything served, with comments, for reflection and
/// for reading method options.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor.bin");
