-- Health models; never changed once created.
CREATE TABLE {schema}.models (
    model_id text COLLATE "C" PRIMARY KEY,
    -- The model as its YAML text.
    definition text NOT NULL,
    created_at timestamptz NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE
);

-- Which model scores from which day on; of several for one day the last holds.
CREATE TABLE {schema}.model_activations (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id text COLLATE "C" NOT NULL REFERENCES {schema}.models,
    from_day date NOT NULL,
    activated_at timestamptz NOT NULL
);

-- The median of a measure over a segment's accounts at the end of a day; a
-- row with an empty measure says that the day was computed.
CREATE TABLE {schema}.segment_medians (
    model_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    segment smallint NOT NULL,
    measure_id text COLLATE "C" NOT NULL,
    median double precision,
    account_count bigint NOT NULL,
    PRIMARY KEY (model_id, day, segment, measure_id)
);
