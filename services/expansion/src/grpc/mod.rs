//! The service's RPCs: messages into the domain's types, a use case, its
//! answer back. No SQL and no rules here.

mod catalog;
mod error;
mod opportunities;
mod opportunity_changes;
mod qualification;
mod reports;

pub(crate) use catalog::CatalogRpc;
pub(crate) use opportunities::OpportunityRpc;
pub(crate) use qualification::QualificationRpc;
pub(crate) use reports::ReportRpc;
