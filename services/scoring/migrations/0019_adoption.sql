-- Which features accounts use, what they reach with them, and what was aimed at.

-- A use by periods as seen from one of them: bit n says of the period n before it. Of 62 periods; what is older is forgotten.
CREATE FUNCTION {schema}.periods_until(period_bits bigint, last_period integer, until integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN until - last_period BETWEEN 0 AND 61
                THEN (period_bits & ((1::bigint << (62 - (until - last_period))) - 1)) << (until - last_period)
                WHEN last_period - until BETWEEN 1 AND 61 THEN period_bits >> (last_period - until)
                ELSE 0 END;

-- The number of the period of a day: 1 months since January 1970, 2 fortnights since Monday, 5 January 1970.
CREATE FUNCTION {schema}.period_of(grain smallint, day date) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- In whole numbers and floats: reports ask it of each row. Day 719,166 of the calendar is 14 times 51,369 days after its first.
    RETURN CASE grain WHEN 1 THEN 12 * (date_part('year', day)::integer - 1970) + date_part('month', day)::integer - 1
                      ELSE (day - DATE '0001-01-01') / 14 - 51369 END;

-- In which months and fortnights an account used a feature, written in the transaction of the signal.
CREATE TABLE {schema}.feature_periods (
    account_id text COLLATE "C" NOT NULL,
    feature text COLLATE "C" NOT NULL,
    first_day date NOT NULL,
    last_month integer NOT NULL,
    month_bits bigint NOT NULL,
    last_fortnight integer NOT NULL,
    fortnight_bits bigint NOT NULL,
    PRIMARY KEY (account_id, feature)
);

COMMENT ON COLUMN {schema}.feature_periods.month_bits IS 'Bit n: used n months before last_month; `periods_until` reads it.';
COMMENT ON COLUMN {schema}.feature_periods.fortnight_bits IS 'Bit n: used n fortnights before last_fortnight.';

-- How an account stands, by how many targets it has: 1 it has none, 2 time has run out for one, 3 it has time, 4 it reached all.
CREATE FUNCTION {schema}.outcome_group(target_count bigint, is_behind boolean, reached_all boolean) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (CASE WHEN target_count = 0 THEN 1 WHEN is_behind THEN 2 WHEN reached_all THEN 4 ELSE 3 END)::smallint;

-- When an account reached a milestone first.
CREATE TABLE {schema}.milestones (
    account_id text COLLATE "C" NOT NULL,
    milestone text COLLATE "C" NOT NULL,
    reached_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, milestone)
);

-- What customers are to reach, and within how many days of their activation.
CREATE TABLE {schema}.adoption_targets (
    target_id text COLLATE "C" PRIMARY KEY,
    display_name text NOT NULL,
    -- Empty: all.
    segments smallint[] NOT NULL,
    -- 1 a milestone, 2 a total of a metric, 3 uses of a feature.
    outcome_kind smallint NOT NULL,
    -- The milestone, metric or feature.
    outcome_name text COLLATE "C" NOT NULL,
    -- The total; NULL for a milestone.
    quantity bigint,
    within_days integer NOT NULL,
    target_share double precision NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((outcome_kind = 1) = (quantity IS NULL))
);

-- Where each activated account stands with each target that is its own; written as it is scored.
CREATE TABLE {schema}.account_outcomes (
    account_id text COLLATE "C" NOT NULL,
    target_id text COLLATE "C" NOT NULL,
    activation_day date NOT NULL,
    -- The last day on which it is reached in time.
    due_day date NOT NULL,
    reached_day date,
    PRIMARY KEY (account_id, target_id)
);

-- What was told before.
INSERT INTO {schema}.feature_periods
SELECT account_id, feature, min(day), last_month, bit_or(1::bigint << (last_month - month)) FILTER (WHERE last_month - month < 62),
       last_fortnight, bit_or(1::bigint << (last_fortnight - fortnight)) FILTER (WHERE last_fortnight - fortnight < 62)
  FROM (SELECT account_id, feature, day, month, max(month) OVER feature AS last_month,
               fortnight, max(fortnight) OVER feature AS last_fortnight
          FROM (SELECT account_id, name AS feature, month + place - 1 AS day,
                       {schema}.period_of(1::smallint, month) AS month,
                       {schema}.period_of(2::smallint, month + place - 1) AS fortnight
                  FROM {schema}.count_months, generate_subscripts(day_sums, 1) AS place
                 WHERE kind = 4 AND day_sums[place] > 0) AS used
        WINDOW feature AS (PARTITION BY account_id, feature)) AS used
 GROUP BY account_id, feature, last_month, last_fortnight;

INSERT INTO {schema}.milestones
SELECT signals.account_id, details #>> '{milestone,milestone}', min(signals.event_at)
  FROM {schema}.signals JOIN {schema}.signal_details USING (account_id, source, source_id)
 WHERE signals.kind = 8 AND details ? 'milestone'
 GROUP BY 1, 2;
