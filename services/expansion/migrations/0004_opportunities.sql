-- Opportunities. Stages: 1 identified, 2 data prepared, 3 first conversation, 4 proposal, 5 decision, 6 closing,
-- 7 won, 8 lost, 9 postponed.
CREATE TABLE {schema}.opportunities (
    account_id text COLLATE "C" NOT NULL,
    opportunity_id uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    stage smallint NOT NULL,
    postponed_stage smallint,
    postponed_until timestamptz,
    owner_email text NOT NULL,
    owner_is_fallback boolean NOT NULL,
    current_plan_id text COLLATE "C",
    target_plan_id text COLLATE "C",
    -- Gains a year, expected and won.
    expected_currency text,
    expected_minor_units bigint,
    won_currency text,
    won_minor_units bigint,
    checklist jsonb NOT NULL,
    due_at timestamptz,
    overdue_at timestamptz,
    held_at timestamptz,
    -- What was left of the stage's time when it was put on hold.
    held_seconds bigint,
    holds jsonb NOT NULL,
    hand_over jsonb,
    lost_reason smallint,
    note text NOT NULL,
    criteria jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    stage_at timestamptz NOT NULL,
    closed_at timestamptz,
    version bigint NOT NULL,
    PRIMARY KEY (account_id, opportunity_id),
    CHECK ((expected_currency IS NULL) = (expected_minor_units IS NULL)),
    CHECK ((won_currency IS NULL) = (won_minor_units IS NULL)),
    CHECK ((closed_at IS NULL) = (stage NOT IN (7, 8))),
    -- An open one has an owner, and is due at some time unless it is on hold.
    CHECK (owner_email <> ''),
    CHECK (closed_at IS NOT NULL OR (due_at IS NULL) = (held_at IS NOT NULL))
);

-- At most one open opportunity for an account and metric.
CREATE UNIQUE INDEX opportunities_open ON {schema}.opportunities (account_id, metric) WHERE closed_at IS NULL;
CREATE INDEX opportunities_by_due ON {schema}.opportunities
    ((closed_at IS NOT NULL), (coalesce(due_at, 'infinity'::timestamptz)), account_id, opportunity_id);
CREATE INDEX opportunities_by_owner ON {schema}.opportunities (owner_email);

-- What happened to opportunities. Kinds as `TimelineKind` of the domain.
CREATE TABLE {schema}.timeline (
    account_id text COLLATE "C" NOT NULL,
    opportunity_id uuid NOT NULL,
    number integer NOT NULL,
    kind smallint NOT NULL,
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    from_stage smallint,
    to_stage smallint,
    text text NOT NULL,
    PRIMARY KEY (account_id, opportunity_id, number)
);
