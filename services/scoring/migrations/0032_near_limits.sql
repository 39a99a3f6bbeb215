-- The limits of their plans that accounts were near, by metric, for reports: as of the newest month in which they were.
CREATE TABLE {schema}.near_limits (
    account_id text COLLATE "C" NOT NULL,
    metric text COLLATE "C" NOT NULL,
    month date NOT NULL,
    -- What was used in that month, as a share of the limit.
    share double precision NOT NULL,
    -- The limit of then.
    plan_limit double precision NOT NULL,
    -- How many months in a row up to and with that one.
    months integer NOT NULL,
    PRIMARY KEY (account_id, metric)
);
