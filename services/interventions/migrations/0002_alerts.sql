-- Alerts. The checks are the promise of the service: what is open has somebody
-- who looks after it and a moment at which something is due.
CREATE TABLE {schema}.alerts (
    account_id text COLLATE "C" NOT NULL,
    alert_id uuid NOT NULL,
    kind smallint NOT NULL,
    subject text COLLATE "C" NOT NULL,
    headline text NOT NULL,
    details text[] NOT NULL,
    state smallint NOT NULL,
    severity smallint NOT NULL,
    owner_email text NOT NULL CHECK (owner_email <> ''),
    owner_is_fallback boolean NOT NULL,
    happened_at timestamptz NOT NULL,
    occurrence_count integer NOT NULL CHECK (occurrence_count > 0),
    last_occurred_at timestamptz NOT NULL,
    next_due_at timestamptz,
    has_breach boolean NOT NULL DEFAULT false,
    escalation_count integer NOT NULL DEFAULT 0,
    policy_id text COLLATE "C" NOT NULL,
    policy_version integer NOT NULL,
    case_id uuid,
    -- In units of 1/128 point.
    score integer,
    assessment text NOT NULL DEFAULT '',
    immediate_action_needed boolean NOT NULL DEFAULT false,
    plan text NOT NULL DEFAULT '',
    execution text NOT NULL DEFAULT '',
    follow_up text NOT NULL DEFAULT '',
    resolution smallint,
    resolution_notes text NOT NULL DEFAULT '',
    closed_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (account_id, alert_id),
    CHECK ((resolution IS NULL) = (closed_at IS NULL)),
    CHECK ((closed_at IS NULL) = (next_due_at IS NOT NULL))
);

CREATE UNIQUE INDEX alerts_one_open ON {schema}.alerts (account_id, kind, subject) WHERE closed_at IS NULL;
CREATE INDEX alerts_by_id ON {schema}.alerts (alert_id);
CREATE INDEX alerts_open_by_due ON {schema}.alerts (next_due_at, alert_id) WHERE closed_at IS NULL;
CREATE INDEX alerts_open_by_owner ON {schema}.alerts (owner_email, next_due_at, alert_id) WHERE closed_at IS NULL;
CREATE INDEX alerts_by_end ON {schema}.alerts (closed_at DESC, alert_id DESC) WHERE closed_at IS NOT NULL;
CREATE INDEX alerts_by_case ON {schema}.alerts (case_id) WHERE case_id IS NOT NULL;
