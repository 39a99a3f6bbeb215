-- What customers answered.
CREATE TABLE {schema}.responses (
    account_id text COLLATE "C" NOT NULL,
    response_id uuid NOT NULL,
    program_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    contact_id text NOT NULL,
    address text NOT NULL,
    score integer NOT NULL,
    -- What the score stands for.
    category smallint NOT NULL,
    comment text NOT NULL,
    invitation_id uuid,
    responded_at timestamptz NOT NULL,
    -- For a resurvey: the earlier answer, and its score.
    resurvey_of uuid,
    previous_score integer,
    channel text NOT NULL,
    -- The account's segment at the time.
    segment smallint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, response_id),
    CHECK ((resurvey_of IS NULL) = (previous_score IS NULL))
);
-- One answer to an invitation.
CREATE UNIQUE INDEX responses_by_invitation ON {schema}.responses (account_id, invitation_id);
CREATE INDEX responses_by_time ON {schema}.responses (responded_at DESC, response_id DESC);
CREATE INDEX responses_by_program ON {schema}.responses (program_id, responded_at DESC, response_id DESC);
