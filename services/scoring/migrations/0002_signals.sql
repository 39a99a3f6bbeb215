-- What was seen of customers: each signal once, and by month what they add up to.

-- Kinds: 1 usage count, 2 gauge, 3 activity of a user, 4 feature use.
CREATE TABLE {schema}.signals (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    event_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- Metric, feature or action, by kind.
    name text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    amount bigint,
    level double precision,
    PRIMARY KEY (account_id, source, source_id)
);

CREATE INDEX signals_by_time ON {schema}.signals (account_id, event_at);

-- Whether a metric is a count (1) or a gauge (2), as its first signal said.
CREATE TABLE {schema}.metrics (
    metric text COLLATE "C" PRIMARY KEY,
    kind smallint NOT NULL,
    first_seen_at timestamptz NOT NULL
);

-- Sums by day, a month's days in one row: element n is day n of the month,
-- days after the last element had nothing. Kinds: 1 a metric's count, 3 a
-- user's activities, 4 a feature's uses.
CREATE TABLE {schema}.count_months (
    account_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    name text COLLATE "C" NOT NULL,
    month date NOT NULL,
    day_sums bigint[] NOT NULL,
    PRIMARY KEY (account_id, kind, name, month)
) WITH (fillfactor = 80);

-- The newest level of each day, with its event time in microseconds since
-- 1970, by which a late signal knows whether it is newer; laid out as above,
-- NULL for days without a level.
CREATE TABLE {schema}.gauge_months (
    account_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    month date NOT NULL,
    day_levels double precision[] NOT NULL,
    day_level_micros bigint[] NOT NULL,
    PRIMARY KEY (account_id, name, month)
) WITH (fillfactor = 80);

-- Days on which any account sent a signal of a series: tells a source that
-- went silent from a customer that did. An empty name stands for all series
-- of the kind.
CREATE TABLE {schema}.series_days (
    kind smallint NOT NULL,
    name text COLLATE "C" NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (kind, name, day)
);
