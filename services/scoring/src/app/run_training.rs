//! Goes on with the training of a forecast: a page of accounts in a transaction, and at the end the model.
//!
//! When the health model compares accounts with others and it is not kept what with, all accounts are gone through twice, as in a
//! backtest.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::get_forecast_model::get;
use super::learnt_customers::{outcomes, readings};
use super::operation_steps::Progress;
use super::replayed_groups::{DistributionsByDay, RawDay, distributions_by_day};
use super::{App, ScoringError, long_computation};
use crate::convert;
use crate::domain::forecast::{ForecastDefinition, ForecastModel, OutcomeRow, TrainingEnd, TrainingRecord, train};
use crate::domain::{GroupDistributions, HealthModel};
use crate::storage::replayed_accounts::{self, Step};
use crate::storage::{forecast_trainings, forecasts};

/// Accounts in one transaction: with thousands of users each it still takes less than the time of a statement.
const PAGE: i64 = 100;

/// Does the next page, or learns when there is none; answers where to go on, or none when it is complete.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    id: Uuid,
    progress: Progress,
) -> Result<Option<Progress>, ScoringError> {
    let Some(record) = forecast_trainings::lookup(conn, id).await? else { return Ok(None) };
    let model = app.models.model(conn, &record.health_model).await?;
    let has_distributions = progress.has_distributions || record.unmade_days.is_empty();
    let after = progress.after.as_deref();
    let contracts = forecasts::contracts(conn, record.draw.parts, after, PAGE).await?;
    let Some((last, _)) = contracts.last_key_value() else {
        if has_distributions {
            let end = learn(app, conn, &record, model.as_ref().clone()).await?;
            forecast_trainings::complete(conn, id, &end).await?;
            return Ok(None);
        }
        make_distributions(conn, id, &model).await?;
        return Ok(Some(Progress { has_distributions: true, after: None }));
    };
    let after = Some(last.as_str().to_owned());
    if has_distributions {
        let learnt = outcomes(conn, &model, &record, &contracts, made(&record)?).await?;
        replayed_accounts::keep(conn, id, Step::Scores, &learnt).await?;
    } else {
        let read = readings(conn, &model, &record, &contracts).await?;
        replayed_accounts::keep(conn, id, Step::Readings, &read).await?;
    }
    Ok(Some(Progress { has_distributions, after }))
}

/// How measures were spread on the unmade days.
fn made(record: &TrainingRecord) -> Result<BTreeMap<NaiveDate, GroupDistributions>, StorageError> {
    let Some(kept) = &record.group_distributions else { return Ok(BTreeMap::new()) };
    let by_day = DistributionsByDay::of_json(Some(kept))?;
    Ok(record.unmade_days.iter().map(|day| (*day, by_day.base(*day))).collect())
}

async fn make_distributions(conn: &mut PgConnection, id: Uuid, model: &HealthModel) -> Result<(), ScoringError> {
    let raw: Vec<(AccountId, Vec<RawDay>)> = replayed_accounts::load(conn, id, Step::Readings).await?;
    let distributions = distributions_by_day(model, model, raw.into_iter().flat_map(|(_, days)| days));
    Ok(forecast_trainings::set_group_distributions(conn, id, &distributions.to_json()?).await?)
}

/// Learns, judges and keeps a model of what was replayed.
async fn learn(
    app: &App,
    conn: &mut PgConnection,
    record: &TrainingRecord,
    health_model: HealthModel,
) -> Result<TrainingEnd, ScoringError> {
    let replayed: Vec<(AccountId, Vec<OutcomeRow>)> = replayed_accounts::load(conn, record.id, Step::Scores).await?;
    let mut rows: Vec<OutcomeRow> = replayed.into_iter().flat_map(|(_, rows)| rows).collect();
    // Sums of floating-point numbers depend on the order: the same data are to give the same model.
    rows.sort_by(|one, other| (one.customer.day, &one.account).cmp(&(other.customer.day, &other.account)));
    let horizon_days = record.draw.horizon_days;
    let learnt = long_computation::run(conn, move || train(&health_model, &rows, horizon_days)).await?;
    match learnt {
        Ok(definition) => Ok(TrainingEnd::Complete(keep(app, conn, record, definition).await?)),
        Err(why) => Ok(TrainingEnd::TooLittleData(why.to_string())),
    }
}

/// Keeps the model, unless it was only to be judged, and gives the message.
async fn keep(
    app: &App,
    conn: &mut PgConnection,
    record: &TrainingRecord,
    definition: ForecastDefinition,
) -> Result<Vec<u8>, ScoringError> {
    let created_at = app.core.clock.now();
    let model = if record.is_kept {
        let number = forecasts::create(conn, &record.health_model, &definition, &record.creator, created_at).await?;
        // Read back as every later reader will: what cannot be read is not kept.
        get(conn, Some(number)).await?
    } else {
        let (creator, health_model) = (record.creator.clone(), record.health_model.clone());
        ForecastModel { number: 0, created_at, creator, health_model, definition }
    };
    Ok(convert::forecast::model(&model).encode_to_vec())
}
