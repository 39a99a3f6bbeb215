//! What a report of revenue is made of: unpaid invoices, disputes, credits, and the customers behind them.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{MoneySums, Points, day_of};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::billing_records::{credit_number, settlement_number};
use super::codes::{self, corrupt, money};
use super::customer_filters::FilterParameters;
use crate::domain::billing::{CreditKind, Settlement};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::revenue_report::{
    AGES_DAYS_MIN, BillingCount, BillingFlowKind, FlowGroup, UnpaidCustomer, UnpaidGroup,
};

/// Invoices of customers that were unpaid at a time: by age and currency, by age, by currency, and all.
pub(crate) async fn unpaid(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    at: DateTime<Utc>,
) -> Result<Vec<UnpaidGroup>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT age, currency, GROUPING(currency) = 0 AS "is_part!", count(*) AS "invoice_count!",
                  count(DISTINCT account_id) AS "account_count!",
                  count(*) FILTER (WHERE minor_units IS NULL) AS "unpriced_count!",
                  sum(minor_units)::bigint AS minor_units
             FROM (SELECT invoice.account_id, invoice.currency, invoice.minor_units,
                          width_bucket($4::date - (invoice.aged_since AT TIME ZONE 'UTC')::date, $5::integer[]) - 1 AS age
                     FROM scoring.billing_invoices AS invoice
                     JOIN scoring.accounts ON accounts.account_id = invoice.account_id
                    WHERE invoice.unpaid_since <= $3 AND COALESCE(invoice.settled_at, 'infinity') > $3
                      AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
                      AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
                      AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])) AS unpaid
            GROUP BY GROUPING SETS ((age, currency), (age), (currency), ())"#,
        customers.segments.as_deref(),
        customers.owner_email,
        at,
        day_of(at),
        &AGES_DAYS_MIN,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(UnpaidGroup {
                age: row.age.map(usize::try_from).transpose().map_err(corrupt)?,
                invoice_count: row.invoice_count,
                account_count: row.account_count,
                unpriced_count: row.unpriced_count,
                amount: money(row.currency.as_deref(), row.minor_units)?,
                is_part: row.is_part,
            })
        })
        .collect()
}

/// Disputes of customers that were open at a time.
pub(crate) async fn open_disputes(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    at: DateTime<Utc>,
) -> Result<BillingCount, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT dispute.currency, GROUPING(dispute.currency) = 0 AS "is_part!", count(*) AS "count!",
                  count(DISTINCT dispute.account_id) AS "account_count!", sum(dispute.minor_units)::bigint AS minor_units
             FROM scoring.billing_disputes AS dispute
             JOIN scoring.accounts ON accounts.account_id = dispute.account_id
            WHERE dispute.opened_at <= $3 AND COALESCE(dispute.closed_at, 'infinity') > $3
              AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY GROUPING SETS ((dispute.currency), ())"#,
        customers.segments.as_deref(),
        customers.owner_email,
        at,
    )
    .fetch_all(conn)
    .await?;
    let mut open = BillingCount::default();
    for row in rows {
        if !row.is_part {
            open.count = row.count;
            open.account_count = row.account_count;
        } else if let Some(amount) = money(row.currency.as_deref(), row.minor_units)? {
            open.amounts.add(amount).map_err(corrupt)?;
        }
    }
    Ok(open)
}

/// Customers that had an unpaid invoice or an open dispute at a time, and what they bring in by now.
pub(crate) async fn at_risk(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    at: DateTime<Utc>,
) -> Result<(i64, MoneySums), StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT accounts.currency, count(*) AS "account_count!",
                  sum(scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units))::bigint AS arr_minor_units
             FROM (SELECT account_id FROM scoring.billing_invoices
                    WHERE unpaid_since <= $3 AND COALESCE(settled_at, 'infinity') > $3
                    UNION
                   SELECT account_id FROM scoring.billing_disputes
                    WHERE opened_at <= $3 AND COALESCE(closed_at, 'infinity') > $3) AS owing
             JOIN scoring.accounts ON accounts.account_id = owing.account_id
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1"#,
        customers.segments.as_deref(),
        customers.owner_email,
        at,
    )
    .fetch_all(conn)
    .await?;
    let (mut account_count, mut sums) = (0, MoneySums::default());
    for row in rows {
        account_count += row.account_count;
        if let Some(arr) = money(row.currency.as_deref(), row.arr_minor_units)? {
            sums.add(arr).map_err(corrupt)?;
        }
    }
    Ok((account_count, sums))
}

