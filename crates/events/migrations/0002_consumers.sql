-- How far each consumer is in each partition of the feed that it reads; moved in the transaction of the effect.
CREATE TABLE {schema}.consumer_offsets (
    consumer text NOT NULL,
    feed text NOT NULL,
    partition smallint NOT NULL CHECK (partition BETWEEN 0 AND 63),
    feed_id uuid NOT NULL,
    feed_offset bigint NOT NULL CHECK (feed_offset >= 0),
    failing_offset bigint,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    PRIMARY KEY (consumer, feed, partition)
) WITH (fillfactor = 50);

-- The replicas that are alive and share the partitions of a consumer. Times are the database's own: a lease is no
-- business time, and one clock for all replicas leaves no skew.
CREATE TABLE {schema}.consumer_replicas (
    consumer text NOT NULL,
    feed text NOT NULL,
    replica_id uuid NOT NULL DEFAULT gen_random_uuid(),
    alive_until timestamptz NOT NULL,
    PRIMARY KEY (consumer, feed, replica_id)
);

-- Events set aside: one that failed too often, and all later ones of its account, which must not overtake it.
CREATE TABLE {schema}.consumer_parked (
    consumer text NOT NULL,
    feed text NOT NULL,
    feed_offset bigint NOT NULL,
    account_id text NOT NULL,
    event_id uuid NOT NULL,
    partition smallint NOT NULL,
    event_type text NOT NULL,
    payload bytea NOT NULL,
    event_time timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    traceparent text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    requeued boolean NOT NULL DEFAULT false,
    PRIMARY KEY (consumer, feed, account_id, feed_offset)
);

CREATE INDEX consumer_parked_requeued ON {schema}.consumer_parked (consumer, feed, partition, feed_offset)
    WHERE requeued;
