//! What happens because time passes.

mod housekeeping;
mod recompute;
mod rescore;

pub(crate) use housekeeping::Housekeeping;
pub(crate) use recompute::{OperationMonitor, Recompute};
pub(crate) use rescore::Rescore;
