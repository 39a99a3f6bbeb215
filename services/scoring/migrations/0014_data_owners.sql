-- Who answers for a field of accounts (`fields/…`) or a source of signals (`sources/…`).
CREATE TABLE {schema}.data_owners (
    subject text COLLATE "C" PRIMARY KEY,
    owner_email text NOT NULL,
    updated_at timestamptz NOT NULL
);
