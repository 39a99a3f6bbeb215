//! What the service does: one file a use case, named by what it does. No
//! gRPC here; transactions begin and end here.

pub(crate) mod advance_opportunity;
pub(crate) mod assess_account;
mod change_opportunity;
pub(crate) mod compare_plans;
pub(crate) mod complete_checklist_item;
pub(crate) mod create_opportunity;
pub(crate) mod create_plan;
mod error;
mod events;
pub(crate) mod explain_candidate;
pub(crate) mod get_opportunity;
pub(crate) mod get_plan;
pub(crate) mod get_reports;
pub(crate) mod get_review;
pub(crate) mod hand_over_opportunity;
pub(crate) mod list_candidates;
pub(crate) mod list_opportunities;
pub(crate) mod list_plans;
pub(crate) mod list_reviews;
pub(crate) mod list_stage_policies;
pub(crate) mod list_timeline;
pub(crate) mod lose_opportunity;
mod open_opportunity;
pub(crate) mod postpone_opportunity;
pub(crate) mod publish_plan;
pub(crate) mod queues;
mod record_step;
pub(crate) mod resume_opportunity;
pub(crate) mod review_page;
pub(crate) mod ring_clock;
pub(crate) mod schedule_reviews;
pub(crate) mod set_stage_policy;
pub(crate) mod start_review;
pub(crate) mod take_in_account;
pub(crate) mod take_in_condition;
pub(crate) mod take_in_touch;
pub(crate) mod take_in_usage;
pub(crate) mod update_opportunity;
pub(crate) mod win_opportunity;

use std::sync::Arc;

use mainstay_accounts::Accounts;
use mainstay_service::Core;

pub(crate) use error::ExpansionError;

/// Who does what happens by itself.
pub(crate) const SYSTEM_ACTOR: &str = "mainstay";

/// What every use case works with.
#[derive(Clone)]
pub(crate) struct App {
    pub core: Core,
    /// The copy of the accounts.
    pub accounts: Accounts,
    /// Who works on opportunities of accounts that nobody looks after.
    pub default_owner_email: Arc<str>,
}
