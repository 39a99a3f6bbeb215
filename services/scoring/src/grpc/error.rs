//! What callers get to see of each error: the one place that turns use cases'
//! errors into statuses. `docs/errors.md` lists them.

use mainstay_api::mainstay::common::v1::ErrorReason as CommonReason;
use mainstay_api::mainstay::scoring::v1::ErrorReason;
use mainstay_rpc::ApiError;
use tonic::{Code, Status};

use crate::app::withdraw_signals::RefusedSignals;
use crate::app::{BacktestError, ScoringError};
use crate::convert;
use crate::convert::forecast::model_name;
use crate::convert::label::name as label_name;
use crate::domain::backtest::ACCOUNTS_OF_OUTCOME_MIN;

const DOMAIN: &str = "scoring.mainstay";

fn of(code: Code, reason: ErrorReason, message: String) -> ApiError {
    let text = reason.as_str_name();
    ApiError::new(code, DOMAIN, text.strip_prefix("ERROR_REASON_").unwrap_or(text), message)
}

fn of_backtest(error: BacktestError) -> ApiError {
    match error {
        BacktestError::ModelWorse { model, base, backtest, difference } => of(
            Code::FailedPrecondition,
            ErrorReason::ModelWorse,
            format!(
                "{} finds those who leave worse than {}: the area under the curve is {:.4} lower, or between {:.4} and {:.4} (95 %); change the model, or say accept_worse with a reason",
                model.name(),
                base.name(),
                -difference.value,
                -difference.high,
                -difference.low,
            ),
        )
        .with_metadata("model", model.name())
        .with_metadata("backtest", format!("backtests/{backtest}"))
        .with_metadata("difference", format!("{:.6}", difference.value))
        .with_metadata("low", format!("{:.6}", difference.low))
        .with_metadata("high", format!("{:.6}", difference.high)),
        BacktestError::ModelUntried { model, base } => of(
            Code::FailedPrecondition,
            ErrorReason::ModelUntried,
            format!(
                "no backtest tried {} beside {}, which scores these accounts: try it with BacktestModel, or say accept_untried with a reason (where too few left to judge it, for example)",
                model.name(),
                base.name(),
            ),
        )
        .with_metadata("model", model.name())
        .with_metadata("base_model", base.name()),
        BacktestError::Running(operation) => of(
            Code::FailedPrecondition,
            ErrorReason::BacktestRunning,
            format!("operations/{operation} is under way: wait for it, or cancel it"),
        )
        .with_metadata("operation", format!("operations/{operation}")),
        BacktestError::NotFound(name) => of(
            Code::NotFound,
            ErrorReason::BacktestNotFound,
            format!("{name} does not exist, or is not complete"),
        )
        .with_metadata("backtest", name),
        BacktestError::TooFewOutcomes(found) => of(
            Code::FailedPrecondition,
            ErrorReason::TooFewOutcomes,
            format!(
                "{} accounts left and {} stayed: {ACCOUNTS_OF_OUTCOME_MIN} of each are needed to judge a model; look at an earlier start or a longer horizon, or send churn signals of those who left",
                found.left, found.stayed
            ),
        )
        .with_metadata("left", found.left.to_string())
        .with_metadata("stayed", found.stayed.to_string())
        .with_metadata("needed", ACCOUNTS_OF_OUTCOME_MIN.to_string()),
    }
}

fn of_signals(code: Code, reason: ErrorReason, why: &str, refused: RefusedSignals) -> ApiError {
    let RefusedSignals { account, source, count, found } = refused;
    let account = account.name();
    of(code, reason, format!("{count} of these signals of {account} by `{source}` {why}"))
        .with_metadata("account", account)
        .with_metadata("source", source)
        .with_violations(found)
}

