//! A [`CustomerFilter`] as parameters of queries.

use super::codes;
use crate::domain::customer_filter::CustomerFilter;

/// Each NULL where it lets through all.
pub(super) struct FilterParameters<'a> {
    pub segments: Option<Vec<i16>>,
    pub owner_email: Option<&'a str>,
}

impl<'a> FilterParameters<'a> {
    pub(super) fn of(customers: &'a CustomerFilter) -> Self {
        Self {
            segments: codes::any_of(&customers.segments, codes::segment_number),
            owner_email: customers.owner_email.as_deref(),
        }
    }
}
