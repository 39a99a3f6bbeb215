-- A message that is to leave, or has left. What it says is in it; where it goes is a name in the service's settings, so
-- that no address with a secret in it and no signing key is ever stored.
CREATE TABLE {schema}.delivery_messages (
    id             uuid        PRIMARY KEY,
    dedupe_key     text        COLLATE "C" CHECK (dedupe_key <> ''),
    account_id     text        COLLATE "C" CHECK (account_id <> ''),
    purpose        text        COLLATE "C" NOT NULL CHECK (purpose <> ''),
    -- 1 email, 2 Slack, 3 webhook.
    channel        smallint    NOT NULL CHECK (channel BETWEEN 1 AND 3),
    -- The destination with its channel: `email`, `slack/{name}`, `webhook/{name}`. Each has its own share of the sends.
    lane           text        COLLATE "C" NOT NULL CHECK (lane <> ''),
    content        jsonb       NOT NULL,
    traceparent    text,
    -- 1 pending, 2 sent, 3 dead.
    state          smallint    NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    -- While pending: when it may be tried. A claim moves it to the end of the lease, so that a message whose process died
    -- becomes due by itself.
    due_at         timestamptz NOT NULL,
    leased_until   timestamptz,
    -- Attempts begun. Grows with each claim, so that it also tells the holder of the lease from earlier ones.
    attempts       integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Attempts that were begun before the last replay: they do not count towards its end.
    replayed_after integer     NOT NULL DEFAULT 0 CHECK (replayed_after >= 0),
    last_error     text,
    -- The time from which it could first be sent.
    send_at        timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    sent_at        timestamptz,
    dead_at        timestamptz,
    CHECK ((state = 2) = (sent_at IS NOT NULL AND dead_at IS NULL)),
    CHECK ((state = 3) = (dead_at IS NOT NULL)),
    CHECK (state = 1 OR leased_until IS NULL)
) WITH (
    -- Each message is written three times (enqueued, claimed, done): room for the new versions on its page.
    fillfactor = 70,
    -- Two dead versions a message, in the index that claims read too. Vacuum by what came since, not by what is kept.
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 5000
);

CREATE UNIQUE INDEX delivery_messages_dedupe ON {schema}.delivery_messages (dedupe_key) WHERE dedupe_key IS NOT NULL;

-- What a claim reads.
CREATE INDEX delivery_messages_due ON {schema}.delivery_messages (lane, due_at) WHERE state = 1;

-- What lists read.
CREATE INDEX delivery_messages_newest ON {schema}.delivery_messages (created_at, id);
CREATE INDEX delivery_messages_dead ON {schema}.delivery_messages (created_at, id) WHERE state = 3;
CREATE INDEX delivery_messages_account ON {schema}.delivery_messages (account_id, created_at, id)
    WHERE account_id IS NOT NULL;

-- What retention reads.
CREATE INDEX delivery_messages_sent ON {schema}.delivery_messages (sent_at) WHERE state = 2;

-- An attempt at sending a message. Written when it begins: one whose outcome is missing is under way, or its process died.
CREATE TABLE {schema}.delivery_attempts (
    message_id  uuid        NOT NULL REFERENCES {schema}.delivery_messages (id) ON DELETE CASCADE,
    attempt     integer     NOT NULL CHECK (attempt > 0),
    started_at  timestamptz NOT NULL,
    -- 1 sent, 2 failed and may work later, 3 failed for good.
    outcome     smallint    CHECK (outcome BETWEEN 1 AND 3),
    -- Of HTTP or SMTP, if there was an answer.
    status_code integer,
    error       text,
    -- By a monotonic clock, in milliseconds.
    duration_ms bigint      CHECK (duration_ms >= 0),
    PRIMARY KEY (message_id, attempt)
);

-- Destinations that were disabled; a lane without a row is enabled.
CREATE TABLE {schema}.delivery_destinations (
    lane        text        COLLATE "C" PRIMARY KEY CHECK (lane <> ''),
    disabled_at timestamptz NOT NULL,
    reason      text        NOT NULL
);
