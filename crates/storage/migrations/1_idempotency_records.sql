-- Made in the transaction of the effect, so that there is one exactly when the effect took place.
CREATE TABLE {schema}.idempotency_records (
    caller text NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- NULL only until the transaction has its answer; no other transaction sees it so.
    response bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, method, request_id)
) WITH (fillfactor = 80);

CREATE INDEX idempotency_records_created_at ON {schema}.idempotency_records (created_at);
