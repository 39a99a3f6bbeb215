//! What every paged method must do (AIP-158), as one suite.

use std::collections::BTreeSet;

use tonic::{Code, Status};

use crate::refusal::assert_refused;

/// The most items in a page, however many were asked for.
pub const PAGE_SIZE_MAX: usize = 1_000;

const INVALID_PAGE_TOKEN: &str = "INVALID_PAGE_TOKEN";

/// A page as the suite sees it: the names of its items, and the token of the next page (empty at the end).
pub type Page = Result<(Vec<String>, String), Status>;

/// Asserts that a method pages as it must; panics with what differed.
///
/// `fetch` calls the method with a page size and a page token; `other_filter` does so with another filter (or
/// order, or method), under which the tokens of `fetch` must not work. `expected` has the names of all items that
/// `fetch` can give, in order; at least three.
///
/// Holds afterwards:
/// * pages of any size give each item once and in order, never more in a page than asked for, and then end;
/// * the size may change from page to page; 0 is the method's default, and above [`PAGE_SIZE_MAX`] it is
///   capped; a negative one is refused with `INVALID_ARGUMENT`;
/// * a token that was altered, made up or belongs to another filter is refused with `INVALID_ARGUMENT`, `INVALID_PAGE_TOKEN`.
pub async fn assert_pages_cover(
    fetch: impl AsyncFn(i32, String) -> Page,
    other_filter: impl AsyncFn(i32, String) -> Page,
    expected: &[String],
) {
    assert!(expected.len() >= 3, "the suite needs at least three items to tell pages apart, not {}", expected.len());
    for size in sizes(expected.len()) {
        assert_walk_covers(&fetch, size, expected).await;
    }
    assert_size_may_change(&fetch, expected).await;
    assert_refused("a negative page size", fetch(-1, String::new()).await, Code::InvalidArgument, None);

    let (_, token) = page(&fetch, 1, String::new()).await;
    let foreign = [("an altered page token", altered(&token)), ("a made-up page token", "made-up".to_owned())];
    for (what, foreign_token) in foreign {
        assert_refused(what, fetch(1, foreign_token).await, Code::InvalidArgument, Some(INVALID_PAGE_TOKEN));
    }
    let answer = other_filter(1, token).await;
    assert_refused("a page token of another filter", answer, Code::InvalidArgument, Some(INVALID_PAGE_TOKEN));
}

/// The default, the smallest, those around the number of items, and two above the maximum.
fn sizes(items: usize) -> BTreeSet<i32> {
    let around = [items - 1, items, items + 1, PAGE_SIZE_MAX + 1];
    let around = around.into_iter().filter_map(|size| i32::try_from(size).ok());
    [0, 1, 2, 3, i32::MAX].into_iter().chain(around).collect()
}

async fn page(fetch: &impl AsyncFn(i32, String) -> Page, size: i32, token: String) -> (Vec<String>, String) {
    match fetch(size, token.clone()).await {
        Ok(page) => page,
        Err(status) => panic!("page size {size}, token `{token}`: refused with {status:?}"),
    }
}

async fn assert_walk_covers(fetch: &impl AsyncFn(i32, String) -> Page, size: i32, expected: &[String]) {
    let most = match usize::try_from(size) {
        Ok(asked @ 1..=PAGE_SIZE_MAX) => asked,
        _ => PAGE_SIZE_MAX,
    };
    let mut found = Vec::new();
    let mut token = String::new();
    // One page for each item and an empty one at the end is the most that a method can need.
    for _ in 0..expected.len() + 2 {
        let (items, next) = page(fetch, size, token).await;
        assert!(items.len() <= most, "page size {size}: a page has {} items, and at most {most} fit", items.len());
        found.extend(items);
        token = next;
        if token.is_empty() {
            break;
        }
    }
    assert!(token.is_empty(), "page size {size}: the pages do not end; so far {}", difference(&found, expected));
    assert!(found == expected, "page size {size}: {}", difference(&found, expected));
}

async fn assert_size_may_change(fetch: &impl AsyncFn(i32, String) -> Page, expected: &[String]) {
    let (mut found, token) = page(fetch, 1, String::new()).await;
    let (items, _) = page(fetch, 2, token).await;
    found.extend(items);
    assert!(found == expected[..3], "a page of 1, then one of 2: {}", difference(&found, &expected[..3]));
}

/// The token with its middle letter changed to another that may stand there.
fn altered(token: &str) -> String {
    let middle = token.chars().count() / 2;
    let swap = |letter| if letter == 'A' { 'B' } else { 'A' };
    token.chars().enumerate().map(|(at, letter)| if at == middle { swap(letter) } else { letter }).collect()
}

