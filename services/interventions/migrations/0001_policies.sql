-- Policies, each version of them: what is due when, and who hears of it.
CREATE TABLE {schema}.policies (
    policy_id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    PRIMARY KEY (policy_id, version)
);
