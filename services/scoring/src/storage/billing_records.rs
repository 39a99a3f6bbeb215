//! What reports count of invoices, disputes and credits, in columns.

use chrono::{DateTime, Utc};
use mainstay_domain::Money;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::signals::SignalKeys;
use super::stories::StoryKey;
use crate::domain::billing::{CreditKind, DisputeSpan, InvoiceRecord, Settlement};
use crate::domain::json::Amount;
use crate::domain::signal::{Payload, Signal};
use crate::domain::story::Story;

pub(super) const fn settlement_number(settlement: Settlement) -> i16 {
    match settlement {
        Settlement::Paid => 1,
        Settlement::Voided => 2,
    }
}

pub(super) const fn credit_number(kind: CreditKind) -> i16 {
    match kind {
        CreditKind::Refund => 1,
        CreditKind::CreditNote => 2,
    }
}

/// Writes what these stories say by now, over what they said before. Their accounts are locked.
pub(crate) async fn write<'a>(
    conn: &mut PgConnection,
    stories: impl Iterator<Item = (&'a StoryKey, &'a Story)>,
) -> Result<(), StorageError> {
    let (mut invoices, mut gone, mut disputes) = (Vec::new(), Vec::new(), Vec::new());
    for (key, story) in stories {
        match story {
            Story::Invoice(invoice) => match invoice.record() {
                Some(record) => invoices.push((key, record)),
                None => gone.push(key),
            },
            Story::Dispute(dispute) => disputes.push((key, dispute.spans(), dispute.amount())),
            Story::Ticket(_) => {}
        }
    }
    if !invoices.is_empty() {
        write_invoices(conn, &invoices).await?;
    }
    if !gone.is_empty() {
        delete_invoices(conn, &gone).await?;
    }
    if !disputes.is_empty() {
        write_disputes(conn, &disputes).await?;
    }
    Ok(())
}

fn codes_of(amounts: impl Iterator<Item = Option<Money>>) -> (Vec<Option<String>>, Vec<Option<i64>>) {
    amounts
        .map(|amount| (amount.map(|money| money.currency.to_string()), amount.map(|money| money.minor_units)))
        .unzip()
}

