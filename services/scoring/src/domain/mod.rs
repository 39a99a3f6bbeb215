//! The arithmetic of health: models, series of signals, scores, explanations.
//!
//! Pure: no I/O, no database, no gRPC, no clock. What a score is made of is
//! handed in, so the same inputs give the same score at any time.

pub mod account;
pub(crate) mod account_adoption;
pub(crate) mod account_card;
mod account_group;
mod account_news;
mod account_tree;
mod activation;
pub(crate) mod adoption_period;
pub(crate) mod adoption_target;
pub mod backtest;
pub mod billing;
#[cfg(test)]
mod cdnow_tests;
pub mod champions;
mod changes;
pub(crate) mod cohort;
mod curve;
pub(crate) mod customer_filter;
pub(crate) mod data_quality;
pub(crate) mod data_source;
mod decline;
pub mod definitions;
mod english;
mod explain;
pub mod feature_adoption;
pub(crate) mod feature_adoption_report;
pub(crate) mod feature_request_report;
pub(crate) mod field_claim;
pub(crate) mod forecast;
pub mod frustration;
mod health;
pub(crate) mod health_report;
mod health_risks;
pub mod inactivity;
pub(crate) mod investment;
pub mod json;
pub mod label;
pub mod lifecycle;
mod lift;
pub mod login_drop;
mod measure;
mod model;
mod model_check;
mod model_diff;
mod model_file;
mod operation;
pub(crate) mod outcome_report;
pub mod payment_slowing;
pub(crate) mod payment_source;
mod peer_shares;
mod portfolio;
pub mod product;
mod pulses;
mod recommended_steps;
pub(crate) mod renewal;
pub mod renewal_risk;
pub(crate) mod retention_comparison;
pub(crate) mod retention_goals;
pub(crate) mod revenue_report;
pub(crate) mod revenue_retention;
pub mod risk_trigger;
mod score;
mod scoring_facts;
mod sentences;
mod sentiment;
mod series;
pub(crate) mod service_report;
pub(crate) mod shared_target;
pub mod signal;
pub mod story;
pub mod story_series;
pub mod story_source;
#[cfg(test)]
mod test_support;
pub mod ticket;
pub mod usage_decline;
pub mod voice;
pub mod withdrawal;

pub use account_group::{
    AccountGroup, AccountGroupKind, Distribution, GroupDistributions, MEDIAN_ACCOUNTS_MIN, RANK_ACCOUNTS_MIN,
};
pub use account_news::NewsKey;
pub(crate) use account_tree::{ACCOUNTS_ABOVE_MAX, GivenParent, ParentFault, moves, parent_faults};
pub(crate) use activation::{Activation, ActivationCause, Activations};
pub use changes::{Announced, deserves_event};
pub use curve::{Curve, CurvePoint};
pub use decline::{DeclineSource, DeclineTrigger, decline_triggers};
pub use explain::{
    ComponentExplanation, HealthComparison, HealthExplanation, MeasureChange, MeasureExplanation, Snapshot, compare,
    explain,
};
pub(crate) use health::{Changes, GeneralReadings, HealthRecord, HealthView};
pub use health_risks::ScoreReading;
pub use lift::{Lift, LiftObstacle, LiftStep, ObstacleReason, Others, lift, recovered_above};
pub use mainstay_domain::Segment;
pub use measure::{DayContext, MissingReason, Reading, read_measure};
pub use model::{
    Aggregation, BandCutsDraft, Comparison, Component, ComponentDraft, DEFAULT_FRESHNESS_LIMIT_DAYS, GroupStatistic,
    HealthModel, Input, Measure, MeasureDraft, ModelDraft, Window,
};
pub use model_diff::{MeasureWeights, ModelChange, ModelDiff};
pub use model_file::{DEFAULT_MODEL, ModelFileError, parse_model_file, write_model_file};
pub(crate) use operation::OperationKind;
pub use peer_shares::is_everybodys;
pub(crate) use portfolio::{BandSummary, HealthCursor, HealthFilter, HealthOrder, HealthSummary, SummaryGroup};
pub use pulses::{JoinedDay, Pulses};
pub use recommended_steps::{RecommendedStep, StepRole, recommended_steps, steps_against};
pub use score::{AccountInputs, ComponentOutcome, MeasureOutcome, Scored, score, score_readings};
pub use scoring_facts::{ScoringFacts, ScoringFactsByDay};
pub use series::{AccountSeries, DayNumber, DayValues, GaugeDays, Level, SeriesKey, SeriesKind, date_of, day_number};
