-- The review of a month (its first day); one a month.
CREATE TABLE {schema}.reviews (
    month date PRIMARY KEY,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- The last account that the review has looked at; empty before the first.
    last_account_id text COLLATE "C" NOT NULL
);

-- What came of an account in the review of a month; once for each.
CREATE TABLE {schema}.account_reviews (
    account_id text COLLATE "C" NOT NULL,
    month date NOT NULL,
    reported boolean NOT NULL,
    identified_count integer NOT NULL,
    qualified_count integer NOT NULL,
    suppressed_count integer NOT NULL,
    opened_count integer NOT NULL,
    reviewed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, month)
);

CREATE INDEX account_reviews_by_month ON {schema}.account_reviews (month);

-- Chances, as of the last look.
-- States: 1 identified, 2 qualified, 3 suppressed, 4 lapsed.
CREATE TABLE {schema}.candidates (
    account_id text COLLATE "C" NOT NULL,
    metric text COLLATE "C" NOT NULL,
    state smallint NOT NULL,
    month date NOT NULL,
    consecutive_months integer NOT NULL,
    used double precision,
    usage_limit double precision,
    criteria jsonb NOT NULL,
    suppressions jsonb NOT NULL,
    opportunity_id uuid,
    rest_ends_at timestamptz,
    identified_at timestamptz NOT NULL,
    reviewed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, metric)
);

CREATE INDEX candidates_at_work ON {schema}.candidates (account_id) WHERE state <> 4;
