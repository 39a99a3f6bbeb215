//! What data quality is judged by, and who answers for data.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::data_quality::{
    AccountField, Coverage, DUPLICATE_ACCOUNTS_MAX, DUPLICATE_NAMES_MAX, DataOwner, DuplicateName,
};
use crate::domain::data_source::{DataSource, PAUSE_DAYS, SourceDays};
use crate::domain::{SeriesKey, SeriesKind};

/// Customers without a score, with one that rests on little, and with old data.
pub(crate) async fn coverage(conn: &mut PgConnection, today: NaiveDate) -> Result<Coverage, StorageError> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "account_count!", count(*) FILTER (WHERE health.score IS NULL) AS "unscored_count!",
                  count(*) FILTER (WHERE health.score IS NOT NULL AND health.coverage < 0.5) AS "thin_count!",
                  count(*) FILTER (WHERE health.last_signal_day < $1::date - 7) AS "stale_count!"
             FROM scoring.accounts
             LEFT JOIN scoring.health ON health.account_id = accounts.account_id
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5"#,
        today,
    )
    .fetch_one(conn)
    .await?;
    Ok(Coverage {
        accounts: row.account_count,
        unscored: row.unscored_count,
        thin: row.thin_count,
        stale: row.stale_count,
    })
}

/// How many customers lack each field, those that most lack first.
pub(crate) async fn missing_fields(conn: &mut PgConnection) -> Result<Vec<(AccountField, i64)>, StorageError> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE segment = 0) AS "segment!",
                  count(*) FILTER (WHERE industry = '') AS "industry!",
                  count(*) FILTER (WHERE product_line = '') AS "product_line!",
                  count(*) FILTER (WHERE plan = '') AS "plan!",
                  count(*) FILTER (WHERE lifecycle_stage = 0) AS "lifecycle_stage!",
                  count(*) FILTER (WHERE arr_minor_units IS NULL AND mrr_minor_units IS NULL) AS "revenue!",
                  count(*) FILTER (WHERE contract_start_at IS NULL) AS "contract_start!",
                  count(*) FILTER (WHERE renewal_at IS NULL) AS "renewal!",
                  count(*) FILTER (WHERE signed_up_at IS NULL) AS "sign_up!",
                  count(*) FILTER (WHERE activated_at IS NULL) AS "activation!",
                  count(*) FILTER (WHERE seats IS NULL) AS "seats!",
                  count(*) FILTER (WHERE NOT owners @> '[{"role": "csm"}]') AS "csm!",
                  count(*) FILTER (WHERE NOT owners @> '[{"role": "account_manager"}]') AS "account_manager!",
                  count(*) FILTER (WHERE NOT owners @> '[{"role": "executive_sponsor"}]') AS "executive_sponsor!",
                  count(*) FILTER (WHERE contacts = '[]') AS "contacts!"
             FROM scoring.accounts WHERE archived_at IS NULL AND lifecycle_stage <> 5"#,
    )
    .fetch_one(conn)
    .await?;
    let count = |field: AccountField| match field {
        AccountField::Segment => row.segment,
        AccountField::Industry => row.industry,
        AccountField::ProductLine => row.product_line,
        AccountField::Plan => row.plan,
        AccountField::LifecycleStage => row.lifecycle_stage,
        AccountField::Revenue => row.revenue,
        AccountField::ContractStart => row.contract_start,
        AccountField::Renewal => row.renewal,
        AccountField::SignUp => row.sign_up,
        AccountField::Activation => row.activation,
        AccountField::Seats => row.seats,
        AccountField::Csm => row.csm,
        AccountField::AccountManager => row.account_manager,
        AccountField::ExecutiveSponsor => row.executive_sponsor,
        AccountField::Contacts => row.contacts,
    };
    let mut fields = AccountField::ALL.map(|field| (field, count(field))).to_vec();
    fields.sort_by_key(|(_, missing)| std::cmp::Reverse(*missing));
    Ok(fields)
}

