//! Rows of models, and of which of them scores from which day on.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::ModelId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::{Activation, ActivationCause, HealthModel, Segment, parse_model_file, write_model_file};

/// A model as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredModel {
    pub model: HealthModel,
    pub created_at: DateTime<Utc>,
    /// Grows with each model.
    pub sequence: i64,
    /// When it was last made the active one.
    pub activated_at: Option<DateTime<Utc>>,
    /// How often any model was activated when it was last activated; 0 for never.
    pub activation: i64,
    /// The newest complete backtest of it.
    pub backtest: Option<Uuid>,
}

struct ModelRow {
    model_id: String,
    definition: String,
    created_at: DateTime<Utc>,
    sequence: i64,
    activated_at: Option<DateTime<Utc>>,
    activation: Option<i64>,
    backtest: Option<Uuid>,
}

impl TryFrom<ModelRow> for StoredModel {
    type Error = StorageError;

    fn try_from(row: ModelRow) -> Result<Self, StorageError> {
        let draft = parse_model_file(&row.definition).map_err(codes::corrupt)?;
        let model = HealthModel::from_draft(draft)
            .map_err(|violations| codes::corrupt(format!("model {}: {violations:?}", row.model_id)))?;
        Ok(Self {
            model,
            created_at: row.created_at,
            sequence: row.sequence,
            activated_at: row.activated_at,
            activation: row.activation.unwrap_or(0),
            backtest: row.backtest,
        })
    }
}

/// `query_as!` for whole models, so that the columns stand here once.
macro_rules! select_models {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ModelRow,
            r#"SELECT model_id, definition, created_at, sequence, last.activated_at AS "activated_at?",
                      last.sequence_of_activation AS "activation?", tried.backtest_id AS "backtest?"
                 FROM scoring.models
                 LEFT JOIN LATERAL (
                      SELECT backtest.backtest_id
                        FROM scoring.backtests AS backtest
                       WHERE backtest.model_id = models.model_id AND backtest.definition = models.definition
                         AND backtest.report IS NOT NULL
                       ORDER BY backtest.backtest_id DESC LIMIT 1) AS tried ON true
                 LEFT JOIN LATERAL (
                      SELECT activation.activated_at, activation.sequence AS sequence_of_activation
                        FROM scoring.model_activations AS activation
                       WHERE activation.model_id = models.model_id
                       ORDER BY activation.sequence DESC LIMIT 1) AS last ON true "# + $tail
            $(, $argument)*
        )
    };
}

/// The model, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: &ModelId) -> Result<Option<StoredModel>, StorageError> {
    let row = select_models!("WHERE model_id = $1", id.as_str()).fetch_optional(conn).await?;
    row.map(StoredModel::try_from).transpose()
}

/// A page of models, newest first, below the sequence `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<StoredModel>, StorageError> {
    let rows = select_models!(
        "WHERE $1::bigint IS NULL OR models.sequence < $1 ORDER BY models.sequence DESC LIMIT $2",
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(StoredModel::try_from).collect()
}

/// Stores a new model; false when one of its id is there.
pub(crate) async fn create(
    conn: &mut PgConnection,
    model: &HealthModel,
    created_at: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let definition = write_model_file(&model.to_draft()).map_err(codes::corrupt)?;
    let created = sqlx::query!(
        "INSERT INTO scoring.models (model_id, definition, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        model.id.as_str(),
        definition,
        created_at,
    )
    .execute(conn)
    .await?;
    Ok(created.rows_affected() == 1)
}

/// An activation to store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewActivation<'a> {
    /// None: the segment has no model of its own any more.
    pub model: Option<&'a ModelId>,
    pub segment: Option<Segment>,
    pub from_day: NaiveDate,
    pub activated_at: DateTime<Utc>,
    pub cause: &'a ActivationCause,
}

/// Stores the activation; answers its number.
pub(crate) async fn activate(conn: &mut PgConnection, new: NewActivation<'_>) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO scoring.model_activations
                (model_id, segment, from_day, activated_at, reason, accepted_worse, accepted_untried, activated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING sequence",
        new.model.map(ModelId::as_str),
        new.segment.map(codes::segment_number),
        new.from_day,
        new.activated_at,
        new.cause.reason,
        new.cause.accepted_worse,
        new.cause.accepted_untried,
        new.cause.caller,
    )
    .fetch_one(conn)
    .await?)
}

/// Takes back the activations for a segment, or of general models, that would begin after a day.
pub(crate) async fn call_off_later(
    conn: &mut PgConnection,
    segment: Option<Segment>,
    day: NaiveDate,
) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.model_activations WHERE from_day > $1 AND segment IS NOT DISTINCT FROM $2",
        day,
        segment.map(codes::segment_number),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All activations, in their order.
pub(crate) async fn activations(conn: &mut PgConnection) -> Result<Vec<Activation>, StorageError> {
    let rows = sqlx::query!(
        "SELECT sequence, model_id, segment, from_day, reason, accepted_worse, accepted_untried, activated_by
           FROM scoring.model_activations ORDER BY sequence"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Activation {
                sequence: row.sequence,
                model: row.model_id.as_deref().map(codes::model_id).transpose()?,
                segment: row.segment.map(codes::segment).transpose()?,
                from_day: row.from_day,
                cause: ActivationCause {
                    reason: row.reason,
                    accepted_worse: row.accepted_worse,
                    accepted_untried: row.accepted_untried,
                    caller: row.activated_by,
                },
            })
        })
        .collect()
}

/// The numbers of all activations, in their order.
pub(crate) async fn activation_sequences(conn: &mut PgConnection) -> Result<Vec<i64>, StorageError> {
    let sequences = sqlx::query_scalar!("SELECT sequence FROM scoring.model_activations ORDER BY sequence");
    Ok(sequences.fetch_all(conn).await?)
}

/// Waits for the others that activate a model, and keeps them waiting until the transaction ends.
pub(crate) async fn lock_activations(conn: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query!("LOCK TABLE scoring.model_activations IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}
