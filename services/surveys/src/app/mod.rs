//! What the service does: one file a use case, named by what it does. No
//! gRPC here; transactions begin and end here.

pub(crate) mod answer_invitation;
pub(crate) mod create_program;
pub(crate) mod decide_occasion;
pub(crate) mod enrol_accounts;
mod error;
pub(crate) mod events;
pub(crate) mod follow_up_invitation;
pub(crate) mod get_invitation;
pub(crate) mod get_program;
pub(crate) mod get_recipient;
pub(crate) mod get_response;
pub(crate) mod links;
pub(crate) mod list_invitations;
pub(crate) mod list_programs;
pub(crate) mod list_responses;
mod mails;
pub(crate) mod move_program;
pub(crate) mod opt_out;
pub(crate) mod preview_program;
pub(crate) mod queues;
mod record_response;
pub(crate) mod reports;
pub(crate) mod resurvey_contact;
pub(crate) mod schedule_resurvey;
pub(crate) mod submit_response;
pub(crate) mod take_account_change;
pub(crate) mod take_resolved_ticket;
pub(crate) mod update_program;
pub(crate) mod visit_account;

use std::sync::Arc;

use mainstay_accounts::Accounts;
use mainstay_delivery::Delivery;
use mainstay_service::Core;

pub(crate) use error::SurveysError;
pub(crate) use links::Links;

/// What every use case works with. Clones are the same.
#[derive(Clone)]
pub(crate) struct App {
    pub core: Core,
    /// The copy of the accounts.
    pub accounts: Accounts,
    /// The mails that ask.
    pub delivery: Delivery,
    /// The links in them.
    pub links: Arc<Links>,
    /// Whether scoring tells of the accounts, so that one it has not told of does not exist.
    pub follows_scoring: bool,
}