async fn write_invoices(conn: &mut PgConnection, invoices: &[(&StoryKey, InvoiceRecord)]) -> Result<(), StorageError> {
    let times = |time: fn(&InvoiceRecord) -> Option<DateTime<Utc>>| -> Vec<Option<DateTime<Utc>>> {
        invoices.iter().map(|(_, record)| time(record)).collect()
    };
    let settlement = |record: &InvoiceRecord| record.settlement.map(|(_, settlement)| settlement_number(settlement));
    let (currencies, minor_units) = codes_of(invoices.iter().map(|(_, record)| record.amount));
    sqlx::query!(
        "INSERT INTO scoring.billing_invoices (account_id, invoice_id, first_failed_at, overdue_at, unpaid_since, aged_since,
                                               failed_attempt_count, settled_at, settlement, currency, minor_units)
         SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                              $7::integer[], $8::timestamptz[], $9::smallint[], $10::text[], $11::bigint[])
         ON CONFLICT (account_id, invoice_id) DO UPDATE SET
             first_failed_at = excluded.first_failed_at, overdue_at = excluded.overdue_at, unpaid_since = excluded.unpaid_since,
             aged_since = excluded.aged_since, failed_attempt_count = excluded.failed_attempt_count,
             settled_at = excluded.settled_at, settlement = excluded.settlement, currency = excluded.currency,
             minor_units = excluded.minor_units",
        &invoices.iter().map(|(key, _)| key.account.as_str()).collect::<Vec<_>>() as &[&str],
        &invoices.iter().map(|(key, _)| key.id.as_str()).collect::<Vec<_>>() as &[&str],
        &times(|record| record.first_failed_at) as &[Option<DateTime<Utc>>],
        &times(|record| record.overdue_at) as &[Option<DateTime<Utc>>],
        &times(|record| record.unpaid_since) as &[Option<DateTime<Utc>>],
        &times(|record| record.aged_since) as &[Option<DateTime<Utc>>],
        &invoices.iter().map(|(_, record)| record.failed_attempt_count).collect::<Vec<_>>(),
        &times(|record| record.settlement.map(|(at, _)| at)) as &[Option<DateTime<Utc>>],
        &invoices.iter().map(|(_, record)| settlement(record)).collect::<Vec<_>>() as &[Option<i16>],
        &currencies as &[Option<String>],
        &minor_units as &[Option<i64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A payment that is told late can show that an invoice was never unpaid.
async fn delete_invoices(conn: &mut PgConnection, gone: &[&StoryKey]) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.billing_invoices AS stored USING unnest($1::text[], $2::text[]) AS gone (account_id, invoice_id)
          WHERE stored.account_id = gone.account_id AND stored.invoice_id = gone.invoice_id",
        &gone.iter().map(|key| key.account.as_str()).collect::<Vec<_>>() as &[&str],
        &gone.iter().map(|key| key.id.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn write_disputes(
    conn: &mut PgConnection,
    disputes: &[(&StoryKey, Vec<DisputeSpan>, Option<Money>)],
) -> Result<(), StorageError> {
    // What is told late can join spans and part them.
    sqlx::query!(
        "DELETE FROM scoring.billing_disputes AS stored USING unnest($1::text[], $2::text[]) AS told (account_id, dispute_id)
          WHERE stored.account_id = told.account_id AND stored.dispute_id = told.dispute_id",
        &disputes.iter().map(|(key, ..)| key.account.as_str()).collect::<Vec<_>>() as &[&str],
        &disputes.iter().map(|(key, ..)| key.id.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    let spans: Vec<(&StoryKey, DisputeSpan, Option<Money>)> =
        disputes.iter().flat_map(|(key, spans, amount)| spans.iter().map(|span| (*key, *span, *amount))).collect();
    let (currencies, minor_units) = codes_of(spans.iter().map(|(.., amount)| *amount));
    sqlx::query!(
        "INSERT INTO scoring.billing_disputes (account_id, dispute_id, opened_at, closed_at, currency, minor_units)
         SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::bigint[])",
        &spans.iter().map(|(key, ..)| key.account.as_str()).collect::<Vec<_>>() as &[&str],
        &spans.iter().map(|(key, ..)| key.id.as_str()).collect::<Vec<_>>() as &[&str],
        &spans.iter().map(|(_, span, _)| span.opened_at).collect::<Vec<_>>(),
        &spans.iter().map(|(_, span, _)| span.closed_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &currencies as &[Option<String>],
        &minor_units as &[Option<i64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts the credits among these signals, all of them new and inserted by this transaction.
pub(crate) async fn insert_credits<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
) -> Result<(), StorageError> {
    let credits: Vec<_> = signals
        .filter_map(|signal| match &signal.payload {
            Payload::Credit(credit) => Some((signal, credit.kind, credit.amount)),
            _ => None,
        })
        .collect();
    if credits.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.billing_credits (account_id, source, source_id, kind, event_at, currency, minor_units)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::text[], $7::bigint[])",
        &credits.iter().map(|(signal, ..)| signal.account.as_str()).collect::<Vec<_>>() as &[&str],
        &credits.iter().map(|(signal, ..)| signal.source.as_str()).collect::<Vec<_>>() as &[&str],
        &credits.iter().map(|(signal, ..)| signal.source_id.as_str()).collect::<Vec<_>>() as &[&str],
        &credits.iter().map(|(_, kind, _)| credit_number(*kind)).collect::<Vec<_>>(),
        &credits.iter().map(|(signal, ..)| signal.event_at).collect::<Vec<_>>(),
        &credits.iter().map(|(.., Amount(money))| money.currency.to_string()).collect::<Vec<_>>(),
        &credits.iter().map(|(.., Amount(money))| money.minor_units).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the credits among signals that were withdrawn.
pub(crate) async fn delete_credits(conn: &mut PgConnection, gone: &SignalKeys<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.billing_credits AS stored
          USING unnest($1::text[], $2::text[], $3::text[]) AS gone (account_id, source, source_id)
          WHERE stored.account_id = gone.account_id AND stored.source = gone.source
            AND stored.source_id = gone.source_id",
        &gone.accounts as &[&str],
        &gone.sources as &[&str],
        &gone.source_ids as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
