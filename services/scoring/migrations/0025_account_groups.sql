-- Accounts are compared with those of their industry and on their plan, too: both count from the day on which they were said, of
-- past days as far as it is known by now.
ALTER TABLE {schema}.scoring_facts
    ADD COLUMN industry text NOT NULL DEFAULT '',
    ADD COLUMN plan text NOT NULL DEFAULT '';
UPDATE {schema}.scoring_facts AS facts SET industry = accounts.industry, plan = accounts.plan
  FROM {schema}.accounts WHERE accounts.account_id = facts.account_id AND (accounts.industry, accounts.plan) <> ('', '');

-- How a measure was spread over a group's accounts at the end of the day before, for a model: quantiles from the smallest number to
-- the largest. A row without a measure says that the day was computed.
CREATE TABLE {schema}.group_distributions (
    model_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    -- 1 segment, 2 industry, 3 plan.
    group_kind smallint NOT NULL,
    -- The segment's number, or the name in lower case.
    group_name text COLLATE "C" NOT NULL,
    measure_id text COLLATE "C" NOT NULL,
    quantiles double precision[] NOT NULL,
    account_count bigint NOT NULL,
    -- The recomputation that made it. NULL: made when the day was first scored.
    operation_id uuid,
    PRIMARY KEY (model_id, day, measure_id, group_kind, group_name)
);
CREATE INDEX group_distributions_days ON {schema}.group_distributions (model_id, day) WHERE measure_id = '';

-- Of what was kept before the median is known, which is all that models of then ask for.
INSERT INTO {schema}.group_distributions (model_id, day, group_kind, group_name, measure_id, quantiles, account_count)
SELECT model_id, day, CASE WHEN measure_id = '' THEN 0 ELSE 1 END, CASE WHEN measure_id = '' THEN '' ELSE segment::text END,
       measure_id, CASE WHEN median IS NULL THEN '{}' ELSE ARRAY[median] END, account_count
  FROM {schema}.segment_medians;
DROP TABLE {schema}.segment_medians;

-- Backtests that run read their accounts anew.
ALTER TABLE {schema}.backtests RENAME COLUMN segment_bases TO group_distributions;
UPDATE {schema}.backtests SET group_distributions = NULL WHERE group_distributions IS NOT NULL;
DELETE FROM {schema}.backtest_accounts WHERE step = 1;
