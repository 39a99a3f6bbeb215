//! Rows of backtests, and of the accounts in another band.

use mainstay_domain::{Band, ModelId, Points};
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::backtest::{
    BacktestEnd, BacktestRecord, BacktestSpan, BandChange, Difference, FoundDifference, TooFewOutcomes,
};
use crate::domain::{HealthModel, Segment, parse_model_file, write_model_file};

/// Stores a backtest that begins.
pub(crate) async fn begin(conn: &mut PgConnection, record: &BacktestRecord) -> Result<(), StorageError> {
    let definition = write_model_file(&record.model.to_draft()).map_err(codes::corrupt)?;
    sqlx::query!(
        "INSERT INTO scoring.backtests
                (backtest_id, model_id, definition, base_model_id, segment, days, horizon_days, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        record.id,
        record.model.id.as_str(),
        definition,
        record.base_model.as_str(),
        record.segment.map(codes::segment_number),
        record.span.days(),
        i32::try_from(record.span.horizon_days()).map_err(codes::corrupt)?,
        record.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The backtest as it was begun, if it was.
pub(crate) async fn lookup(conn: &mut PgConnection, id: Uuid) -> Result<Option<BacktestRecord>, StorageError> {
    let row = sqlx::query!(
        "SELECT definition, base_model_id, segment, days, horizon_days, created_at, group_distributions
           FROM scoring.backtests WHERE backtest_id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let draft = parse_model_file(&row.definition).map_err(codes::corrupt)?;
        let horizon_days = u32::try_from(row.horizon_days).map_err(codes::corrupt)?;
        Ok(BacktestRecord {
            id,
            model: HealthModel::from_draft(draft)
                .map_err(|violations| codes::corrupt(format!("model of backtest {id}: {violations:?}")))?,
            base_model: codes::model_id(&row.base_model_id)?,
            segment: row.segment.map(codes::segment).transpose()?,
            span: BacktestSpan::from_stored(row.days, horizon_days),
            created_at: row.created_at,
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
    sqlx::query!("UPDATE scoring.backtests SET group_distributions = $2 WHERE backtest_id = $1", id, distributions)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets how measures were spread over groups.
pub(crate) async fn forget_group_distributions(conn: &mut PgConnection, id: Uuid) -> Result<(), StorageError> {
    sqlx::query!("UPDATE scoring.backtests SET group_distributions = NULL WHERE backtest_id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps what was found; `report` is the message.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    id: Uuid,
    report: &[u8],
    difference: Option<Difference>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "UPDATE scoring.backtests SET report = $2, difference = $3, difference_low = $4, difference_high = $5
          WHERE backtest_id = $1",
        id,
        report,
        difference.map(|found| found.value),
        difference.map(|found| found.low),
        difference.map(|found| found.high),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that too few accounts left, or stayed.
pub(crate) async fn refuse(conn: &mut PgConnection, id: Uuid, found: TooFewOutcomes) -> Result<(), StorageError> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query!(
        "UPDATE scoring.backtests SET too_few_left = $2, too_few_stayed = $3 WHERE backtest_id = $1",
        id,
        number(found.left),
        number(found.stayed),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What came of a backtest, once something did.
pub(crate) async fn lookup_end(conn: &mut PgConnection, id: Uuid) -> Result<Option<BacktestEnd>, StorageError> {
    let row =
        sqlx::query!("SELECT report, too_few_left, too_few_stayed FROM scoring.backtests WHERE backtest_id = $1", id)
            .fetch_optional(conn)
            .await?;
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    Ok(row.and_then(|row| match (row.report, row.too_few_left.zip(row.too_few_stayed)) {
        (Some(report), _) => Some(BacktestEnd::Complete(report)),
        (None, Some((left, stayed))) => {
            Some(BacktestEnd::TooFew(TooFewOutcomes { left: number(left), stayed: number(stayed) }))
        }
        (None, None) => None,
    }))
}

/// A page of reports that are complete, newest first, before the one with the id `before`; the ids rise with time.
pub(crate) async fn list(
    conn: &mut PgConnection,
    model: Option<&ModelId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT backtest_id, report AS "report!" FROM scoring.backtests
            WHERE report IS NOT NULL AND ($1::text IS NULL OR model_id = $1) AND ($2::uuid IS NULL OR backtest_id < $2)
            ORDER BY backtest_id DESC LIMIT $3"#,
        model.map(ModelId::as_str),
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.backtest_id, row.report)).collect())
}

/// What complete backtests of a stored model beside another one found, of all accounts or those of the segment, the newest first.
pub(crate) async fn found_beside(
    conn: &mut PgConnection,
    model: &ModelId,
    base: &ModelId,
    segment: Option<Segment>,
) -> Result<Vec<FoundDifference>, StorageError> {
    // Drafts need not be what was stored under their name afterwards.
    let rows = sqlx::query!(
        r#"SELECT backtest_id, segment, difference AS "value!", difference_low AS "low!", difference_high AS "high!"
             FROM scoring.backtests JOIN scoring.models USING (model_id, definition)
            WHERE model_id = $1 AND base_model_id = $2 AND (segment IS NULL OR segment = $3) AND report IS NOT NULL
              AND difference IS NOT NULL AND difference_low IS NOT NULL AND difference_high IS NOT NULL
            ORDER BY backtest_id DESC"#,
        model.as_str(),
        base.as_str(),
        segment.map(codes::segment_number),
    )
    .fetch_all(conn)
    .await?;
    let found = rows.into_iter().map(|row| {
        Ok(FoundDifference {
            backtest: row.backtest_id,
            segment: row.segment.map(codes::segment).transpose()?,
            difference: Difference { value: row.value, low: row.low, high: row.high },
        })
    });
    found.collect()
}

/// Whether a stored model was tried beside another one, of all accounts or those of the segment, whatever came of it.
pub(crate) async fn is_tried_beside(
    conn: &mut PgConnection,
    model: &ModelId,
    base: &ModelId,
    segment: Option<Segment>,
) -> Result<bool, StorageError> {
    let is_tried = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM scoring.backtests JOIN scoring.models USING (model_id, definition)
                WHERE model_id = $1 AND base_model_id = $2 AND (segment IS NULL OR segment = $3)
                  AND report IS NOT NULL) AS "is_tried!""#,
        model.as_str(),
        base.as_str(),
        segment.map(codes::segment_number),
    );
    Ok(is_tried.fetch_one(conn).await?)
}

/// Keeps the accounts in another band.
pub(crate) async fn keep_band_changes(
    conn: &mut PgConnection,
    id: Uuid,
    changes: &[BandChange],
) -> Result<(), StorageError> {
    let accounts: Vec<&str> = changes.iter().map(|change| change.account.as_str()).collect();
    let bands = |pick: fn(&BandChange) -> Option<Band>| -> Vec<Option<i16>> {
        changes.iter().map(|change| pick(change).map(codes::band_number)).collect()
    };
    let scores = |pick: fn(&BandChange) -> Option<Points>| -> Vec<Option<i32>> {
        changes.iter().map(|change| pick(change).map(Points::units)).collect()
    };
    sqlx::query!(
        "INSERT INTO scoring.backtest_band_changes (backtest_id, account_id, base_band, band, base_score, score)
         SELECT $1, * FROM unnest($2::text[], $3::smallint[], $4::smallint[], $5::integer[], $6::integer[])
         ON CONFLICT DO NOTHING",
        id,
        &accounts as &[&str],
        &bands(|change| change.base_band) as &[Option<i16>],
        &bands(|change| change.band) as &[Option<i16>],
        &scores(|change| change.base_score) as &[Option<i32>],
        &scores(|change| change.score) as &[Option<i32>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A page of the accounts in another band, by id, after `after`.
pub(crate) async fn band_changes(
    conn: &mut PgConnection,
    id: Uuid,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<BandChange>, StorageError> {
    let rows = sqlx::query!(
        "SELECT account_id, base_band, band, base_score, score FROM scoring.backtest_band_changes
          WHERE backtest_id = $1 AND ($2::text IS NULL OR account_id > $2) ORDER BY account_id LIMIT $3",
        id,
        after,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(BandChange {
                account: codes::account_id(&row.account_id)?,
                base_band: row.base_band.map(codes::band).transpose()?,
                band: row.band.map(codes::band).transpose()?,
                base_score: row.base_score.map(Points::from_units),
                score: row.score.map(Points::from_units),
            })
        })
        .collect()
}
