//! Renewals: those that are due, what became of others, and what people expect.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, ModelId, Money, Points, Proportion};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::accounts::from_json;
use super::codes::{self, money};
use super::customer_filters::FilterParameters;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::forecast::CustomerDay;
use crate::domain::renewal::{Call, Expectation, Outcome, Renewal, RenewalChanges, RenewalCursor};
use crate::domain::revenue_report::RenewalCounts;

/// Which renewals.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct DueRange {
    /// Due at this time or later.
    pub start: Option<DateTime<Utc>>,
    /// Due before this time.
    pub end: Option<DateTime<Utc>>,
    /// Without those that are decided.
    pub undecided_only: bool,
}

/// At most `limit` renewals after a place in the list, by due time and account. Measures are those that the model named reads today,
/// where it does. Only those of `accounts`, where some are given.
pub(crate) async fn list(
    conn: &mut PgConnection,
    health_model: Option<&ModelId>,
    range: DueRange,
    accounts: Option<&[AccountId]>,
    after: Option<&RenewalCursor>,
    limit: i64,
) -> Result<Vec<Renewal>, StorageError> {
    let after_due = after.map(due_at_of).transpose()?;
    let account_ids = accounts.map(|accounts| accounts.iter().map(AccountId::as_str).collect::<Vec<_>>());
    let rows = sqlx::query!(
        r#"WITH due AS (
               -- Each part in its own order and limit, by its own index.
               (SELECT account_id, renewal_at AS due_at, currency,
                       scoring.annual_minor_units(arr_minor_units, mrr_minor_units) AS arr_minor_units,
                       NULL::smallint AS outcome, NULL::timestamptz AS decided_at
                  FROM scoring.accounts
                 WHERE archived_at IS NULL AND lifecycle_stage NOT IN (1, 5) AND renewal_at IS NOT NULL
                   AND ($1::timestamptz IS NULL OR renewal_at >= $1) AND ($2::timestamptz IS NULL OR renewal_at < $2)
                   AND ($4::timestamptz IS NULL OR (renewal_at, account_id) > ($4, $5))
                   AND ($8::text[] IS NULL OR account_id = ANY($8))
                 ORDER BY renewal_at, account_id
                 LIMIT $6)
                UNION ALL
               (SELECT account_id, due_at, currency, arr_minor_units, outcome, decided_at
                  FROM scoring.renewal_outcomes
                 WHERE NOT $3::boolean
                   AND ($1::timestamptz IS NULL OR due_at >= $1) AND ($2::timestamptz IS NULL OR due_at < $2)
                   AND ($4::timestamptz IS NULL OR (due_at, account_id) > ($4, $5))
                   AND ($8::text[] IS NULL OR account_id = ANY($8))
                 ORDER BY due_at, account_id
                 LIMIT $6)
           ), page AS (
               SELECT * FROM due ORDER BY due_at, account_id LIMIT $6
           )
           SELECT due.account_id AS "account_id!", due.due_at AS "due_at!", due.currency, due.arr_minor_units,
                  due.outcome, due.decided_at, accounts.display_name, accounts.segment, accounts.owners,
                  (COALESCE(accounts.activated_at, accounts.contract_start_at, accounts.signed_up_at)
                      AT TIME ZONE 'UTC')::date AS start_day,
                  health.score AS "score?", health.band AS "band?", health.day AS "day?",
                  CASE health.model_id WHEN $7 THEN health.coverage ELSE general_coverage END AS "coverage?", health.last_signal_day AS "last_signal_day?",
                  CASE $7::text WHEN health.model_id THEN measure_values
                       WHEN general_model_id THEN general_measure_values END AS "measure_values?: Vec<Option<f64>>",
                  call.expectation AS "expectation?", call.note AS "note?", call.author_email AS "author_email?",
                  call.called_at AS "called_at?", call.likelihood AS "likelihood?", call.creator AS "creator?"
             FROM page AS due
             JOIN scoring.accounts ON accounts.account_id = due.account_id
             LEFT JOIN scoring.health ON due.outcome IS NULL AND health.account_id = due.account_id
             LEFT JOIN LATERAL (
                  SELECT * FROM scoring.renewal_calls
                   WHERE renewal_calls.account_id = due.account_id AND renewal_calls.due_at = due.due_at
                   ORDER BY number DESC LIMIT 1) AS call ON true
            ORDER BY due.due_at, due.account_id"#,
        range.start,
        range.end,
        range.undecided_only,
        after_due,
        after.map(|cursor| cursor.account_id.as_str()),
        limit,
        health_model.map(ModelId::as_str),
        account_ids.as_deref() as Option<&[&str]>,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let account = codes::account_id(&row.account_id)?;
            let today = match (row.day, row.measure_values, row.coverage) {
                (Some(day), Some(measure_values), Some(coverage)) => Some(CustomerDay {
                    day,
                    measure_values,
                    coverage,
                    last_signal_day: row.last_signal_day,
                    start_day: row.start_day,
                    renewal_day: Some(mainstay_domain::day_of(row.due_at)),
                }),
                _ => None,
            };
            let call = match (row.expectation, row.note, row.author_email, row.creator, row.called_at) {
                (Some(expectation), Some(note), Some(author_email), Some(creator), Some(called_at)) => Some(Call {
                    account: account.clone(),
                    due_at: row.due_at,
                    expectation: expectation_of(expectation)?,
                    note,
                    author_email,
                    creator,
                    called_at,
                    likelihood: row.likelihood,
                }),
                _ => None,
            };
            Ok(Renewal {
                account,
                display_name: row.display_name,
                segment: codes::segment(row.segment)?,
                owners: from_json("owners", row.owners)?,
                due_at: row.due_at,
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
                score: row.score.map(Points::from_units),
                band: row.band.map(codes::band).transpose()?,
                today,
                call,
                outcome: row.outcome.map(outcome_of).transpose()?.zip(row.decided_at),
            })
        })
        .collect()
}

