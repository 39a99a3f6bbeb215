//! Churn forecasts: how likely customers are to leave, learnt from those of whom it is known.
//!
//! A probability is never called health.

mod inputs;
mod model;
mod portfolio;
mod record;
mod training;

pub(crate) use inputs::{ContractDays, CustomerDay, InputKind};
pub(crate) use model::{
    Accuracy, ChurnForecast, ForecastDefinition, ForecastInput, ForecastModel, ReliabilityPart, RowCounts,
};
pub(crate) use portfolio::{ForecastCustomer, ForecastGroup, PortfolioForecast, count_interval, money_interval};
pub(crate) use record::{Draw, TrainingEnd, TrainingRecord};
pub(crate) use training::{OutcomeRow, TrainError, train};

/// Least days within which a customer must have left to count as lost.
pub(crate) const HORIZON_DAYS_MIN: u32 = 28;
/// Most days.
pub(crate) const HORIZON_DAYS_MAX: u32 = 365;
/// Days unless told otherwise: a quarter.
pub(crate) const HORIZON_DAYS_DEFAULT: u32 = 90;
/// Months to learn from at most, the newest.
pub(crate) const MONTHS_LEARNT_MAX: u32 = 36;
/// Rows to learn from at most; of more customers a part is drawn, whole customers each. All are in memory while one learns, which
/// takes the longer the more there are, and more tell little more.
pub(crate) const ROWS_MAX: u64 = 50_000;
