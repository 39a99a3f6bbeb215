-- The newest that vendors told of accounts through webhooks, by what it was about: older news, and a repeat, change nothing.
CREATE TABLE {schema}.account_news (
    account_id text COLLATE "C" NOT NULL,
    -- For example `segment/group`, or `segment/contact/u1`.
    subject text COLLATE "C" NOT NULL,
    told_at timestamptz NOT NULL,
    -- Rises with what usually comes later, among news of one time.
    rank smallint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, subject)
);
