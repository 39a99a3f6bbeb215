//! What happens because time passes, or because another service said something.

mod activation;
mod due_times;
mod feeds;
mod inactivity;
mod labels;
mod mark_all;
mod operation_steps;
mod plan_usage;
mod recompute;
mod rescore;
mod risk_looks;

pub(crate) use activation::Activation;
pub(crate) use due_times::DueTimes;
pub(crate) use feeds::{InterventionsFeed, SurveysFeed};
pub(crate) use inactivity::Inactivity;
pub(crate) use labels::LabelExpiry;
pub(crate) use mark_all::MarkAll;
pub(crate) use operation_steps::OperationSteps;
pub(crate) use plan_usage::PlanUsage;
pub(crate) use recompute::{OperationMonitor, Recompute};
pub(crate) use rescore::Rescore;
pub(crate) use risk_looks::RiskLooks;
