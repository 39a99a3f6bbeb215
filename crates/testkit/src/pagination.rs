//! Paging.

use tonic::Status;

/// A page as a suite sees it: the names of its items, and the token of the next page (empty at the end).
pub type Page = Result<(Vec<String>, String), Status>;

/// Asserts paging.
#[expect(clippy::unused_async, reason = "signature first")]
pub async fn assert_pages_cover(
    fetch: impl AsyncFn(i32, String) -> Page,
    other_filter: impl AsyncFn(i32, String) -> Page,
    expected: &[String],
) {
    let _ = (fetch, other_filter, expected);
    todo!()
}
