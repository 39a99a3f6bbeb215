//! The service's RPCs: messages into the domain's types, a use case, its
//! answer back. No SQL and no rules here.

mod account_cards;
mod accounts;
mod adoption;
mod backtests;
mod cohorts;
mod definitions;
mod error;
mod forecasts;
mod health;
mod labels;
mod models;
mod operations;
mod renewals;
mod reports;
mod risk_triggers;
mod signals;

pub(crate) use account_cards::AccountCardRpc;
pub(crate) use accounts::AccountRpc;
pub(crate) use adoption::AdoptionRpc;
pub(crate) use backtests::BacktestRpc;
pub(crate) use cohorts::CohortRpc;
pub(crate) use definitions::DefinitionRpc;
pub(crate) use forecasts::ForecastRpc;
pub(crate) use health::HealthRpc;
pub(crate) use labels::LabelRpc;
pub(crate) use models::ModelRpc;
pub(crate) use operations::OperationsRpc;
pub(crate) use renewals::RenewalRpc;
pub(crate) use reports::ReportRpc;
pub(crate) use risk_triggers::RiskTriggerRpc;
pub(crate) use signals::SignalRpc;
