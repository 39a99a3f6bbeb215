//! What the service does: one file a use case, named by what it does. No
//! gRPC here; transactions begin and end here.

mod absences;
mod account_changes;
mod account_outcomes;
pub(crate) mod account_series;
pub(crate) mod activate_model;
pub(crate) mod announce_activation;
pub(crate) mod archive_account;
pub(crate) mod backtest_model;
pub(crate) mod cancel_operation;
mod causes;
pub(crate) mod chosen_model;
mod churn_times;
pub(crate) mod compare_before_after;
pub(crate) mod compare_exposure;
pub(crate) mod compare_investments;
pub(crate) mod correct_label;
pub(crate) mod create_account;
pub(crate) mod create_model;
pub(crate) mod day_contexts;
pub(crate) mod delete_adoption_target;
pub(crate) mod diff_models;
pub(crate) mod due_times;
pub(crate) mod end_operation;
mod error;
pub(crate) mod events;
pub(crate) mod expire_labels;
pub(crate) mod explain_health;
pub(crate) mod forecast_churn;
pub(crate) mod get_account;
pub(crate) mod get_account_adoption;
pub(crate) mod get_account_card;
pub(crate) mod get_backtest;
pub(crate) mod get_data_quality;
pub(crate) mod get_feature_adoption_report;
pub(crate) mod get_feature_request_report;
pub(crate) mod get_forecast_model;
pub(crate) mod get_health;
pub(crate) mod get_health_report;
pub(crate) mod get_label;
pub(crate) mod get_lifetime_value;
pub(crate) mod get_model;
pub(crate) mod get_operation;
pub(crate) mod get_outcome_report;
pub(crate) mod get_retention;
pub(crate) mod get_revenue_report;
pub(crate) mod get_revenue_retention;
pub(crate) mod get_risk_trigger;
pub(crate) mod get_service_report;
pub(crate) mod get_touchpoint_map;
mod health_risks;
pub(crate) mod health_scored;
mod learnt_customers;
pub(crate) mod list_accounts;
pub(crate) mod list_adoption_targets;
pub(crate) mod list_customer_outcomes;
pub(crate) mod list_definitions;
pub(crate) mod list_field_claims;
pub(crate) mod list_health;
pub(crate) mod list_labels;
pub(crate) mod list_models;
pub(crate) mod list_operations;
pub(crate) mod list_renewals;
pub(crate) mod list_risk_triggers;
pub(crate) mod list_shared_targets;
pub(crate) mod list_signals;
mod long_computation;
pub(crate) mod looks;
mod made_distributions;
pub(crate) mod mark_all_accounts;
pub(crate) mod model_cache;
pub(crate) mod move_label;
mod note_claims;
pub(crate) mod operation_steps;
mod parent_checks;
mod pulse_changes;
mod put_in_force;
pub(crate) mod queues;
mod recent_scores;
pub(crate) mod recompute_health;
pub(crate) mod record_signals;
mod record_stories;
mod refused_batch;
pub(crate) mod release_segment;
mod replayed_accounts;
mod replayed_groups;
pub(crate) mod report_plan_usage;
pub(crate) mod rescore_accounts;
mod risk_changes;
mod run_backtest;
mod run_training;
pub(crate) mod seed_default_model;
pub(crate) mod set_adoption_target;
pub(crate) mod set_data_owner;
pub(crate) mod set_renewal_call;
pub(crate) mod set_shared_target;
pub(crate) mod silences;
pub(crate) mod tell_accounts;
pub(crate) mod train_forecast;
pub(crate) mod update_account;
pub(crate) mod upsert_accounts;
mod use_changes;
pub(crate) mod wait_operation;
pub(crate) mod withdraw_signals;
mod withdraw_stories;

use std::sync::Arc;

use mainstay_domain::SharedClock;
use mainstay_service::Core;
use sqlx::PgPool;

pub(crate) use error::{BacktestError, ScoringError};
pub(crate) use mainstay_service::{Mutation, Replayable};
pub(crate) use model_cache::ModelCache;

use crate::storage::SCHEMA;

/// What every use case works with.
#[derive(Clone)]
pub(crate) struct App {
    pub core: Core,
    /// The models that score.
    pub models: Arc<ModelCache>,
}

impl App {
    pub(crate) fn new(pool: PgPool, clock: SharedClock) -> Self {
        Self { core: Core::new(&SCHEMA, pool, clock), models: Arc::new(ModelCache::default()) }
    }
}
