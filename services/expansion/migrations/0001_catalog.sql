-- Plans: a row is a version, which never changes but for being published.
CREATE TABLE {schema}.plan_versions (
    plan_id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    display_name text NOT NULL,
    description text NOT NULL,
    -- [{"metric": …, "limit": …}], [{"period": …, "basis": …, "currency": …, "minor_units": …}]
    limits jsonb NOT NULL,
    included_seats bigint NOT NULL,
    features jsonb NOT NULL,
    prices jsonb NOT NULL,
    upgrade_plan_id text COLLATE "C",
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (plan_id, version)
);

-- Policies of stages: the one of the highest version is in force.
CREATE TABLE {schema}.stage_policies (
    stage smallint NOT NULL,
    version integer NOT NULL,
    due_days integer NOT NULL,
    items jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (stage, version)
);
