-- What of an account, beside its signals, decides its scores, from a day on. A past day that is scored again is scored with what held on that day.
CREATE TABLE {schema}.scoring_facts (
    account_id text COLLATE "C" NOT NULL,
    -- The UTC day from which on it holds. The first of an account holds for the days before it, too.
    from_day date NOT NULL,
    segment smallint NOT NULL,
    plan_limits jsonb NOT NULL,
    PRIMARY KEY (account_id, from_day)
);

INSERT INTO {schema}.scoring_facts (account_id, from_day, segment, plan_limits)
SELECT account_id, (created_at AT TIME ZONE 'UTC')::date, segment, plan_limits FROM {schema}.accounts;
