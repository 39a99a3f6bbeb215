-- From when to when an account was a customer, for all that ask how long customers stay.
CREATE VIEW {schema}.lifespans AS
SELECT account_id, segment, product_line, plan, industry, owner_emails, lifecycle_stage, currency,
       {schema}.annual_minor_units(arr_minor_units, mrr_minor_units) AS annual_revenue, renewal_at,
       (created_at AT TIME ZONE 'UTC')::date AS created_day,
       (COALESCE(activated_at, contract_start_at, signed_up_at) AT TIME ZONE 'UTC')::date AS start_day,
       -- NULL: it is there.
       (COALESCE(churned_at, archived_at) AT TIME ZONE 'UTC')::date AS end_day,
       lifecycle_stage = 5 AND churned_at IS NOT NULL AS churned
  FROM {schema}.accounts;

-- Why nobody can say from when to when an account was a customer; NULL: it is known. 1 it tries the product, 2 it has no start, 3 its
-- start is to come, 4 it left at an unknown time, 5 it ended before it started.
CREATE FUNCTION {schema}.uncounted_reason(lifecycle_stage smallint, start_day date, end_day date, churned boolean, today date)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN lifecycle_stage = 1 THEN 1
                WHEN start_day IS NULL THEN 2
                WHEN start_day > today THEN 3
                WHEN lifecycle_stage = 5 AND NOT churned THEN 4
                WHEN end_day < start_day THEN 5 END;
