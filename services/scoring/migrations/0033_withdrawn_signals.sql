-- Signals that were taken back. They stay on record; nothing is made of them.
COMMENT ON COLUMN {schema}.signals.kind IS 'The kind; of a signal that was withdrawn, minus the kind: who looks for a kind does not find it.';

-- Who withdrew a signal, why and when.
CREATE TABLE {schema}.signal_withdrawals (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    -- As authenticated.
    withdrawn_by text NOT NULL,
    reason text NOT NULL,
    withdrawn_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, source, source_id)
);
