-- Targets of metrics of retention by which teams are measured together, instead of the usual ones.
CREATE TABLE {schema}.shared_targets (
    -- 1 renewal rate, 2 gross retention, 3 net retention, 4 share of revenue at risk, 5 share of critical customers, 6 days to value.
    metric smallint PRIMARY KEY,
    target double precision NOT NULL,
    teams text[] NOT NULL,
    -- The caller who set it.
    setter text NOT NULL,
    set_at timestamptz NOT NULL
);
