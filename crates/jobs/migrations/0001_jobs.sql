CREATE TABLE {schema}.jobs (
    queue      text        COLLATE "C" NOT NULL CHECK (queue <> ''),
    -- Byte-wise order, so that the database and the program mean the same by "in key order".
    key        text        COLLATE "C" NOT NULL CHECK (key <> ''),
    payload    jsonb       NOT NULL DEFAULT 'null',
    low_mark   bigint,
    due_at     timestamptz NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error text,
    dead_at    timestamptz,
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (queue, key)
) WITH (
    -- Jobs that are marked again keep their due time, so the new row version can stay on its page
    -- (HOT) if there is room: half of each page leaves room for one new version of each row.
    fillfactor = 50,
    -- Rows come, move and go all the time. Vacuum early and without pauses, judged by a fixed
    -- number of dead rows, because the number of live ones swings between nothing and all.
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_analyze_scale_factor = 0.0,
    autovacuum_analyze_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0,
    -- Giving empty pages at the end back takes an exclusive lock, which would stop all work; they
    -- are filled again anyway.
    vacuum_truncate = false
);

-- What a claim reads.
CREATE INDEX jobs_due ON {schema}.jobs (queue, due_at) WHERE dead_at IS NULL;

-- What an operator reads.
CREATE INDEX jobs_dead ON {schema}.jobs (queue, key) WHERE dead_at IS NOT NULL;