/// The kinds of signals, with the newest day up to today of each and its longest pause. A single feature is no source: all are one.
pub(crate) async fn kinds_of_signals(
    conn: &mut PgConnection,
    today: NaiveDate,
) -> Result<Vec<SourceDays>, StorageError> {
    let rows = sqlx::query!(
        r#"WITH RECURSIVE series AS (
               (SELECT kind, name FROM scoring.series_days ORDER BY kind, name LIMIT 1)
               UNION ALL
               SELECT next.kind, next.name FROM series,
                      LATERAL (SELECT kind, name FROM scoring.series_days AS days
                                WHERE (days.kind, days.name) > (series.kind, series.name)
                                ORDER BY kind, name LIMIT 1) AS next)
           SELECT series.kind AS "kind!", series.name AS "name!", newest.day AS "last_day!",
                  spoken.day_count AS "spoken_days!", spoken.longest_pause AS longest_pause_days
             FROM series,
                  LATERAL (SELECT max(day) AS day FROM scoring.series_days AS days
                            WHERE days.kind = series.kind AND days.name = series.name AND day <= $1) AS newest,
                  LATERAL (SELECT count(*) AS day_count, max(pause) AS longest_pause FROM (
                                  SELECT day - lag(day) OVER (ORDER BY day) AS pause FROM scoring.series_days AS days
                                   WHERE days.kind = series.kind AND days.name = series.name
                                     AND day BETWEEN newest.day - $2::integer AND newest.day) AS pauses) AS spoken
            WHERE newest.day IS NOT NULL AND (series.kind <> $3 OR series.name = '')"#,
        today,
        i32::try_from(PAUSE_DAYS).map_err(codes::corrupt)?,
        codes::series_kind_number(SeriesKind::Feature),
    )
    .fetch_all(conn)
    .await?;
    let mut sources = Vec::new();
    for row in rows {
        let key = SeriesKey { kind: codes::series_kind(row.kind)?, name: row.name };
        if let Some(source) = DataSource::of_series(&key) {
            sources.push(SourceDays {
                source,
                last_day: row.last_day,
                spoken_days: row.spoken_days,
                longest_pause_days: row.longest_pause_days.map(i64::from),
            });
        }
    }
    Ok(sources)
}

/// The names of all metrics.
pub(crate) async fn metrics(conn: &mut PgConnection) -> Result<BTreeSet<String>, StorageError> {
    Ok(sqlx::query_scalar!("SELECT metric FROM scoring.metrics").fetch_all(conn).await?.into_iter().collect())
}

/// Those of some features that were ever used.
pub(crate) async fn used_features(
    conn: &mut PgConnection,
    features: &[&str],
) -> Result<BTreeSet<String>, StorageError> {
    let rows = sqlx::query_scalar!(
        r#"SELECT wanted.name AS "name!" FROM unnest($1::text[]) AS wanted (name)
            WHERE EXISTS (SELECT FROM scoring.series_days AS days WHERE days.kind = $2 AND days.name = wanted.name)"#,
        features as &[&str],
        codes::series_kind_number(SeriesKind::Feature),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Names that several customers have, but for case and spaces.
pub(crate) async fn duplicate_names(conn: &mut PgConnection) -> Result<Vec<DuplicateName>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT (array_agg(display_name ORDER BY account_id))[1] AS "display_name!",
                  (array_agg(account_id ORDER BY account_id))[1:$1] AS "accounts!", count(*) AS "account_count!"
             FROM scoring.accounts
            WHERE archived_at IS NULL AND lifecycle_stage <> 5
            GROUP BY lower(regexp_replace(display_name, '\s+', '', 'g'))
           HAVING count(*) > 1
            ORDER BY 3 DESC, min(account_id) LIMIT $2"#,
        i32::try_from(DUPLICATE_ACCOUNTS_MAX).map_err(codes::corrupt)?,
        DUPLICATE_NAMES_MAX,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let accounts: Result<Vec<AccountId>, _> = row.accounts.iter().map(|id| codes::account_id(id)).collect();
            Ok(DuplicateName { display_name: row.display_name, accounts: accounts?, account_count: row.account_count })
        })
        .collect()
}

/// Who answers for what, by the written subject.
pub(crate) async fn owners(conn: &mut PgConnection) -> Result<BTreeMap<String, String>, StorageError> {
    let rows = sqlx::query!("SELECT subject, owner_email FROM scoring.data_owners").fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.subject, row.owner_email)).collect())
}

/// Says who answers for something, or that nobody does.
pub(crate) async fn set_owner(
    conn: &mut PgConnection,
    owner: &DataOwner,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let subject = owner.subject.name();
    match &owner.owner_email {
        Some(email) => {
            sqlx::query!(
                "INSERT INTO scoring.data_owners (subject, owner_email, updated_at) VALUES ($1, $2, $3)
                 ON CONFLICT (subject) DO UPDATE SET owner_email = excluded.owner_email, updated_at = excluded.updated_at",
                subject,
                email,
                now,
            )
            .execute(conn)
            .await?;
        }
        None => {
            sqlx::query!("DELETE FROM scoring.data_owners WHERE subject = $1", subject).execute(conn).await?;
        }
    }
    Ok(())
}