/// What happened to invoices, credits and disputes of customers after a time and until another: by kind and currency, and by kind.
pub(crate) async fn flows(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<Vec<FlowGroup>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"WITH happened AS (
               SELECT invoice.account_id, event.kind, event.at, invoice.currency, invoice.minor_units
                 FROM scoring.billing_invoices AS invoice
                CROSS JOIN LATERAL (VALUES
                    ($5::smallint, first_failed_at), ($6, overdue_at),
                    ($7, CASE WHEN settlement = $13::smallint AND unpaid_since IS NOT NULL THEN settled_at END),
                    ($8, CASE WHEN settlement = $14::smallint THEN settled_at END)) AS event (kind, at)
                WHERE COALESCE(invoice.settled_at, 'infinity') > $3
                UNION ALL
               SELECT account_id, CASE kind WHEN $15::smallint THEN $9::smallint ELSE $10 END, event_at, currency, minor_units
                 FROM scoring.billing_credits WHERE event_at > $3
                UNION ALL
               SELECT dispute.account_id, event.kind, event.at, dispute.currency, dispute.minor_units
                 FROM scoring.billing_disputes AS dispute
                CROSS JOIN LATERAL (VALUES ($11::smallint, opened_at), ($12, closed_at)) AS event (kind, at)
                WHERE COALESCE(dispute.closed_at, 'infinity') > $3
           )
           SELECT happened.kind AS "kind!", happened.currency, GROUPING(happened.currency) = 0 AS "is_part!",
                  count(*) AS "count!", count(DISTINCT happened.account_id) AS "account_count!",
                  sum(happened.minor_units)::bigint AS minor_units
             FROM happened
             JOIN scoring.accounts ON accounts.account_id = happened.account_id
            WHERE happened.at > $3 AND happened.at <= $4
              AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY GROUPING SETS ((happened.kind, happened.currency), (happened.kind))"#,
        customers.segments.as_deref(),
        customers.owner_email,
        start,
        end,
        BillingFlowKind::InvoiceFailed as i16,
        BillingFlowKind::InvoiceOverdue as i16,
        BillingFlowKind::InvoiceRecovered as i16,
        BillingFlowKind::InvoiceVoided as i16,
        BillingFlowKind::Refund as i16,
        BillingFlowKind::CreditNote as i16,
        BillingFlowKind::DisputeOpened as i16,
        BillingFlowKind::DisputeClosed as i16,
        settlement_number(Settlement::Paid),
        settlement_number(Settlement::Voided),
        credit_number(CreditKind::Refund),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = BillingFlowKind::of_number(row.kind);
            Ok(FlowGroup {
                kind: kind.ok_or_else(|| corrupt(format!("billing flow {}", row.kind)))?,
                count: row.count,
                account_count: row.account_count,
                amount: money(row.currency.as_deref(), row.minor_units)?,
                is_part: row.is_part,
            })
        })
        .collect()
}

/// The customers with most unpaid money at a time, of each currency so many; then those of whose invoices no amount is known.
pub(crate) async fn unpaid_customers(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    at: DateTime<Utc>,
    list_size: i64,
) -> Result<Vec<UnpaidCustomer>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"WITH unpaid AS (
               SELECT account_id, currency, sum(minor_units)::bigint AS minor_units, count(*) AS invoice_count,
                      min(aged_since) AS aged_since, sum(failed_attempt_count) AS failed_attempt_count
                 FROM scoring.billing_invoices
                WHERE unpaid_since <= $3 AND COALESCE(settled_at, 'infinity') > $3
                GROUP BY 1, 2
           ), placed AS (
               SELECT unpaid.*, row_number() OVER (PARTITION BY unpaid.currency
                                                   ORDER BY unpaid.minor_units DESC, unpaid.aged_since, unpaid.account_id) AS place
                 FROM unpaid
                 JOIN scoring.accounts ON accounts.account_id = unpaid.account_id
                WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
                  AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
                  AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
           )
           SELECT accounts.account_id, accounts.display_name, accounts.segment, accounts.renewal_at,
                  (SELECT owner ->> 'email' FROM jsonb_array_elements(accounts.owners) AS owner
                    WHERE owner ->> 'role' = 'csm' LIMIT 1) AS csm_email,
                  placed.currency AS unpaid_currency, placed.minor_units AS unpaid_minor_units,
                  placed.invoice_count AS "invoice_count!", (placed.aged_since AT TIME ZONE 'UTC')::date AS "oldest_day!",
                  placed.failed_attempt_count AS "failed_attempt_count!",
                  (SELECT count(*) FROM scoring.billing_disputes AS dispute
                    WHERE dispute.account_id = accounts.account_id
                      AND dispute.opened_at <= $3 AND COALESCE(dispute.closed_at, 'infinity') > $3) AS "open_dispute_count!",
                  accounts.currency,
                  scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units) AS arr_minor_units,
                  health.score AS "score?", health.band AS "band?"
             FROM placed
            -- Few are listed: each is looked up, where a join would read all accounts again.
            CROSS JOIN LATERAL (SELECT * FROM scoring.accounts
                                 WHERE accounts.account_id = placed.account_id LIMIT 1) AS accounts
             LEFT JOIN LATERAL (SELECT score, band FROM scoring.health
                                 WHERE health.account_id = placed.account_id LIMIT 1) AS health ON true
            WHERE placed.place <= $4
            ORDER BY placed.currency NULLS LAST, placed.place"#,
        customers.segments.as_deref(),
        customers.owner_email,
        at,
        list_size,
    )
    .fetch_all(conn)
    .await?;
    let today = day_of(at);
    rows.into_iter()
        .map(|row| {
            Ok(UnpaidCustomer {
                account: codes::account_id(&row.account_id)?,
                display_name: row.display_name,
                segment: codes::segment(row.segment)?,
                csm_email: row.csm_email,
                unpaid: money(row.unpaid_currency.as_deref(), row.unpaid_minor_units)?,
                invoice_count: row.invoice_count,
                oldest_days: days_between(row.oldest_day, today)?,
                failed_attempt_count: row.failed_attempt_count,
                open_dispute_count: row.open_dispute_count,
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
                renewal_at: row.renewal_at,
                score: row.score.map(Points::from_units),
                band: row.band.map(codes::band).transpose()?,
            })
        })
        .collect()
}

fn days_between(earlier: NaiveDate, later: NaiveDate) -> Result<i32, StorageError> {
    i32::try_from((later - earlier).num_days()).map_err(corrupt)
}
