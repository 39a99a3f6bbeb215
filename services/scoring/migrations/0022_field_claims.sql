-- What sources said of the fields of accounts, the newest of each, so that it can be told on what they disagree.
CREATE TABLE {schema}.field_claims (
    account_id text COLLATE "C" NOT NULL,
    -- As accounts of the API have it; of owners the role.
    field text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    value text NOT NULL,
    -- What is compared: without case and spaces at the ends, revenue by month.
    compared text NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, field, source)
);

-- A field of which sources say different things; written with the claims. `arr` is revenue, by whichever of both it was told.
CREATE TABLE {schema}.disagreements (
    field text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (field, account_id)
);
CREATE INDEX disagreements_by_account ON {schema}.disagreements (account_id);
