-- Accounts, as the callers' systems know them.
CREATE TABLE {schema}.accounts (
    account_id text COLLATE "C" PRIMARY KEY,
    display_name text NOT NULL,
    segment smallint NOT NULL,
    industry text NOT NULL,
    product_line text NOT NULL,
    plan text NOT NULL,
    lifecycle_stage smallint NOT NULL,
    currency text,
    arr_minor_units bigint,
    mrr_minor_units bigint,
    contract_start_at timestamptz,
    renewal_at timestamptz,
    signed_up_at timestamptz,
    activated_at timestamptz,
    seats bigint,
    plan_limits jsonb NOT NULL,
    owners jsonb NOT NULL,
    -- The mail addresses in `owners`, so that a person's accounts are found by an index.
    owner_emails text[] NOT NULL,
    contacts jsonb NOT NULL,
    parent_id text COLLATE "C",
    labels jsonb NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    archived_at timestamptz,
    CHECK ((currency IS NULL) = (arr_minor_units IS NULL AND mrr_minor_units IS NULL))
);

CREATE INDEX accounts_by_owner ON {schema}.accounts USING gin (owner_emails);
CREATE INDEX accounts_by_parent ON {schema}.accounts (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX accounts_by_arr ON {schema}.accounts (arr_minor_units DESC, account_id) WHERE archived_at IS NULL;
