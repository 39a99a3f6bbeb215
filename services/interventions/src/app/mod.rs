//! What the service does: one file a use case, named by what it does. No
//! gRPC here; transactions begin and end here.

mod account_gone;
pub(crate) mod advance_case;
pub(crate) mod apply_account_event;
pub(crate) mod change_policy;
pub(crate) mod clear_alert;
pub(crate) mod close_case;
mod digest_text;
mod error;
mod events;
mod find_owner;
pub(crate) mod lookups;
pub(crate) mod monitor_saved;
pub(crate) mod move_alert;
mod notify;
pub(crate) mod open_case;
mod prioritise;
pub(crate) mod queues;
pub(crate) mod raise_alert;
pub(crate) mod reassign;
pub(crate) mod record_touch;
mod remind;
pub(crate) mod report;
pub(crate) mod seed_policies;
pub(crate) mod send_billing_digest;
mod session;
pub(crate) mod survey_answered;
pub(crate) mod talking_points;
pub(crate) mod tasks;
pub(crate) mod tick_clocks;
pub(crate) mod update_case;
pub(crate) mod views;

use std::sync::Arc;

use chrono::NaiveTime;
use mainstay_accounts::Accounts;
use mainstay_delivery::Delivery;
use mainstay_service::Core;

pub(crate) use error::InterventionsError;
pub(crate) use session::Session;

use crate::domain::owners::DefaultOwners;
use crate::peers::ScoringPeer;

/// What every use case works with.
#[derive(Clone)]
pub(crate) struct App {
    pub core: Core,
    /// The copy of the accounts.
    pub accounts: Accounts,
    /// Messages that leave.
    pub delivery: Delivery,
    /// Who is asked when nobody is known.
    pub default_owners: Arc<DefaultOwners>,
    /// Where else notices go, besides to people.
    pub channels: Arc<NoticeChannels>,
    /// The time of day, in UTC, at which billing alerts are summed up; none: never, or there is nobody to send it to.
    pub billing_digest_at: Option<NaiveTime>,
    /// Scoring, which confirms recoveries; none: scores are those of the copy.
    pub scoring: Option<ScoringPeer>,
}

/// Where notices go, besides to people: names of destinations in the settings of the delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct NoticeChannels {
    /// Whether people are written to: without a mail relay they are not.
    pub email: bool,
    /// Slack destinations that hear of alerts raised, clocks breached, and how cases ended, and get the digest of billing alerts.
    pub slack: Vec<String>,
    /// Webhooks that hear of alerts raised, clocks breached, alerts and cases closed.
    pub webhooks: Vec<String>,
}
