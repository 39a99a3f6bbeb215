-- The people behind mail addresses: when they were last asked, by whatever programme and for whatever account, and
-- whether they want to be. The address is in lower case.
CREATE TABLE {schema}.recipients (
    address text COLLATE "C" PRIMARY KEY,
    last_asked_at timestamptz,
    opted_out_at timestamptz
);

-- Invitations, and decisions not to ask: one for each programme, occasion and contact.
CREATE TABLE {schema}.invitations (
    account_id text COLLATE "C" NOT NULL,
    invitation_id uuid NOT NULL,
    program_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    occasion text NOT NULL,
    -- Empty for a decision on the account as a whole.
    contact_id text NOT NULL,
    address text NOT NULL,
    -- The account's segment at the time.
    segment smallint NOT NULL,
    state smallint NOT NULL,
    -- Why nobody was asked.
    reason smallint,
    created_at timestamptz NOT NULL,
    reminded_at timestamptz,
    expires_at timestamptz,
    response_id uuid,
    -- The earlier answer that this one is to be compared with.
    resurvey_of uuid,
    PRIMARY KEY (account_id, invitation_id)
);
CREATE UNIQUE INDEX invitations_once ON {schema}.invitations (account_id, program_id, occasion, contact_id);
-- Links carry nothing but the invitation's id. Not unique: that it is, its making sees to, and a unique index would have to
-- hold the account too on a database that is spread by account.
CREATE INDEX invitations_by_id ON {schema}.invitations (invitation_id);
CREATE INDEX invitations_by_time ON {schema}.invitations (created_at DESC, invitation_id DESC);
CREATE INDEX invitations_by_program ON {schema}.invitations (program_id, created_at DESC, invitation_id DESC);
