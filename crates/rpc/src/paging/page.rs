//! A page and the request for one.

use mainstay_domain::Violations;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::token::{decode_token, encode_token};
use crate::ApiError;

/// Items on a page when the request names no size.
pub const PAGE_SIZE_DEFAULT: i64 = 50;
/// Most items on a page; a greater size means this one.
pub const PAGE_SIZE_MAX: i64 = 1_000;

/// The size of a page: 0 means [`PAGE_SIZE_DEFAULT`], more than
/// [`PAGE_SIZE_MAX`] means that; a negative size is a fault of `page_size`.
pub fn page_size(requested: i32) -> Result<i64, Violations> {
    let mut violations = Violations::new();
    violations.require(requested >= 0, "page_size", "must be 0 (50 items) to 1000, not negative");
    let size = if requested == 0 { PAGE_SIZE_DEFAULT } else { i64::from(requested).min(PAGE_SIZE_MAX) };
    violations.into_result(size)
}

/// Which page a caller asked for. `C` is the keyset position after which the
/// page begins: the values of the order's columns of the last item before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<C> {
    /// Items on the page at most.
    pub size: i64,
    /// Where the page begins; `None` means at the start.
    pub after: Option<C>,
}

impl<C: DeserializeOwned> PageRequest<C> {
    /// Reads `page_size` and `page_token` of a request. `filter_fingerprint`
    /// is over everything that a token is bound to: filter, order, parent.
    pub fn read(
        requested_size: i32,
        token: &str,
        method: &str,
        filter_fingerprint: &[u8; 32],
    ) -> Result<Self, ApiError> {
        let size = page_size(requested_size).map_err(ApiError::invalid)?;
        let after = decode_token(token, method, filter_fingerprint)?;
        Ok(Self { size, after })
    }

    /// Rows to fetch: one more than the page holds, to learn whether another follows.
    pub fn limit(&self) -> i64 {
        self.size + 1
    }
}

/// A page of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Whether another page follows.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// The page from rows that were fetched with a limit of `size` + 1.
    pub fn from_rows(mut rows: Vec<T>, size: i64) -> Self {
        let size = usize::try_from(size).unwrap_or(0);
        let has_more = rows.len() > size;
        rows.truncate(size);
        Self { items: rows, has_more }
    }

    /// The token of the next page, empty on the last one. `cursor` gives the
    /// keyset position of an item.
    pub fn next_token<C: Serialize>(
        &self,
        cursor: impl FnOnce(&T) -> C,
        method: &str,
        filter_fingerprint: &[u8; 32],
    ) -> String {
        match self.items.last() {
            Some(last) if self.has_more => encode_token(&cursor(last), method, filter_fingerprint),
            _ => String::new(),
        }
    }

    /// The page with each item turned into another.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), has_more: self.has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_has_a_default_and_a_cap_and_is_not_negative() {
        assert_eq!(page_size(0), Ok(50));
        assert_eq!(page_size(1), Ok(1));
        assert_eq!(page_size(1_000), Ok(1_000));
        assert_eq!(page_size(i32::MAX), Ok(1_000));
        let violations = page_size(-1).expect_err("negative");
        assert_eq!(violations.iter().next().map(|violation| violation.field.as_str()), Some("page_size"));
    }

    #[test]
    fn pages_end_where_the_rows_end() {
        let filter = [0; 32];
        for row_count in 0..5i64 {
            let page = Page::from_rows((0..row_count).take(3).collect(), 2);
            assert_eq!(page.items.len(), usize::try_from(row_count.min(2)).expect("small"));
            assert_eq!(page.has_more, row_count > 2);
            let token = page.next_token(|item| *item, "ListNumbers", &filter);
            assert_eq!(token.is_empty(), row_count <= 2);
            let next = PageRequest::<i64>::read(2, &token, "ListNumbers", &filter).expect("a request");
            assert_eq!(next, PageRequest { size: 2, after: (row_count > 2).then_some(1) });
            assert_eq!(next.limit(), 3);
        }
    }

    #[test]
    fn a_faulty_size_or_token_is_refused() {
        assert!(PageRequest::<i64>::read(-1, "", "ListNumbers", &[0; 32]).is_err());
        assert!(PageRequest::<i64>::read(0, "x", "ListNumbers", &[0; 32]).is_err());
    }
}
