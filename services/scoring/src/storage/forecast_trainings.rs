//! Rows of trainings of forecasts.

use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::forecast::{Draw, TrainingEnd, TrainingRecord};

/// Stores a training that begins.
pub(crate) async fn begin(conn: &mut PgConnection, record: &TrainingRecord) -> Result<(), StorageError> {
    let scored_segments: Vec<i16> = record.scored_segments.iter().copied().map(codes::segment_number).collect();
    sqlx::query!(
        "INSERT INTO scoring.forecast_trainings
                (training_id, health_model_id, scored_segments, days, unmade_days, parts, horizon_days, creator, is_kept)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        record.id,
        record.health_model.as_str(),
        &scored_segments,
        &record.draw.days,
        &record.unmade_days,
        record.draw.parts,
        i32::try_from(record.draw.horizon_days).map_err(codes::corrupt)?,
        record.creator,
        record.is_kept,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The training as it was begun, if it was.
pub(crate) async fn lookup(conn: &mut PgConnection, id: Uuid) -> Result<Option<TrainingRecord>, StorageError> {
    let row = sqlx::query!(
        "SELECT health_model_id, scored_segments, days, unmade_days, parts, horizon_days, creator, is_kept, group_distributions
           FROM scoring.forecast_trainings WHERE training_id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let horizon_days = u32::try_from(row.horizon_days).map_err(codes::corrupt)?;
        Ok(TrainingRecord {
            id,
            health_model: codes::model_id(&row.health_model_id)?,
            scored_segments: row.scored_segments.into_iter().map(codes::segment).collect::<Result<_, _>>()?,
            draw: Draw { days: row.days, parts: row.parts, horizon_days },
            unmade_days: row.unmade_days,
            creator: row.creator,
            is_kept: row.is_kept,
            group_distributions: row.group_distributions,
        })
    })
    .transpose()
}

/// Keeps how measures were spread over groups.
pub(crate) async fn set_group_distributions(
    conn: &mut PgConnection,
    id: Uuid,
    distributions: &Value,
) -> Result<(), StorageError> {
    sqlx::query!(
        "UPDATE scoring.forecast_trainings SET group_distributions = $2 WHERE training_id = $1",
        id,
        distributions
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets how measures were spread over groups.
pub(crate) async fn forget_group_distributions(conn: &mut PgConnection, id: Uuid) -> Result<(), StorageError> {
    sqlx::query!("UPDATE scoring.forecast_trainings SET group_distributions = NULL WHERE training_id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps what came of a training.
pub(crate) async fn complete(conn: &mut PgConnection, id: Uuid, end: &TrainingEnd) -> Result<(), StorageError> {
    let (forecast_model, too_little_data) = match end {
        TrainingEnd::Complete(forecast_model) => (Some(forecast_model.as_slice()), None),
        TrainingEnd::TooLittleData(why) => (None, Some(why.as_str())),
    };
    sqlx::query!(
        "UPDATE scoring.forecast_trainings SET forecast_model = $2, too_little_data = $3 WHERE training_id = $1",
        id,
        forecast_model,
        too_little_data,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What came of a training, once something did.
pub(crate) async fn lookup_end(conn: &mut PgConnection, id: Uuid) -> Result<Option<TrainingEnd>, StorageError> {
    let row = sqlx::query!(
        "SELECT forecast_model, too_little_data FROM scoring.forecast_trainings WHERE training_id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| match (row.forecast_model, row.too_little_data) {
        (Some(forecast_model), _) => Some(TrainingEnd::Complete(forecast_model)),
        (None, Some(why)) => Some(TrainingEnd::TooLittleData(why)),
        (None, None) => None,
    }))
}
