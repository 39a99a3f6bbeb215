//! The two translations, message ↔ domain, one file a subject.

pub(crate) mod alert;
pub(crate) mod case;
pub(crate) mod clock;
pub(crate) mod names;
pub(crate) mod occurrence;
pub(crate) mod policy;
pub(crate) mod report;
pub(crate) mod talking_points;
pub(crate) mod task;
pub(crate) mod touch;
