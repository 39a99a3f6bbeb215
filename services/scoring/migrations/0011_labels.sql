-- What CSMs and customers say against the computed label of an account's health; never part of a score.

CREATE TABLE {schema}.labels (
    account_id text COLLATE "C" NOT NULL,
    label_id uuid NOT NULL,
    -- 1 override, 2 dispute.
    kind smallint NOT NULL,
    -- 1 pending, 2 accepted, 3 rejected, 4 withdrawn, 5 expired.
    state smallint NOT NULL,
    -- The band as they see it; none for a dispute.
    band smallint,
    reason text NOT NULL,
    -- 1 CSM, 2 customer.
    speaker smallint NOT NULL,
    -- Empty: not said.
    contact_email text NOT NULL,
    -- The caller who made it.
    creator text NOT NULL,
    -- The computed health that it was said of; none when the account was not scored yet. The score in units of 1/128 point.
    computed_day date,
    computed_score integer,
    computed_band smallint,
    computed_model_id text COLLATE "C",
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    review_due_at timestamptz NOT NULL,
    -- What the last review found, by whom, and the caller who said so.
    review_words text,
    reviewer_email text,
    review_recorder text,
    reviewed_at timestamptz,
    ended_at timestamptz,
    version bigint NOT NULL,
    PRIMARY KEY (account_id, label_id),
    CHECK ((kind = 1) = (band IS NOT NULL)),
    CHECK ((state IN (1, 2)) = (ended_at IS NULL)),
    CHECK (num_nulls(review_words, reviewer_email, review_recorder, reviewed_at) IN (0, 4))
);
-- One open for an account and kind.
CREATE UNIQUE INDEX labels_open ON {schema}.labels (account_id, kind) WHERE ended_at IS NULL;
CREATE INDEX labels_by_account ON {schema}.labels (account_id, created_at DESC, label_id DESC);
CREATE INDEX labels_by_time ON {schema}.labels (created_at DESC, label_id DESC);
CREATE INDEX labels_open_by_time ON {schema}.labels (created_at DESC, label_id DESC) WHERE ended_at IS NULL;
