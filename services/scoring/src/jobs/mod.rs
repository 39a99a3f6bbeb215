//! What happens because time passes.

mod recompute;
mod rescore;

pub(crate) use recompute::{OperationMonitor, Recompute};
pub(crate) use rescore::Rescore;
