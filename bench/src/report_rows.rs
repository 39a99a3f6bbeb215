//! What reports read beside scores: revenue, invoices, disputes, credits, renewals, requests, tickets, answers, uses of features,
//! targets, and a forecast model. Written as recording the signals of a year would have left it.

use crate::database::Database;

/// Of each account revenue in one of two currencies, and a contract that was renewed or not within the year. A third of the accounts
/// had an invoice in trouble in the last 60 days, an eighth of these is unpaid; each fiftieth has an open dispute, each tenth had a
/// credit. Each account asked twice for one of 50 features, and each fifth got it; of the days before and after there are scores.
/// Each used five features, in every other month and fortnight of a year, and has five targets. Half of them met friction.
/// Each opened a ticket a month for half a year, and answered three surveys.
const ROWS: &str = r#"
    UPDATE scoring.accounts
       SET lifecycle_stage = 3, currency = CASE WHEN number % 2 = 0 THEN 'EUR' ELSE 'USD' END,
           arr_minor_units = 100 * (1 + number % 5000), signed_up_at = timestamptz '2025-10-01Z',
           activated_at = timestamptz '2025-10-01Z' + make_interval(days => 1 + number % 60),
           renewal_at = timestamptz '2026-05-01Z' + make_interval(days => number % 300)
      FROM (SELECT account_id, substr(account_id, 9)::integer AS number FROM scoring.accounts) AS numbered
     WHERE numbered.account_id = accounts.account_id;
    DELETE FROM scoring.arr_history;
    INSERT INTO scoring.arr_history (account_id, from_at, currency, arr_minor_units)
    SELECT account_id, from_at, currency, arr_minor_units + extra
      FROM scoring.accounts,
           (VALUES (timestamptz '2025-01-01Z', 0), (timestamptz '2025-12-01Z', 100)) AS change (from_at, extra);
    INSERT INTO scoring.renewal_outcomes (account_id, due_at, outcome, decided_at, currency, arr_minor_units)
    SELECT account_id, renewal_at - interval '1 year', CASE WHEN arr_minor_units % 700 = 0 THEN 2 ELSE 1 END,
           renewal_at - interval '1 year', currency, arr_minor_units FROM scoring.accounts;
    CREATE TEMPORARY TABLE numbered AS
        SELECT account_id, currency, substr(account_id, 9)::integer AS number FROM scoring.accounts;
    INSERT INTO scoring.billing_invoices
    SELECT account_id, 'in-' || number, failed_at, NULL, failed_at, failed_at, 1 + number % 3, settled_at,
           CASE WHEN settled_at IS NOT NULL THEN 1 END, currency, 100 * (1 + number % 900)
      FROM (SELECT *, CASE WHEN number % 8 <> 0 THEN failed_at + interval '3 days' END AS settled_at
              FROM (SELECT *, timestamptz '2026-03-31Z' - make_interval(days => number % 60) AS failed_at
                      FROM numbered WHERE number % 3 = 0) AS failed) AS settled;
    INSERT INTO scoring.billing_disputes
    SELECT account_id, 'd-' || number, timestamptz '2026-03-20Z', NULL, currency, 500 FROM numbered WHERE number % 50 = 0;
    INSERT INTO scoring.billing_credits
    SELECT account_id, 'billing', 'c-' || number, 1 + number % 2,
           timestamptz '2026-03-31Z' - make_interval(days => number % 90), currency, 100
      FROM numbered WHERE number % 10 = 0;
    INSERT INTO scoring.feature_signals
    SELECT account_id, 'product', kind || '/' || event_at, kind, 'feature-' || number % 50, event_at
      FROM numbered,
           (VALUES (13, timestamptz '2025-11-01Z'), (13, timestamptz '2026-03-20Z'), (14, timestamptz '2026-02-01Z'))
           AS told (kind, event_at)
     WHERE kind = 13 OR number % 5 = 0;
    INSERT INTO scoring.ticket_resolutions (account_id, ticket_id, opened_at, answered_at, resolved_at, reopened_at, escalated_at,
                                            at_first_contact, newest_at)
    SELECT account_id, 't-' || place, opened_at, opened_at + interval '1 hour', resolved_at, reopened_at, escalated_at,
           COALESCE(reopened_at, escalated_at) IS NULL, GREATEST(resolved_at, reopened_at)
      FROM (SELECT *, CASE WHEN number % 7 = 0 THEN resolved_at + interval '2 days' END AS reopened_at,
                   CASE WHEN number % 9 = 0 THEN opened_at + interval '1 hour' END AS escalated_at
              FROM (SELECT *, opened_at + make_interval(hours => 1 + number % 90) AS resolved_at
                      FROM (SELECT account_id, number, place, timestamptz '2026-03-31 01:00Z'
                                   - make_interval(days => (number + 30 * place) % 180) AS opened_at
                              FROM numbered, generate_series(1, 6) AS month (place)) AS opened) AS resolved) AS told;
    INSERT INTO scoring.survey_answers (account_id, source, source_id, question, score, answered_at)
    SELECT account_id, 'surveys', 'r-' || place, question, 1 + (number + place) % 7 + CASE question WHEN 1 THEN 3 ELSE 0 END,
           timestamptz '2026-03-31Z' - make_interval(days => number % 60)
      FROM numbered, (VALUES (1, 1), (2, 1), (3, 3)) AS answer (place, question);
    INSERT INTO scoring.health_history (account_id, day, score, band, coverage, model_id, measure_values, measure_raw_values,
        measure_base_values, measure_missing, measure_freshness_days, scored_at)
    SELECT account_id, past, score, band, coverage, model_id, measure_values, measure_raw_values, measure_base_values,
           measure_missing, measure_freshness_days, scored_at
      FROM scoring.health_history, (VALUES (DATE '2026-01-31'), (DATE '2026-03-01')) AS days (past) WHERE day = '2026-03-31'
        ON CONFLICT (account_id, day) DO UPDATE SET score = excluded.score, band = excluded.band;
    INSERT INTO scoring.forecast_models (created_at, health_model_id, definition)
    VALUES (timestamptz '2026-03-31Z', 'measured', '{
        "horizon_days": 90, "intercept": -2.0, "unused_inputs": [],
        "inputs": [
            {"kind": {"measure": "metric_1_trend"}, "per_unit": -0.02, "per_deviation": -0.4, "mean": 50, "deviation": 20,
             "substitute": 50, "missing_share": 0},
            {"kind": "log_months_as_customer", "per_unit": -0.1, "per_deviation": -0.1, "mean": 2, "deviation": 1,
             "substitute": 2, "missing_share": 0},
            {"kind": {"renewal": "first"}, "per_unit": 1.0, "per_deviation": 0.3, "mean": 0.08, "deviation": 0.27,
             "substitute": 0.08, "missing_share": 0}],
        "training": {"first_month": "2025-01-01", "last_month": "2025-12-01", "rows": 1, "churned_rows": 1,
                     "churned_accounts": 1},
        "accuracy": {
            "learnt_from": {"first_month": "2025-01-01", "last_month": "2025-08-01", "rows": 1, "churned_rows": 1,
                            "churned_accounts": 1},
            "judged_on": {"first_month": "2025-09-01", "last_month": "2025-12-01", "rows": 1, "churned_rows": 1,
                          "churned_accounts": 1},
            "auc": 0.7, "auc_low": 0.6, "auc_high": 0.8, "brier": 0.1, "brier_of_base_rate": 0.1, "reliability": []}}');
    INSERT INTO scoring.feature_periods
    SELECT account_id, 'feature-' || (number * 7 + use * 11) % 50, DATE '2025-10-01' - number % 300,
           scoring.period_of(1::smallint, DATE '2026-03-31'), 1 | hashtextextended(account_id, use) & 16383,
           scoring.period_of(2::smallint, DATE '2026-03-31'), 1 | hashtextextended(account_id, -use) & 67108863
      FROM numbered, generate_series(1, 5) AS use;
    INSERT INTO scoring.risk_triggers (account_id, trigger_id, kind, subject, raised_at, changed_at, cleared_at, clear_reason,
        occurrence_count, cause)
    SELECT account_id, gen_random_uuid(), kind, 'past', timestamptz '2025-12-01Z', timestamptz '2025-12-01Z',
           timestamptz '2025-12-10Z', 1, 1, '{}'
      FROM numbered, unnest(ARRAY[4, 5, 7, 9]) AS kind WHERE number % kind = 0;
    INSERT INTO scoring.adoption_targets
    SELECT 'target-' || target, '', '{}', 1, 'milestone-' || target, NULL, 30 * target, 0.5, now()
      FROM generate_series(1, 5) AS target;
    INSERT INTO scoring.account_outcomes
    SELECT account_id, 'target-' || target, activation_day, activation_day + 30 * target,
           CASE WHEN number % (target + 1) > 0 THEN activation_day + number % 80 END
      FROM (SELECT *, DATE '2025-10-01' + 1 + number % 60 AS activation_day FROM numbered) AS activated,
           generate_series(1, 5) AS target;
    DROP TABLE numbered"#;

/// Writes them for the accounts that are there.
pub(crate) async fn write(database: &Database) -> anyhow::Result<()> {
    database.run(ROWS).await?;
    database.run("VACUUM ANALYZE").await
}
