-- Events that are written but have no offset yet. `sequence` is drawn while the account's row is locked, so that it
-- rises within an account; it must never be given a CACHE above 1, which would hand out blocks to connections.
-- The account is in the key so that the table can be distributed by it; the order of the key serves the sequencer.
CREATE TABLE {schema}.outbox (
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    account_id text NOT NULL,
    event_id uuid NOT NULL,
    partition smallint NOT NULL CHECK (partition BETWEEN 0 AND 63),
    event_type text NOT NULL,
    payload bytea NOT NULL CONSTRAINT outbox_payload_bytes_max CHECK (octet_length(payload) <= 1048576),
    event_time timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    traceparent text NOT NULL,
    PRIMARY KEY (sequence, account_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1);

-- The log: offsets (pruned_through, last_offset] of feed_head, without a gap.
CREATE TABLE {schema}.feed (
    feed_offset bigint PRIMARY KEY,
    account_id text NOT NULL,
    event_id uuid NOT NULL,
    partition smallint NOT NULL,
    event_type text NOT NULL,
    payload bytea NOT NULL,
    event_time timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    traceparent text NOT NULL
);

CREATE INDEX feed_account ON {schema}.feed (account_id, feed_offset);

-- One row. Whoever holds its lock is the sequencer.
CREATE TABLE {schema}.feed_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    feed_id uuid NOT NULL DEFAULT gen_random_uuid(),
    last_offset bigint NOT NULL DEFAULT 0,
    pruned_through bigint NOT NULL DEFAULT 0,
    CHECK (0 <= pruned_through AND pruned_through <= last_offset)
) WITH (fillfactor = 10);

INSERT INTO {schema}.feed_head DEFAULT VALUES;
