//! All services on a database that a test can reach, with a company of which much is known.

use std::time::Duration;

use mainstay_testkit::{TestDatabase, empty_database};
use tokio::time::timeout;

use crate::up::{PATIENCE, Up, done, folder};
use crate::{run, write};

/// The one measure of the company's health.
pub(crate) const MODEL: &str = "\
name: models/sum
display_name: Mails
components:
  - id: usage
    display_name: Usage
    weight: 1
    measures:
      - id: emails_sum
        display_name: Mails
        weight: 1
        input: {metric: emails}
        window: 7d
        aggregation: sum
        curve: [[0, 0], [100, 100]]
";

/// 600 customers of the last 18 months with a value between 0 and 100 each, that moves by up to 10 from month to month. In each month a
/// customer leaves on the 16th with a probability whose log-odds are -0.5 - 0.05 × the value. Each writes so many emails on the last
/// day of each month until it leaves. Their health is kept for the first of each month until they leave, and for today of those who
/// are still there.
const CUSTOMERS: &str = "
    CREATE FUNCTION pg_temp.chance(text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
        $$ SELECT (('x' || left(md5($1), 8))::bit(32)::bigint::float8 + 0.5) / 4294967296 $$;
    CREATE TEMPORARY TABLE customer_months AS
        SELECT number, month,
               (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => 18 - month))::date AS day,
               GREATEST(1, round(100 * pg_temp.chance('value ' || number)
                   + 20 * (pg_temp.chance('move ' || number || ' ' || month) - 0.5))) AS value
          FROM generate_series(1, 600) AS number, generate_series(0, 17) AS month;
    CREATE TEMPORARY TABLE leavers AS
        SELECT number, min(day) + interval '15 days' AS churned_at FROM customer_months
         WHERE pg_temp.chance('leave ' || number || ' ' || month) < 1 / (1 + exp(0.5 + 0.05 * value))
         GROUP BY number;
    CREATE TEMPORARY TABLE days AS SELECT min(day) AS first, max(day) AS last FROM customer_months;
    INSERT INTO scoring.accounts (account_id, display_name, segment, industry, product_line, plan, lifecycle_stage,
        currency, arr_minor_units, activated_at, churned_at, plan_limits, owners, owner_emails, contacts, labels, version,
        created_at, updated_at)
    SELECT 'account-' || number, 'Customer', 1 + number % 3, '', '', '', CASE WHEN churned_at IS NULL THEN 3 ELSE 5 END,
           'EUR', 100 * number, first AT TIME ZONE 'UTC', churned_at AT TIME ZONE 'UTC', '{}', '[]', '{}', '[]', '{}', 1,
           first AT TIME ZONE 'UTC', first AT TIME ZONE 'UTC'
      FROM generate_series(1, 600) AS number LEFT JOIN leavers USING (number), days;
    INSERT INTO scoring.health_history (account_id, day, score, coverage, last_signal_day, model_id, measure_values,
        measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at)
    SELECT 'account-' || number, day, NULL, 1, day - interval '1 day', 'sum', ARRAY[value], ARRAY[value], ARRAY[NULL::float8],
           ARRAY[NULL::smallint], ARRAY[1], day
      FROM customer_months LEFT JOIN leavers USING (number) WHERE churned_at IS NULL OR churned_at > day;
    INSERT INTO scoring.health (account_id, day, score, coverage, last_signal_day, model_id, measure_values,
        measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at)
    SELECT account_id, (now() AT TIME ZONE 'UTC')::date, score, coverage, (now() AT TIME ZONE 'UTC')::date - 1, model_id,
           measure_values, measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at
      FROM scoring.health_history JOIN scoring.accounts USING (account_id), days
     WHERE day = days.last AND churned_at IS NULL;
    CREATE TEMPORARY TABLE emails AS
        SELECT number, day - 1 AS day, value::bigint FROM customer_months LEFT JOIN leavers USING (number)
         WHERE churned_at IS NULL OR churned_at > customer_months.day;
    INSERT INTO scoring.count_months (account_id, kind, name, month, day_sums)
    SELECT 'account-' || number, 1, 'emails', date_trunc('month', day)::date,
           array_fill(value, ARRAY[1], ARRAY[date_part('day', day)::integer])
      FROM emails;
    INSERT INTO scoring.series_days (kind, name, day) SELECT DISTINCT 1, 'emails', day FROM emails;
    INSERT INTO scoring.metrics (metric, kind, first_seen_at) VALUES ('emails', 1, now());
    INSERT INTO scoring.scoring_facts (account_id, from_day, segment, plan_limits)
    SELECT account_id, days.first, segment, '{}' FROM scoring.accounts, days WHERE account_id LIKE 'account-%';
    DROP TABLE customer_months, leavers, days, emails";

/// The services, and their database.
pub(crate) struct Company {
    pub(crate) up: Up,
    pub(crate) database: TestDatabase,
}

impl Company {
    /// Nobody is due for renewal, and nothing is learnt yet.
    pub(crate) async fn start() -> Self {
        let database = empty_database().await;
        let up = Up::on_database(database.url()).await;
        let folder = folder();
        let early = write(folder.path(), "early.csv", "id,name\nthe-first,The first\n");
        done(up.address, &["import", "accounts", &early]).await;
        let model = write(folder.path(), "sum.yaml", MODEL);
        done(up.address, &["models", "apply", &model, "--activate"]).await;
        // All accounts are scored again in the background: those that come after must not be among them.
        let is_scored = async {
            loop {
                let health = run(up.address, &["health", "get", "the-first", "--output", "json"]).await.out;
                if health.contains("models/sum") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, is_scored).await.expect("scored by the model");
        let company = Self { up, database };
        company.sql(CUSTOMERS).await;
        company
    }

    /// Does to the database what no command does.
    pub(crate) async fn sql(&self, statements: &'static str) {
        sqlx::raw_sql(statements).execute(self.database.pool()).await.expect("SQL");
    }
}
