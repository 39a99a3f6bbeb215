//! Repeats.

use std::fmt::Debug;

use tonic::Status;

/// Asserts that a call may be repeated.
#[expect(clippy::unused_async, reason = "signature first")]
pub async fn assert_repeatable<Response: PartialEq + Debug>(
    call: impl AsyncFn(String, usize) -> Result<Response, Status>,
    count_effects: impl AsyncFn() -> u64,
) {
    let _ = (call, count_effects);
    todo!()
}
