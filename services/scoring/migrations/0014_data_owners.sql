-- Who answers for a field of accounts (`fields/…`) or a source of signals (`sources/…`).
CREATE TABLE {schema}.data_owners (
    subject text COLLATE "C" PRIMARY KEY,
    owner_email text NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Reports look for conditions that ended within a period.
CREATE INDEX risk_triggers_by_end ON {schema}.risk_triggers (cleared_at) WHERE cleared_at IS NOT NULL;
