-- Learning a forecast is an operation, which goes through accounts page by page as a backtest does.

-- Operations of the kind 3 learn a forecast.

-- What was replayed of accounts is kept of both, under the operation's id, while it runs. Steps: 1 what distributions are made of,
-- 2 what is judged, or learnt from.
ALTER TABLE {schema}.backtest_accounts RENAME TO replayed_accounts;
ALTER TABLE {schema}.replayed_accounts RENAME COLUMN backtest_id TO operation_id;

-- A training has the id of its operation. All but what comes of it is as it was when it began.
CREATE TABLE {schema}.forecast_trainings (
    training_id uuid PRIMARY KEY,
    -- The general health model, whose measures are the inputs.
    health_model_id text COLLATE "C" NOT NULL,
    -- The segments whose accounts that model scored.
    scored_segments smallint[] NOT NULL,
    -- The first days of the months that are learnt from.
    days date[] NOT NULL,
    -- Those of the days for which it is not kept how measures were spread over groups, when the model compares with groups.
    unmade_days date[] NOT NULL,
    -- Of 1 024 parts of the accounts so many are drawn.
    parts bigint NOT NULL,
    horizon_days integer NOT NULL,
    -- Who had it learnt, as authenticated.
    creator text NOT NULL,
    -- Whether the model is to make forecasts, and not only to be judged.
    is_kept boolean NOT NULL,
    -- How measures were spread over groups on the unmade days, as JSON, while the operation runs.
    group_distributions jsonb,
    -- The message `mainstay.scoring.v1.ForecastModel`. NULL: not complete.
    forecast_model bytea,
    -- Why nothing can be learnt, in words, when that is so.
    too_little_data text
);
