-- What tickets, invoices, disputes and contracts have told, and the conditions that put accounts at risk.

-- What a signal of a kind without columns of its own says, as JSON. Kinds: 5 ticket, 6 invoice, 7 dispute, 8 lifecycle.
CREATE TABLE {schema}.signal_details (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    details jsonb NOT NULL,
    PRIMARY KEY (account_id, source, source_id)
);

-- What the signals of a ticket (5), invoice (6) or dispute (7) add up to.
CREATE TABLE {schema}.stories (
    account_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    story_id text COLLATE "C" NOT NULL,
    state jsonb NOT NULL,
    -- Whether it puts the account at risk as it is.
    at_risk boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, kind, story_id)
);
CREATE INDEX stories_at_risk ON {schema}.stories (account_id) WHERE at_risk;

-- What lifecycle signals said of an account, and since when what callers said of it themselves holds.
CREATE TABLE {schema}.lifecycles (
    account_id text COLLATE "C" PRIMARY KEY,
    state jsonb NOT NULL
);

-- Conditions that put accounts at risk, those that last and those that ended. Kinds: 1 critical, 2 at risk, 3 drop,
-- 4 inactivity, 5 payment failed, 6 dispute, 7 urgent ticket.
CREATE TABLE {schema}.risk_triggers (
    account_id text COLLATE "C" NOT NULL,
    trigger_id uuid NOT NULL,
    kind smallint NOT NULL,
    -- The invoice, dispute or ticket; empty for the account as a whole.
    subject text COLLATE "C" NOT NULL,
    raised_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    cleared_at timestamptz,
    -- 1 ended, 2 the account is gone.
    clear_reason smallint,
    occurrence_count integer NOT NULL CHECK (occurrence_count > 0),
    -- At the last change, in units of 1/128 point.
    score integer,
    cause jsonb NOT NULL,
    PRIMARY KEY (account_id, trigger_id),
    CHECK ((cleared_at IS NULL) = (clear_reason IS NULL))
);
-- Raised once while it lasts.
CREATE UNIQUE INDEX risk_triggers_lasting ON {schema}.risk_triggers (account_id, kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX risk_triggers_by_account ON {schema}.risk_triggers (account_id, raised_at DESC, trigger_id DESC);
CREATE INDEX risk_triggers_by_time ON {schema}.risk_triggers (raised_at DESC, trigger_id DESC);
CREATE INDEX risk_triggers_lasting_by_time ON {schema}.risk_triggers (raised_at DESC, trigger_id DESC)
    WHERE cleared_at IS NULL;

-- The account's newest day with activity, when it was scored last: an account whose day is another one now may need a timer.
ALTER TABLE {schema}.health ADD COLUMN last_activity_day date;

-- The newest month of which an account's use of its plan was told.
CREATE TABLE {schema}.plan_usage_reports (
    account_id text COLLATE "C" PRIMARY KEY,
    month date NOT NULL
);
