-- Cases, tasks, and contacts with customers.
CREATE TABLE {schema}.cases (
    account_id text COLLATE "C" NOT NULL,
    case_id uuid NOT NULL,
    kind smallint NOT NULL,
    state smallint NOT NULL,
    -- What it is about within the account: a detractor's answer, else empty.
    subject text COLLATE "C" NOT NULL,
    owner_email text NOT NULL CHECK (owner_email <> ''),
    owner_is_fallback boolean NOT NULL,
    currency text,
    revenue_minor_units bigint,
    decline double precision NOT NULL,
    save_chance double precision NOT NULL,
    save_chance_cases integer NOT NULL,
    expected_gain_minor_units bigint,
    opened_at timestamptz NOT NULL,
    state_at timestamptz NOT NULL,
    next_due_at timestamptz,
    has_breach boolean NOT NULL DEFAULT false,
    escalation_count integer NOT NULL DEFAULT 0,
    policy_id text COLLATE "C" NOT NULL,
    policy_version integer NOT NULL,
    -- In units of 1/128 point.
    score_at_open integer,
    score_at_close integer,
    assessment_steps smallint[] NOT NULL DEFAULT '{}',
    root_cause text NOT NULL DEFAULT '',
    plan text NOT NULL DEFAULT '',
    resolution text NOT NULL DEFAULT '',
    what_worked text NOT NULL DEFAULT '',
    has_outbound_touch boolean NOT NULL DEFAULT false,
    contact_id text NOT NULL DEFAULT '',
    survey_score smallint,
    resurvey_score smallint,
    outcome smallint,
    outcome_notes text NOT NULL DEFAULT '',
    resolved_at timestamptz,
    closed_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (account_id, case_id),
    CHECK ((outcome IS NULL) = (closed_at IS NULL)),
    CHECK ((closed_at IS NULL) = (next_due_at IS NOT NULL)),
    CHECK ((currency IS NULL) = (revenue_minor_units IS NULL)),
    CHECK ((currency IS NULL) = (expected_gain_minor_units IS NULL))
);

CREATE UNIQUE INDEX cases_one_open ON {schema}.cases (account_id, kind, subject) WHERE closed_at IS NULL;
CREATE INDEX cases_by_id ON {schema}.cases (case_id);
CREATE INDEX cases_open_by_priority
    ON {schema}.cases ((coalesce(expected_gain_minor_units, -1)) DESC, case_id) WHERE closed_at IS NULL;
CREATE INDEX cases_open_by_owner ON {schema}.cases (owner_email, case_id) WHERE closed_at IS NULL;
CREATE INDEX cases_by_end ON {schema}.cases (closed_at DESC, case_id DESC) WHERE closed_at IS NOT NULL;

-- How many cases ended well and ill, so that a new one need not count them.
CREATE TABLE {schema}.case_outcomes (
    kind smallint NOT NULL,
    segment smallint NOT NULL,
    saved_count integer NOT NULL,
    lost_count integer NOT NULL,
    PRIMARY KEY (kind, segment)
);

CREATE TABLE {schema}.tasks (
    account_id text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    case_id uuid NOT NULL,
    title text NOT NULL,
    owner_email text NOT NULL CHECK (owner_email <> ''),
    resource smallint NOT NULL,
    due_at timestamptz NOT NULL,
    state smallint NOT NULL,
    is_overdue boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (account_id, task_id)
);

CREATE INDEX tasks_by_id ON {schema}.tasks (task_id);
CREATE INDEX tasks_by_case ON {schema}.tasks (case_id, due_at, task_id);
CREATE INDEX tasks_open_by_due ON {schema}.tasks (due_at, task_id) WHERE ended_at IS NULL;

CREATE INDEX tasks_open_by_owner ON {schema}.tasks (owner_email, due_at, task_id) WHERE ended_at IS NULL;

CREATE TABLE {schema}.touches (
    account_id text COLLATE "C" NOT NULL,
    touch_id uuid NOT NULL,
    case_id uuid,
    channel smallint NOT NULL,
    is_outbound boolean NOT NULL,
    is_answered boolean NOT NULL,
    contact_id text NOT NULL,
    summary text NOT NULL,
    touched_at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (account_id, touch_id)
);
