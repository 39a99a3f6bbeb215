-- How well models would have found those who left, and with what reason models were activated.

-- 1 recomputation, 2 backtest. One of each runs at a time.
ALTER TABLE {schema}.operations ADD COLUMN kind smallint NOT NULL DEFAULT 1;
DROP INDEX {schema}.operations_one_running;
CREATE UNIQUE INDEX operations_one_running ON {schema}.operations (kind) WHERE ended_at IS NULL;

-- A backtest has the id of its operation.
CREATE TABLE {schema}.backtests (
    backtest_id uuid PRIMARY KEY,
    model_id text COLLATE "C" NOT NULL,
    -- The model as its YAML text: it need not be stored.
    definition text NOT NULL,
    base_model_id text COLLATE "C" NOT NULL,
    days date[] NOT NULL,
    horizon_days integer NOT NULL,
    created_at timestamptz NOT NULL,
    -- Medians of segments on the day before each of the days, as JSON, when a model compares with them.
    segment_bases jsonb,
    -- The message `mainstay.scoring.v1.Backtest`. NULL: not complete.
    report bytea,
    -- Of the areas under the curve, the model's less that of the one that scored, with its 95 % interval. NULL: not compared.
    difference double precision,
    difference_low double precision,
    difference_high double precision,
    -- How many accounts left and stayed, when these were too few.
    too_few_left bigint,
    too_few_stayed bigint
);
CREATE INDEX backtests_by_model ON {schema}.backtests (model_id, backtest_id) WHERE report IS NOT NULL;

-- What was replayed of accounts, while the operation runs. Steps: 1 what medians are made of, 2 scores.
CREATE TABLE {schema}.backtest_accounts (
    backtest_id uuid NOT NULL,
    step smallint NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    replayed jsonb NOT NULL,
    PRIMARY KEY (backtest_id, step, account_id)
);

-- Accounts in another band on the last day. Scores are in units of 1/128 point; a band is NULL without a score.
CREATE TABLE {schema}.backtest_band_changes (
    backtest_id uuid NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    base_band smallint,
    band smallint,
    base_score integer,
    score integer,
    PRIMARY KEY (backtest_id, account_id)
);

ALTER TABLE {schema}.model_activations
    -- Why, as the caller said.
    ADD COLUMN reason text NOT NULL DEFAULT '',
    -- Whether the caller accepted that its backtest was worse.
    ADD COLUMN accepted_worse boolean NOT NULL DEFAULT false,
    -- Who, as authenticated; empty for the service itself, or without authentication.
    ADD COLUMN activated_by text NOT NULL DEFAULT '';
