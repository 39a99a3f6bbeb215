//! The scoring service.
fn main() {}
