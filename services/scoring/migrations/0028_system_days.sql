-- On which days each system told what, so that one of two that tell the same is seen to fall silent.
CREATE TABLE {schema}.system_days (
    -- `source` of signals and of what was told of accounts.
    system text COLLATE "C" NOT NULL,
    -- The kind of signals; 0 for the fields of accounts.
    told smallint NOT NULL,
    -- On which it was told, whenever it happened: what is told late is told.
    day date NOT NULL,
    PRIMARY KEY (system, told, day)
);

-- What was told before.
INSERT INTO {schema}.system_days (system, told, day)
SELECT source, kind, (recorded_at AT TIME ZONE 'UTC')::date FROM {schema}.signals GROUP BY 1, 2, 3
UNION ALL
SELECT source, 0, (told_at AT TIME ZONE 'UTC')::date FROM {schema}.field_claims GROUP BY 1, 3;
