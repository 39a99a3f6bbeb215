//! What happens because time passes.

mod recompute;
mod rescore;

pub(crate) use recompute::{OPERATIONS_QUEUE, OperationMonitor, RECOMPUTE_QUEUE, Recompute};
pub(crate) use rescore::{RESCORE_QUEUE, Rescore};