impl From<ScoringError> for ApiError {
    #[expect(clippy::too_many_lines, reason = "each error with what callers see of it, in one place")]
    fn from(error: ScoringError) -> Self {
        match error {
            ScoringError::Invalid(violations) => Self::invalid(violations),
            ScoringError::OfItem { error, found } => Self::from(*error).with_violations(found),
            ScoringError::AccountNotFound(id) => of(
                Code::NotFound,
                ErrorReason::AccountNotFound,
                format!("{} does not exist: create it first", id.name()),
            )
            .with_metadata("account", id.name()),
            ScoringError::AccountArchived(id) => of(
                Code::FailedPrecondition,
                ErrorReason::AccountArchived,
                format!("{} is archived and takes no changes and no signals until UnarchiveAccount", id.name()),
            )
            .with_metadata("account", id.name())
            .with_precondition("ARCHIVED", id.name(), "the account must not be archived"),
            ScoringError::AccountExists(id) => of(
                Code::AlreadyExists,
                ErrorReason::AccountExists,
                format!("{} exists: update it, or upsert it with BatchUpsertAccounts", id.name()),
            )
            .with_metadata("account", id.name()),
            ScoringError::MetricKindMismatch { metric, known } => {
                let kind = known.metric_word();
                of(
                    Code::InvalidArgument,
                    ErrorReason::MetricKindMismatch,
                    format!("the metric `{metric}` is known as a {kind}, as its first signal said: use another name"),
                )
                .with_metadata("metric", metric)
                .with_metadata("kind", kind)
            }
            ScoringError::SignalsNotFound(refused) => of_signals(
                Code::NotFound,
                ErrorReason::SignalNotFound,
                "do not exist: list what there is with ListSignals",
                refused,
            ),
            ScoringError::SignalsChangedAccount(refused) => of_signals(
                Code::FailedPrecondition,
                ErrorReason::SignalChangedAccount,
                "changed the account itself, and what it said before is not known: correct it with UpdateAccount, which holds against older signals, or send a newer signal",
                refused,
            ),
            ScoringError::ModelNotFound(name) => {
                of(Code::NotFound, ErrorReason::ModelNotFound, format!("{name} does not exist"))
                    .with_metadata("model", name)
            }
            ScoringError::ModelExists(id) => of(
                Code::AlreadyExists,
                ErrorReason::ModelExists,
                format!("{} exists and models never change: create one under another id", id.name()),
            )
            .with_metadata("model", id.name()),
            ScoringError::ModelCutsDiffer { model, other } => of(
                Code::FailedPrecondition,
                ErrorReason::ModelCutsDiffer,
                format!(
                    "{} has other cuts between the bands than {}, which would score other accounts on the same day: give both the same, or release the segments with a model of their own first",
                    model.name(),
                    other.name()
                ),
            )
            .with_metadata("model", model.name())
            .with_metadata("other_model", other.name()),
            ScoringError::HealthNotScored { account, day } => {
                let day = day.map_or_else(|| "yet".to_owned(), |day| format!("by {day}"));
                of(Code::NotFound, ErrorReason::HealthNotScored, format!("{} was not scored {day}", account.name()))
                    .with_metadata("account", account.name())
                    .with_metadata("day", day.trim_start_matches("by ").trim_start_matches("yet").to_owned())
            }
            ScoringError::RecomputeRunning(operation) => of(
                Code::FailedPrecondition,
                ErrorReason::RecomputeRunning,
                format!("operations/{operation} is under way: wait for it, or cancel it"),
            )
            .with_metadata("operation", format!("operations/{operation}")),
            ScoringError::OperationNotFound(name) => {
                of(Code::NotFound, ErrorReason::OperationNotFound, format!("{name} does not exist"))
                    .with_metadata("operation", name)
            }
            ScoringError::RiskTriggerNotFound(name) => {
                of(Code::NotFound, ErrorReason::RiskTriggerNotFound, format!("{name} does not exist"))
                    .with_metadata("risk_trigger", name)
            }
            ScoringError::LabelNotFound(account, id) => {
                let name = label_name(&account, id);
                of(Code::NotFound, ErrorReason::LabelNotFound, format!("{name} does not exist"))
                    .with_metadata("label", name)
            }
            ScoringError::AdoptionTargetNotFound(id) => {
                let name = id.name();
                of(Code::NotFound, ErrorReason::AdoptionTargetNotFound, format!("{name} does not exist"))
                    .with_metadata("adoption_target", name)
            }
            ScoringError::LabelOpen(account, id) => {
                let (account, label) = (account.name(), label_name(&account, id));
                let message = format!("{account} has an open label of this kind: review or withdraw {label} first");
                of(Code::AlreadyExists, ErrorReason::LabelOpen, message)
                    .with_metadata("account", account)
                    .with_metadata("label", label)
            }
            ScoringError::LabelEnded(account, id, state) => {
                let name = label_name(&account, id);
                let message = format!("{name} is {}: say it anew if it still holds", state.word());
                of(Code::FailedPrecondition, ErrorReason::LabelEnded, message)
                    .with_metadata("label", name.clone())
                    .with_metadata("state", state.word())
                    .with_precondition("ENDED", name, "the label must be open")
            }
            ScoringError::DefinitionNotFound(id) => {
                let name = convert::definition::name(&id);
                of(Code::NotFound, ErrorReason::DefinitionNotFound, format!("{name} does not exist"))
                    .with_metadata("definition", name)
            }
            ScoringError::Backtest(error) => of_backtest(error),
            ScoringError::TooLittleData(why) => of(
                Code::FailedPrecondition,
                ErrorReason::TooLittleData,
                format!("too little is known to learn a forecast from: {why}"),
            ),
            ScoringError::TrainingRunning(operation) => of(
                Code::FailedPrecondition,
                ErrorReason::TrainingRunning,
                format!("operations/{operation} is under way: wait for it, or cancel it"),
            )
            .with_metadata("operation", format!("operations/{operation}")),
            ScoringError::ForecastModelNotFound(number) => {
                let name = number.map_or_else(|| "forecastModels/newest".to_owned(), model_name);
                let hint = if number.is_none() { ": train one with TrainForecast" } else { "" };
                of(Code::NotFound, ErrorReason::ForecastModelNotFound, format!("{name} does not exist{hint}"))
                    .with_metadata("forecast_model", name)
            }
            ScoringError::ForecastUnavailable { account, why } => of(
                Code::FailedPrecondition,
                ErrorReason::ForecastUnavailable,
                format!("{} has no forecast: {why}", account.name()),
            )
            .with_metadata("account", account.name()),
            ScoringError::RenewalNotDue(id) => of(
                Code::FailedPrecondition,
                ErrorReason::RenewalNotDue,
                format!("{} has no renewal to come: it has no renewal_time, or churned", id.name()),
            )
            .with_metadata("account", id.name()),
            ScoringError::EtagMismatch => Self::common(
                CommonReason::EtagMismatch,
                "the etag is not that of the stored resource: somebody changed it; read it again and decide anew",
            ),
            ScoringError::RequestIdReused(_) => Self::common(
                CommonReason::RequestIdReused,
                "this request_id was used before with another content: use a new id for a new request",
            ),
            ScoringError::Storage(error) => error.into(),
        }
    }
}

impl From<ScoringError> for Status {
    fn from(error: ScoringError) -> Self {
        ApiError::from(error).into()
    }
}
