-- Health: today's for each account, and that of every day.

-- Scores and changes are in units of 1/128 point. The arrays have one element
-- for each measure of the model, in its order.
CREATE TABLE {schema}.health (
    account_id text COLLATE "C" PRIMARY KEY,
    day date NOT NULL,
    score integer,
    band smallint,
    coverage double precision NOT NULL,
    freshness_days integer,
    last_signal_day date,
    model_id text COLLATE "C" NOT NULL,
    measure_values double precision[] NOT NULL,
    -- Before the comparison, and what it was compared with.
    measure_raw_values double precision[] NOT NULL,
    measure_base_values double precision[] NOT NULL,
    measure_missing smallint[] NOT NULL,
    measure_freshness_days integer[] NOT NULL,
    change_1d integer,
    change_7d integer,
    change_30d integer,
    scored_at timestamptz NOT NULL,
    -- Scores of the 30 days before, the day before first, so that a day's
    -- changes need no look into the history; NULL when they must be looked up.
    recent_scores integer[],
    -- What the last event said of it.
    announced_score integer,
    announced_band smallint
) WITH (fillfactor = 70);

CREATE INDEX health_by_score ON {schema}.health (score, account_id);
CREATE INDEX health_by_change_30d ON {schema}.health (change_30d, account_id);

CREATE TABLE {schema}.health_history (
    account_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    score integer,
    band smallint,
    coverage double precision NOT NULL,
    freshness_days integer,
    last_signal_day date,
    model_id text COLLATE "C" NOT NULL,
    measure_values double precision[] NOT NULL,
    -- Before the comparison, and what it was compared with.
    measure_raw_values double precision[] NOT NULL,
    measure_base_values double precision[] NOT NULL,
    measure_missing smallint[] NOT NULL,
    measure_freshness_days integer[] NOT NULL,
    scored_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, day)
) PARTITION BY RANGE (day);

-- A year's history goes by dropping its partition. Days outside these years
-- live in the default partition, so that nothing is ever refused.
DO $$
BEGIN
    FOR year IN 2020..2040 LOOP
        EXECUTE format(
            'CREATE TABLE {schema}.health_history_%s PARTITION OF {schema}.health_history FOR VALUES FROM (%L) TO (%L)',
            year, make_date(year, 1, 1), make_date(year + 1, 1, 1));
    END LOOP;
END
$$;
CREATE TABLE {schema}.health_history_other PARTITION OF {schema}.health_history DEFAULT;

-- Long-running operations.
CREATE TABLE {schema}.operations (
    operation_id uuid PRIMARY KEY,
    start_day date NOT NULL,
    account_count bigint NOT NULL,
    -- How many were scored, once it has ended.
    done_count bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    cancelled boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX operations_one_running ON {schema}.operations ((true)) WHERE ended_at IS NULL;
