-- How deep accounts had fallen when their cases were opened: 1 critical, 2 at risk, 3 above that, 4 without a score. 0: not
-- known, for the case was closed before depths were told apart.
ALTER TABLE {schema}.case_outcomes
    ADD COLUMN depth smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT case_outcomes_pkey,
    ADD PRIMARY KEY (kind, segment, depth);

-- Of the closed cases that the chance is estimated from, those that were as deep.
ALTER TABLE {schema}.cases ADD COLUMN save_chance_alike integer NOT NULL DEFAULT 0;
