//! What was told before there were columns for reports is put into them by the migration, as if it were told now.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{DisputeAction, InvoiceAction, TicketAction};

use crate::account_fixtures::time;
use crate::adoption_fixtures::{milestone, uses};
use crate::billing_fixtures::{billed, customers, disputed, money, told};
use crate::harness::{Harness, signal};
use crate::service_reports;

const SERVICE_TABLES: [&str; 2] = ["ticket_resolutions", "survey_answers"];

/// The rows of each table.
async fn rows(harness: &Harness, tables: &[&str]) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT COALESCE(jsonb_agg(to_jsonb(stored) ORDER BY to_jsonb(stored)::text), '[]') FROM scoring.{table} AS stored"
        );
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(harness.database.pool()).await;
        all.push(rows.expect("rows"));
    }
    all
}

/// Empties the tables and fills them as the migration does.
async fn fill_again(harness: &Harness, migration: &str, tables: &[&str]) {
    let backfill = migration.split_once("-- What was told before.").expect("the second part").1;
    let emptied =
        format!("TRUNCATE scoring.{}; {}", tables.join(", scoring."), backfill.replace("{schema}", "scoring"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(emptied)).execute(harness.database.pool()).await.expect("the backfill");
}

#[tokio::test]
async fn r186_r192_what_was_told_before_the_migration_is_there_after_it() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let mut due_before = billed("beta", "2026-03-02", "in-9", InvoiceAction::Overdue, Some(money("JPY", 7)));
    if let Some(Payload::Invoice(invoice)) = &mut due_before.payload {
        invoice.due_time = Some(time("2026-03-01"));
    }
    let asked = proto::FeatureRequestSignal { feature: "sso".to_owned(), title: "SAML".to_owned() };
    let given = proto::FeatureReleaseSignal { feature: "sso".to_owned() };
    let more = vec![
        due_before,
        // What failed after it was voided, and a payment after it was overdue.
        billed("gamma", "2026-03-09T05:00:00Z", "in-6", InvoiceAction::PaymentFailed, None),
        billed("acme", "2026-03-10", "in-1", InvoiceAction::Paid, None),
        // Closed before it was opened, opened twice, closed, and opened again.
        disputed("acme", "2026-03-01", "d-3", DisputeAction::Closed, None),
        disputed("acme", "2026-03-02", "d-3", DisputeAction::Opened, Some(money("USD", 9))),
        disputed("acme", "2026-03-03", "d-3", DisputeAction::Opened, None),
        disputed("acme", "2026-03-04", "d-3", DisputeAction::Closed, None),
        disputed("acme", "2026-03-05", "d-3", DisputeAction::Opened, None),
        signal("acme", "2026-03-01", Payload::FeatureRequest(asked)),
        signal("beta", "2026-03-02", Payload::FeatureRelease(given)),
    ];
    harness.record(more).await;
    let migration = include_str!("../../migrations/0018_report_records.sql");
    let tables = ["billing_invoices", "billing_disputes", "billing_credits", "feature_signals"];
    assert_backfilled(&harness, migration, &tables).await;
}

#[tokio::test]
async fn r65_who_told_of_payments_before_the_migration_is_known_after_it() {
    let mut harness = customers().await;
    let mut more = [
        billed("acme", "2026-03-01", "in-1", InvoiceAction::Paid, None),
        billed("acme", "2026-03-02", "in-1", InvoiceAction::Paid, None),
        billed("beta", "2026-03-02", "in-2", InvoiceAction::Paid, None),
        billed("beta", "2026-03-02", "in-3", InvoiceAction::Voided, None),
    ];
    for (signal, source) in more.iter_mut().zip(["erp", "bank", "bank", "crm"]) {
        source.clone_into(&mut signal.source);
    }
    harness.record(more.to_vec()).await;
    let migration = include_str!("../../migrations/0026_overdue_by_due_time.sql");
    assert_backfilled(&harness, migration, &["payment_sources"]).await;
}

