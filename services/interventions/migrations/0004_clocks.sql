-- Deadlines of alerts, cases and tasks. Each has a job in the queue `clocks`
-- with its id as the key while it runs.
CREATE TABLE {schema}.clocks (
    account_id text COLLATE "C" NOT NULL,
    clock_id uuid NOT NULL,
    alert_id uuid,
    case_id uuid,
    task_id uuid,
    step smallint NOT NULL,
    started_at timestamptz NOT NULL,
    warn_at timestamptz,
    due_at timestamptz NOT NULL,
    state smallint NOT NULL,
    warned_at timestamptz,
    met_at timestamptz,
    PRIMARY KEY (account_id, clock_id),
    CHECK (num_nonnulls(alert_id, case_id, task_id) = 1)
);

CREATE INDEX clocks_by_id ON {schema}.clocks (clock_id);
CREATE INDEX clocks_by_alert ON {schema}.clocks (alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX clocks_by_case ON {schema}.clocks (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX clocks_ended_by_due ON {schema}.clocks (due_at) WHERE state IN (2, 3);
CREATE INDEX clocks_by_task ON {schema}.clocks (task_id) WHERE task_id IS NOT NULL;

-- The whole story of an account. An account's entries are written under its
-- row's lock, so that the sequence is their order.
CREATE TABLE {schema}.timeline (
    account_id text COLLATE "C" NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    happened_at timestamptz NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    actor text NOT NULL,
    alert_id uuid,
    case_id uuid,
    PRIMARY KEY (account_id, sequence)
);

CREATE INDEX timeline_by_case ON {schema}.timeline (case_id, sequence) WHERE case_id IS NOT NULL;
