//! The service's RPCs: messages into the domain's types, a use case, its
//! answer back. No SQL and no rules here.

mod alerts;
mod case_work;
mod cases;
mod error;
mod policies;
mod reports;

pub(crate) use alerts::AlertRpc;
pub(crate) use cases::CaseRpc;
pub(crate) use policies::PolicyRpc;
pub(crate) use reports::ReportRpc;

/// An etag that was given.
fn given_etag(etag: &str) -> Option<&str> {
    Some(etag).filter(|etag| !etag.is_empty())
}
