-- When a churned account left, as its newest churn signal says, or else when somebody said so; NULL while it is a customer, and
-- where nobody said when.
ALTER TABLE {schema}.accounts ADD COLUMN churned_at timestamptz;

-- Accounts that were churned when they were created have been so for nobody knows how long.
UPDATE {schema}.accounts AS account
   SET churned_at = COALESCE(
           CASE WHEN known.churned_at > known.returned_at OR known.returned_at IS NULL THEN known.churned_at END,
           NULLIF(known.said_at, account.created_at))
  FROM (SELECT account_id,
               (state #>> '{last_churn,at}')::timestamptz AS churned_at,
               (state #>> '{last_return,at}')::timestamptz AS returned_at,
               (state #>> '{given,stage}')::timestamptz AS said_at
          FROM {schema}.lifecycles) AS known
 WHERE account.account_id = known.account_id AND account.lifecycle_stage = 5;

-- What was learnt of who leaves; never changed.
CREATE TABLE {schema}.forecast_models (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL,
    -- The model whose measures are the inputs.
    health_model_id text COLLATE "C" NOT NULL,
    -- Inputs with coefficients, what it learnt from, and how good it was.
    definition jsonb NOT NULL
);

-- The yearly revenue of an account (ARR, else twelve times MRR), from a time on; NULL: not known.
CREATE TABLE {schema}.arr_history (
    account_id text COLLATE "C" NOT NULL,
    from_at timestamptz NOT NULL,
    currency text,
    arr_minor_units bigint,
    PRIMARY KEY (account_id, from_at),
    CHECK ((currency IS NULL) = (arr_minor_units IS NULL))
);

-- What accounts have now they have at least since their last change.
INSERT INTO {schema}.arr_history (account_id, from_at, currency, arr_minor_units)
SELECT account_id, updated_at, currency, COALESCE(arr_minor_units, mrr_minor_units * 12) FROM {schema}.accounts
 WHERE currency IS NOT NULL;

-- What became of renewals. Outcomes: 1 renewed, 2 churned.
CREATE TABLE {schema}.renewal_outcomes (
    account_id text COLLATE "C" NOT NULL,
    due_at timestamptz NOT NULL,
    outcome smallint NOT NULL,
    decided_at timestamptz NOT NULL,
    -- Of a year, before the decision.
    currency text,
    arr_minor_units bigint,
    PRIMARY KEY (account_id, due_at),
    CHECK ((currency IS NULL) = (arr_minor_units IS NULL))
);
CREATE INDEX renewal_outcomes_by_time ON {schema}.renewal_outcomes (due_at, account_id);

-- What people expected of renewals; the last of a renewal counts. Expectations: 1 commit, 2 likely, 3 at risk, 4 churn.
CREATE TABLE {schema}.renewal_calls (
    account_id text COLLATE "C" NOT NULL,
    due_at timestamptz NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    expectation smallint NOT NULL,
    note text NOT NULL,
    author_email text NOT NULL,
    called_at timestamptz NOT NULL,
    -- How likely it was to renew by the forecast model then.
    likelihood double precision,
    PRIMARY KEY (account_id, due_at, number)
);
