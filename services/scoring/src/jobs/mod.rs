//! What happens because time passes.

mod recompute;
mod rescore;

pub(crate) use recompute::{OperationMonitor, RECOMPUTE_QUEUE, Recompute};
pub(crate) use rescore::{RESCORE_QUEUE, Rescore};
