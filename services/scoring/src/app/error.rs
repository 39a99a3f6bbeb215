//! Everything that can go wrong in a use case, as a closed set.

use chrono::NaiveDate;
use mainstay_domain::{AccountId, AdoptionTargetId, ModelId, Violations};
use mainstay_service::RequestIdReused;
use mainstay_storage::{IsConflict, StorageError};
use thiserror::Error;
use uuid::Uuid;

use super::withdraw_signals::RefusedSignals;
use crate::domain::backtest::{Difference, TooFewOutcomes};
use crate::domain::label::LabelState;
use crate::domain::signal::SignalKind;

/// Why a use case was refused or failed. `grpc/error.rs` says what callers get to see of it.
#[derive(Debug, Error)]
pub(crate) enum ScoringError {
    #[error("invalid fields: {0:?}")]
    Invalid(Violations),
    /// Of one item of a batch, with its fields at fault.
    #[error("{error}")]
    OfItem { error: Box<ScoringError>, found: Violations },
    #[error("account {0} does not exist")]
    AccountNotFound(AccountId),
    #[error("account {0} is archived")]
    AccountArchived(AccountId),
    #[error("account {0} exists")]
    AccountExists(AccountId),
    #[error("metric {metric} is a {known:?}")]
    MetricKindMismatch { metric: String, known: SignalKind },
    #[error("{} signals of {} do not exist", .0.count, .0.account)]
    SignalsNotFound(RefusedSignals),
    #[error("{} signals of {} changed the account", .0.count, .0.account)]
    SignalsChangedAccount(RefusedSignals),
    #[error("model {0} does not exist")]
    ModelNotFound(String),
    #[error("model {0} exists")]
    ModelExists(ModelId),
    #[error("model {model} has other cuts than {other}")]
    ModelCutsDiffer { model: ModelId, other: ModelId },
    #[error("account {account} was not scored by {day:?}")]
    HealthNotScored { account: AccountId, day: Option<NaiveDate> },
    #[error("recomputation {0} is under way")]
    RecomputeRunning(Uuid),
    #[error("operation {0} does not exist")]
    OperationNotFound(String),
    #[error("risk trigger {0} does not exist")]
    RiskTriggerNotFound(String),
    #[error("label {1} of account {0} does not exist")]
    LabelNotFound(AccountId, Uuid),
    #[error("account {0} has the open label {1}")]
    LabelOpen(AccountId, Uuid),
    #[error("label {1} of account {0} is {state}", state = .2.word())]
    LabelEnded(AccountId, Uuid, LabelState),
    #[error("adoption target {0} does not exist")]
    AdoptionTargetNotFound(AdoptionTargetId),
    #[error("definition {0} does not exist")]
    DefinitionNotFound(String),
    #[error(transparent)]
    Backtest(#[from] BacktestError),
    /// With what is missing.
    #[error("too little is known to learn a forecast from: {0}")]
    TooLittleData(String),
    #[error("training {0} is under way")]
    TrainingRunning(Uuid),
    #[error("forecast model {0:?} does not exist")]
    ForecastModelNotFound(Option<i64>),
    #[error("account {account} has no forecast: {why}")]
    ForecastUnavailable { account: AccountId, why: String },
    #[error("account {0} has no renewal to come")]
    RenewalNotDue(AccountId),
    #[error("the etag is not that of the stored resource")]
    EtagMismatch,
    #[error(transparent)]
    RequestIdReused(#[from] RequestIdReused),
    #[error(transparent)]
    Storage(StorageError),
}

/// What goes wrong with backtests, and because of them.
#[derive(Debug, Error)]
pub(crate) enum BacktestError {
    #[error("model {model} is worse than {base}: {difference:?} in backtest {backtest}")]
    ModelWorse { model: ModelId, base: ModelId, backtest: Uuid, difference: Difference },
    #[error("no backtest tried model {model} beside {base}")]
    ModelUntried { model: ModelId, base: ModelId },
    #[error("backtest {0} is under way")]
    Running(Uuid),
    #[error("backtest {0} does not exist")]
    NotFound(String),
    #[error("{} accounts left and {} stayed", .0.left, .0.stayed)]
    TooFewOutcomes(TooFewOutcomes),
}

impl From<StorageError> for ScoringError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<sqlx::Error> for ScoringError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl IsConflict for ScoringError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
