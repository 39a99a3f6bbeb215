//! Batches.

use mainstay_api::mainstay::scoring::v1::{BatchMode, ItemError};
use mainstay_domain::Violations;
use mainstay_rpc::ApiError;
use mainstay_service::wire::count;

/// Whether one wrong item refuses the batch, which is the default.
pub(crate) fn all_or_nothing(found: &mut Violations, mode: i32) -> bool {
    match BatchMode::try_from(mode) {
        Ok(BatchMode::Unspecified | BatchMode::AllOrNothing) => true,
        Ok(BatchMode::PerItem) => false,
        Err(_) => {
            found.add("mode", format!("{mode} is no mode of a batch"));
            true
        }
    }
}

/// Why one item of a batch was refused.
pub(crate) fn item_error(index: usize, error: ApiError) -> ItemError {
    ItemError { index: count(index), status: Some(error.into_rpc_status()) }
}
