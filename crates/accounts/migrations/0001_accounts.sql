-- The service's copy of the accounts, as scoring told them.
CREATE TABLE {schema}.accounts (
    account_id text COLLATE "C" PRIMARY KEY,
    display_name text NOT NULL,
    segment smallint NOT NULL,
    plan text NOT NULL,
    lifecycle_stage smallint NOT NULL,
    currency text,
    arr_minor_units bigint,
    renewal_at timestamptz,
    signed_up_at timestamptz,
    activated_at timestamptz,
    seats bigint,
    plan_limits jsonb NOT NULL,
    owners jsonb NOT NULL,
    contacts jsonb NOT NULL,
    archived_at timestamptz,
    -- Health, as last told; the score is in units of 1/128 point.
    score integer,
    band smallint,
    scored_at timestamptz,
    CHECK ((currency IS NULL) = (arr_minor_units IS NULL))
);
