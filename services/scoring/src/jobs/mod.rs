//! What happens because time passes.

mod mark_all;
mod recompute;
mod rescore;

pub(crate) use mark_all::MarkAll;
pub(crate) use recompute::{OperationMonitor, Recompute};
pub(crate) use rescore::Rescore;
