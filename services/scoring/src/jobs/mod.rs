//! What happens because time passes.

mod housekeeping;
mod mark_all;
mod recompute;
mod rescore;

pub(crate) use housekeeping::Housekeeping;
pub(crate) use mark_all::MarkAll;
pub(crate) use recompute::{OperationMonitor, Recompute};
pub(crate) use rescore::Rescore;