fn difference(found: &[String], expected: &[String]) -> String {
    let missing: Vec<&String> = expected.iter().filter(|item| !found.contains(item)).collect();
    let foreign: Vec<&String> = found.iter().filter(|item| !expected.contains(item)).collect();
    let mut seen = BTreeSet::new();
    let repeated: Vec<&String> = found.iter().filter(|item| !seen.insert(*item)).collect();
    let first =
        found.iter().zip(expected).position(|(one, other)| one != other).unwrap_or(found.len().min(expected.len()));
    format!(
        "{} items instead of {}; missing {missing:?}, repeated {repeated:?}, not expected {foreign:?}; the first \
         difference is at position {first}: {:?} instead of {:?}",
        found.len(),
        expected.len(),
        found.get(first),
        expected.get(first)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::refusal;

    const ITEMS: usize = 5;

    fn names() -> Vec<String> {
        (0..ITEMS).map(|number| format!("items/{number}")).collect()
    }

    /// What is wrong with a pager.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Fault {
        Nothing,
        SkipsAtAPageEnd,
        RepeatsAtAPageEnd,
        NeverEnds,
        IgnoresTheSize,
        SizeZeroGivesNothing,
        ReversesBigPages,
        TakesNegativeSizes,
        TakesAnyToken,
        TakesTokensOfOtherFilters,
    }

    fn give(filter: char, size: i32, token: &str, fault: Fault) -> Page {
        if size < 0 && fault != Fault::TakesNegativeSizes {
            return Err(refusal(Code::InvalidArgument, "INVALID_FIELDS"));
        }
        let start = match token.strip_prefix(['a', 'b']).and_then(|rest| rest.strip_prefix("/check/")) {
            None if token.is_empty() => 0,
            Some(rest) if token.starts_with(filter) || fault == Fault::TakesTokensOfOtherFilters => {
                rest.parse().map_err(|_| refusal(Code::InvalidArgument, INVALID_PAGE_TOKEN))?
            }
            _ if fault == Fault::TakesAnyToken => 0,
            _ => return Err(refusal(Code::InvalidArgument, INVALID_PAGE_TOKEN)),
        };
        let mut size = match usize::try_from(size) {
            Ok(0) if fault == Fault::SizeZeroGivesNothing => return Ok((Vec::new(), String::new())),
            Ok(asked @ 1..) => asked.min(PAGE_SIZE_MAX),
            _ => 2,
        };
        if fault == Fault::IgnoresTheSize {
            size = 4;
        }
        let end = (start + size).min(ITEMS);
        let mut items = names()[start..end].to_vec();
        if fault == Fault::ReversesBigPages && items.len() == ITEMS {
            items.reverse();
        }
        let next = match fault {
            Fault::SkipsAtAPageEnd => end + 1,
            Fault::RepeatsAtAPageEnd if size > 1 => end - 1,
            Fault::NeverEnds => end.min(ITEMS - 1),
            _ => end,
        };
        let ends = next >= ITEMS || (end == ITEMS && fault != Fault::NeverEnds);
        Ok((items, if ends { String::new() } else { format!("{filter}/check/{next}") }))
    }

    async fn run_suite(fault: Fault) {
        let pages = async |size, token: String| give('a', size, &token, fault);
        let other = async |size, token: String| give('b', size, &token, fault);
        assert_pages_cover(pages, other, &names()).await;
    }

    /// What the suite says of a faulty pager.
    fn verdict(fault: Fault) -> String {
        let run = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(run_suite(fault));
        });
        let panic = run.join().expect_err("the suite lets the fault pass");
        panic.downcast_ref::<String>().cloned().expect("a message")
    }

    #[tokio::test]
    async fn a_proper_pager_passes() {
        run_suite(Fault::Nothing).await;
    }

    #[test]
    fn each_fault_is_found_and_described() {
        let verdicts = [
            (Fault::SkipsAtAPageEnd, "missing [\"items/2\"]"),
            (Fault::RepeatsAtAPageEnd, "repeated [\"items/1\""),
            (Fault::NeverEnds, "the pages do not end"),
            (Fault::IgnoresTheSize, "a page has 4 items, and at most 1 fit"),
            (Fault::SizeZeroGivesNothing, "page size 0: 0 items instead of 5"),
            (Fault::ReversesBigPages, "Some(\"items/4\") instead of Some(\"items/0\")"),
            (Fault::TakesNegativeSizes, "a negative page size must be refused with InvalidArgument"),
            (Fault::TakesAnyToken, "an altered page token must be refused"),
            (Fault::TakesTokensOfOtherFilters, "a page token of another filter must be refused"),
        ];
        for (fault, expected) in verdicts {
            let said = verdict(fault);
            assert!(said.contains(expected), "{fault:?}: {said}");
        }
    }

    #[test]
    fn an_altered_token_differs_in_one_letter() {
        assert_eq!(altered("abcd"), "abAd");
        assert_eq!(altered("aAa"), "aBa");
    }
}
