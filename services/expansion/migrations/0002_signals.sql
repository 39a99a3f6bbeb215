-- What other services told of accounts.

-- How much of its limits an account used in a month (its first day).
CREATE TABLE {schema}.usage_months (
    account_id text COLLATE "C" NOT NULL,
    month date NOT NULL,
    -- [{"metric": …, "used": …, "limit": …}]
    limits jsonb NOT NULL,
    active_users bigint NOT NULL,
    seats bigint,
    PRIMARY KEY (account_id, month)
);

-- The review pages through the accounts of a month.
CREATE INDEX usage_months_by_month ON {schema}.usage_months (month, account_id);

-- Conditions for which an account is left alone, ended ones too: a billing issue counts for a while after its end.
-- Kinds: 1 at risk, 2 payment failed, 3 billing dispute, 4 detractor's case.
CREATE TABLE {schema}.conditions (
    account_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (account_id, reference)
);

-- Contacts between the account and those who look after it.
CREATE TABLE {schema}.touches (
    account_id text COLLATE "C" NOT NULL,
    touch_id text COLLATE "C" NOT NULL,
    touched_at timestamptz NOT NULL,
    inbound boolean NOT NULL,
    answered boolean NOT NULL,
    PRIMARY KEY (account_id, touch_id)
);

CREATE INDEX touches_by_time ON {schema}.touches (account_id, touched_at);
