//! The service's RPCs: messages into the domain's types, a use case, its
//! answer back. No SQL and no rules here.

mod error;
mod invitations;
mod programs;
mod reports;
mod responses;

pub(crate) use invitations::InvitationRpc;
pub(crate) use programs::ProgramRpc;
pub(crate) use reports::ReportRpc;
pub(crate) use responses::ResponseRpc;