#[tokio::test]
async fn r72_r74_uses_and_milestones_of_before_the_migration_are_there_after_it() {
    let mut harness = customers().await;
    let more = vec![
        uses("acme", "2019-02-28", "export", 1),
        uses("acme", "2026-01-31", "export", 2),
        uses("acme", "2026-02-01", "export", 1),
        uses("acme", "2026-03-09", "export", 1),
        uses("beta", "1970-01-04", "sso", 1),
        uses("beta", "1970-01-05", "sso", 1),
        uses("gamma", "2026-01-18", "sso", 1),
        uses("gamma", "2026-01-19", "sso", 1),
        milestone("acme", "2026-03-02", "first-report"),
        milestone("acme", "2026-03-01", "first-report"),
        milestone("beta", "2026-03-03", "live"),
    ];
    harness.record(more).await;
    let migration = include_str!("../../migrations/0019_adoption.sql");
    assert_backfilled(&harness, migration, &["feature_periods", "milestones"]).await;
}

/// What the migration puts into its tables is what the service put there.
async fn assert_backfilled(harness: &Harness, migration: &str, tables: &[&str]) {
    let told_now = rows(harness, tables).await;
    assert!(told_now.iter().all(|rows| rows.as_array().is_some_and(|rows| rows.len() >= 2)), "{told_now:#?}");
    fill_again(harness, migration, tables).await;
    assert_eq!(rows(harness, tables).await, told_now);
}

/// When customers wrote, as stories have it.
async fn written(harness: &Harness) -> Vec<(String, Vec<DateTime<Utc>>)> {
    let sql = "SELECT story_id, array_agg(wrote::timestamptz ORDER BY wrote::timestamptz)
                 FROM scoring.stories CROSS JOIN jsonb_array_elements_text(state -> 'customer_wrote_at') AS wrote
                GROUP BY story_id ORDER BY story_id";
    sqlx::query_as(sql).fetch_all(harness.database.pool()).await.expect("rows")
}

#[tokio::test]
async fn r52_r201_tickets_and_answers_of_before_the_migration_are_there_after_it() {
    let mut harness = service_reports::customers().await;
    harness.record(service_reports::told()).await;
    let of = |at: &str, ticket_id: &str, action: TicketAction, text: &str, answered: Option<&str>| {
        let (ticket_id, text) = (ticket_id.to_owned(), text.to_owned());
        let first_response_time = answered.map(time);
        let told = proto::TicketSignal { ticket_id, text, first_response_time, ..Default::default() };
        signal("gamma", at, Payload::Ticket(proto::TicketSignal { action: i32::from(action), ..told }))
    };
    let more = vec![
        // Opened again by the same word, in the second of the resolution and a day later; answered before it was opened.
        of("2026-03-01", "t-20", TicketAction::Opened, "It burns.", None),
        of("2026-03-02", "t-20", TicketAction::Resolved, "", Some("2026-02-28")),
        of("2026-03-02", "t-20", TicketAction::Opened, "Again.", None),
        of("2026-03-03", "t-20", TicketAction::Opened, "Again.", None),
        // Answered as it happened, and otherwise in hindsight.
        of("2026-03-04T05:00:00Z", "t-21", TicketAction::Updated, "", Some("2026-03-04T05:00:00Z")),
        of("2026-03-05", "t-21", TicketAction::Resolved, "Thanks.", Some("2026-03-04T06:00:00Z")),
        of("2026-03-04T04:00:00Z", "t-21", TicketAction::Updated, "Written first.", None),
        of("2026-03-04T07:00:00Z", "t-22", TicketAction::Escalated, "Written first.", None),
    ];
    harness.record(more).await;
    let (told_now, written_now) = (rows(&harness, &SERVICE_TABLES).await, written(&harness).await);
    assert_eq!(told_now.iter().map(|rows| rows.as_array().map_or(0, Vec::len)).collect::<Vec<_>>(), [13, 4]);
    assert_eq!(written_now.len(), 4, "{written_now:#?}");

    let forget = "UPDATE scoring.stories SET state = state - 'customer_wrote_at'";
    sqlx::query(forget).execute(harness.database.pool()).await.expect("stories as they were");
    fill_again(&harness, include_str!("../../migrations/0020_service_records.sql"), &SERVICE_TABLES).await;
    assert_eq!(rows(&harness, &SERVICE_TABLES).await, told_now);
    assert_eq!(written(&harness).await, written_now);
}
