//! Messages into the domain's types and back.

pub(crate) mod opportunity;
pub(crate) mod plan;
pub(crate) mod qualification;
pub(crate) mod report;
pub(crate) mod told;
