//! What a report of service is made of: tickets by what happened to them when, and answers to the question how easy it was.

use chrono::{DateTime, Utc};
use mainstay_domain::Proportion;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use super::customer_filters::FilterParameters;
use super::survey_answers::question_number;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::service_report::{Effort, EffortGroup, ServiceFigures, ServicePeriods, Span, TicketGroup};
use crate::domain::voice::SurveyQuestion;

/// Tickets of customers by period and segment, and by period. Each counts by its first time of a kind.
pub(crate) async fn tickets(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    periods: ServicePeriods,
) -> Result<Vec<TicketGroup>, StorageError> {
    let customers = FilterParameters::of(customers);
    let spans = [periods.now, periods.before];
    let times = |time: fn(Span) -> DateTime<Utc>| spans.map(time);
    let rows = sqlx::query!(
        r#"SELECT period.is_before AS "is_before!", accounts.segment AS "segment?",
                  count(*) FILTER (WHERE was.opened) AS "opened_count!",
                  count(*) FILTER (WHERE was.resolved) AS "resolved_count!",
                  count(*) FILTER (WHERE was.decided) AS "decided_count!",
                  count(*) FILTER (WHERE was.decided AND ticket.at_first_contact) AS "first_contact_count!",
                  count(*) FILTER (WHERE was.pending) AS "pending_count!",
                  count(*) FILTER (WHERE was.answered) AS "answered_count!",
                  count(*) FILTER (WHERE was.reopened) AS "reopened_count!",
                  count(*) FILTER (WHERE was.escalated) AS "escalated_count!",
                  percentile_cont(0.5) WITHIN GROUP (
                      ORDER BY extract(epoch FROM ticket.answered_at - ticket.opened_at)::double precision / 3600)
                      FILTER (WHERE was.answered) AS first_response_hours_median,
                  percentile_cont(0.5) WITHIN GROUP (
                      ORDER BY extract(epoch FROM ticket.resolved_at - ticket.opened_at)::double precision / 3600)
                      FILTER (WHERE was.resolved) AS resolution_hours_median
             FROM scoring.ticket_resolutions AS ticket
             JOIN scoring.accounts ON accounts.account_id = ticket.account_id
            CROSS JOIN unnest($4::boolean[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[])
                       AS period (is_before, start_at, end_at, decided_start_at, decided_end_at)
            CROSS JOIN LATERAL (SELECT
                ticket.opened_at > period.start_at AND ticket.opened_at <= period.end_at AS opened,
                ticket.answered_at > period.start_at AND ticket.answered_at <= period.end_at AS answered,
                ticket.resolved_at > period.start_at AND ticket.resolved_at <= period.end_at AS resolved,
                ticket.reopened_at > period.start_at AND ticket.reopened_at <= period.end_at AS reopened,
                ticket.escalated_at > period.start_at AND ticket.escalated_at <= period.end_at AS escalated,
                ticket.resolved_at > period.decided_start_at AND ticket.resolved_at <= period.decided_end_at AS decided,
                ticket.resolved_at > period.decided_end_at AND ticket.resolved_at <= period.end_at AS pending) AS was
            -- By the index, and then only the periods in which something can have happened to the ticket.
            WHERE ticket.newest_at > $3
              AND ticket.newest_at > period.decided_start_at AND ticket.opened_at <= period.end_at
              AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY GROUPING SETS ((period.is_before, accounts.segment), (period.is_before))"#,
        customers.segments.as_deref(),
        customers.owner_email,
        periods.before.of_decided().start,
        &[false, true],
        &times(|span| span.start),
        &times(|span| span.end),
        &times(|span| span.of_decided().start),
        &times(|span| span.of_decided().end),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TicketGroup {
                segment: row.segment.map(codes::segment).transpose()?,
                is_before: row.is_before,
                figures: ServiceFigures {
                    opened_count: row.opened_count,
                    resolved_count: row.resolved_count,
                    first_contact: Proportion { count: row.first_contact_count, total: row.decided_count },
                    pending_count: row.pending_count,
                    answered_count: row.answered_count,
                    first_response_hours_median: row.first_response_hours_median,
                    resolution_hours_median: row.resolution_hours_median,
                    reopened_count: row.reopened_count,
                    escalated_count: row.escalated_count,
                    effort: Effort::default(),
                },
            })
        })
        .collect()
}

/// Answers of customers to the question how easy it was, by period and segment.
pub(crate) async fn efforts(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    periods: ServicePeriods,
) -> Result<Vec<EffortGroup>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT answer.answered_at <= $5 AS "is_before!", accounts.segment, count(*) AS "answer_count!",
                  sum(answer.score) AS "score_sum!"
             FROM scoring.survey_answers AS answer
             JOIN scoring.accounts ON accounts.account_id = answer.account_id
            WHERE answer.question = $3 AND answer.answered_at > $4 AND answer.answered_at <= $6
              AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1, 2"#,
        customers.segments.as_deref(),
        customers.owner_email,
        question_number(SurveyQuestion::Ces),
        periods.before.start,
        periods.now.start,
        periods.now.end,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(EffortGroup {
                segment: codes::segment(row.segment)?,
                is_before: row.is_before,
                effort: Effort { answer_count: row.answer_count, score_sum: row.score_sum },
            })
        })
        .collect()
}
