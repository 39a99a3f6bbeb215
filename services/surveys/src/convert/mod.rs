//! Between messages and the domain's types, one file a subject.

pub(crate) mod invitation;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod response;
