-- Survey programmes.
CREATE TABLE {schema}.programs (
    program_id text COLLATE "C" PRIMARY KEY,
    display_name text NOT NULL,
    kind smallint NOT NULL,
    -- When it asks, and what it says; written and read by the domain's types.
    trigger jsonb NOT NULL,
    texts jsonb NOT NULL,
    -- Empty: all.
    segments smallint[] NOT NULL,
    contacts_max integer NOT NULL,
    daily_cap integer,
    reminder_days integer,
    expiry_days integer NOT NULL,
    send_hour integer NOT NULL,
    state smallint NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    published_at timestamptz
);

-- How many were asked by a programme that has a cap, on a day (UTC).
CREATE TABLE {schema}.program_days (
    program_id text COLLATE "C" NOT NULL REFERENCES {schema}.programs,
    day date NOT NULL,
    asked_count integer NOT NULL,
    PRIMARY KEY (program_id, day)
);
