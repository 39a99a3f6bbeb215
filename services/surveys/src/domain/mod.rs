//! The rules of surveys: programmes, occasions, who may be asked, what answers stand for, and their statistics.
//!
//! Pure: no I/O, no database, no gRPC, no clock.

pub(crate) mod eligibility;
pub(crate) mod invitation;
pub(crate) mod list;
pub(crate) mod mail;
pub(crate) mod occasion;
pub(crate) mod program;
pub(crate) mod quarter;
pub(crate) mod report;
pub(crate) mod response;
pub mod statistics;
pub(crate) mod texts;