fn due_at_of(cursor: &RenewalCursor) -> Result<DateTime<Utc>, StorageError> {
    DateTime::from_timestamp_micros(cursor.due_micros).ok_or_else(|| codes::corrupt("a due time"))
}

/// What became of the renewals that were due from a time to another, as [`list`] has them. What an account is by now decides whether
/// the filter lets it through.
pub(crate) async fn counts(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<RenewalCounts, StorageError> {
    let customers = FilterParameters::of(customers);
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE outcome = $5) AS "renewed!", count(*) FILTER (WHERE outcome IS NOT NULL) AS "decided!",
                  count(*) FILTER (WHERE outcome IS NULL) AS "undecided!"
             FROM (SELECT account_id, outcome FROM scoring.renewal_outcomes WHERE due_at >= $1 AND due_at < $2
                    UNION ALL
                   SELECT account_id, NULL FROM scoring.accounts
                    WHERE archived_at IS NULL AND lifecycle_stage NOT IN (1, 5) AND renewal_at >= $1 AND renewal_at < $2) AS due
             JOIN scoring.accounts ON accounts.account_id = due.account_id
            WHERE ($3::smallint[] IS NULL OR accounts.segment = ANY($3))
              AND ($4::text IS NULL OR accounts.owner_emails @> ARRAY[$4])"#,
        start,
        end,
        customers.segments.as_deref(),
        customers.owner_email,
        outcome_number(Outcome::Renewed),
    )
    .fetch_one(conn)
    .await?;
    Ok(RenewalCounts { renewed: Proportion { count: row.renewed, total: row.decided }, undecided: row.undecided })
}

/// Keeps what a person expects.
pub(crate) async fn create_call(conn: &mut PgConnection, call: &Call) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.renewal_calls
             (account_id, due_at, expectation, note, author_email, called_at, likelihood, creator)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        call.account.as_str(),
        call.due_at,
        expectation_number(call.expectation),
        call.note,
        call.author_email,
        call.called_at,
        call.likelihood,
        call.creator,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what changes of accounts said at a time. Their rows are locked.
pub(crate) async fn note(
    conn: &mut PgConnection,
    changes: &RenewalChanges,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let currency_of = |arr: &Option<Money>| arr.map(|arr| arr.currency.to_string());
    let units_of = |arr: &Option<Money>| arr.map(|arr| arr.minor_units);
    if !changes.arr.is_empty() {
        sqlx::query!(
            "INSERT INTO scoring.arr_history (account_id, from_at, currency, arr_minor_units)
             SELECT account_id, $2, currency, arr_minor_units
               FROM unnest($1::text[], $3::text[], $4::bigint[]) AS given (account_id, currency, arr_minor_units)
             ON CONFLICT (account_id, from_at)
             DO UPDATE SET currency = excluded.currency, arr_minor_units = excluded.arr_minor_units",
            &changes.arr.iter().map(|change| change.account.as_str()).collect::<Vec<_>>() as &[&str],
            now,
            &changes.arr.iter().map(|change| currency_of(&change.arr)).collect::<Vec<_>>() as &[Option<String>],
            &changes.arr.iter().map(|change| units_of(&change.arr)).collect::<Vec<_>>() as &[Option<i64>],
        )
        .execute(&mut *conn)
        .await?;
    }
    // Before what is decided now, which may be of the same date.
    if !changes.withdrawn.is_empty() {
        let withdrawn = &changes.withdrawn;
        sqlx::query!(
            "DELETE FROM scoring.renewal_outcomes AS outcome
              USING unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
                    AS given (account_id, not_renewed_since, not_churned_until)
              WHERE outcome.account_id = given.account_id AND outcome.due_at > given.not_renewed_since
                AND (outcome.outcome = $4 OR outcome.due_at < given.not_churned_until)",
            &withdrawn.iter().map(|withdrawal| withdrawal.account.as_str()).collect::<Vec<_>>() as &[&str],
            &withdrawn.iter().map(|withdrawal| withdrawal.not_renewed_since).collect::<Vec<_>>(),
            &withdrawn.iter().map(|withdrawal| withdrawal.not_churned_until).collect::<Vec<_>>(),
            outcome_number(Outcome::Renewed),
        )
        .execute(&mut *conn)
        .await?;
    }
    if !changes.decisions.is_empty() {
        let decisions = &changes.decisions;
        sqlx::query!(
            "INSERT INTO scoring.renewal_outcomes (account_id, due_at, outcome, decided_at, currency, arr_minor_units)
             SELECT account_id, due_at, outcome, $4, currency, arr_minor_units
               FROM unnest($1::text[], $2::timestamptz[], $3::smallint[], $5::text[], $6::bigint[])
                    AS given (account_id, due_at, outcome, currency, arr_minor_units)
             ON CONFLICT (account_id, due_at)
             DO UPDATE SET outcome = excluded.outcome, decided_at = excluded.decided_at, currency = excluded.currency,
                           arr_minor_units = excluded.arr_minor_units",
            &decisions.iter().map(|decision| decision.account.as_str()).collect::<Vec<_>>() as &[&str],
            &decisions.iter().map(|decision| decision.due_at).collect::<Vec<_>>(),
            &decisions.iter().map(|decision| outcome_number(decision.outcome)).collect::<Vec<_>>(),
            now,
            &decisions.iter().map(|decision| currency_of(&decision.arr)).collect::<Vec<_>>() as &[Option<String>],
            &decisions.iter().map(|decision| units_of(&decision.arr)).collect::<Vec<_>>() as &[Option<i64>],
        )
        .execute(&mut *conn)
        .await?;
    }
    // After what is decided: calls of a renewal that is decided are of no other.
    if !changes.new_dates.is_empty() {
        let new_dates = &changes.new_dates;
        sqlx::query!(
            "UPDATE scoring.renewal_calls AS call
                SET due_at = given.due_at
               FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
                    AS given (account_id, due_at, same_after, same_before)
              WHERE call.account_id = given.account_id AND call.due_at <> given.due_at
                AND call.due_at > given.same_after AND call.due_at < given.same_before
                AND NOT EXISTS (SELECT FROM scoring.renewal_outcomes AS outcome
                                 WHERE outcome.account_id = call.account_id AND outcome.due_at = call.due_at)",
            &new_dates.iter().map(|date| date.account.as_str()).collect::<Vec<_>>() as &[&str],
            &new_dates.iter().map(|date| date.due_at).collect::<Vec<_>>(),
            &new_dates.iter().map(|date| date.same_after).collect::<Vec<_>>(),
            &new_dates.iter().map(|date| date.same_before).collect::<Vec<_>>(),
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

const fn expectation_number(expectation: Expectation) -> i16 {
    match expectation {
        Expectation::Commit => 1,
        Expectation::Likely => 2,
        Expectation::AtRisk => 3,
        Expectation::Churn => 4,
    }
}

fn expectation_of(number: i16) -> Result<Expectation, StorageError> {
    match number {
        1 => Ok(Expectation::Commit),
        2 => Ok(Expectation::Likely),
        3 => Ok(Expectation::AtRisk),
        4 => Ok(Expectation::Churn),
        _ => Err(codes::corrupt(format!("expectation {number}"))),
    }
}

const fn outcome_number(outcome: Outcome) -> i16 {
    match outcome {
        Outcome::Renewed => 1,
        Outcome::Churned => 2,
    }
}

fn outcome_of(number: i16) -> Result<Outcome, StorageError> {
    match number {
        1 => Ok(Outcome::Renewed),
        2 => Ok(Outcome::Churned),
        _ => Err(codes::corrupt(format!("renewal outcome {number}"))),
    }
}
