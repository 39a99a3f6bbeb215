-- When the intervention of a case at risk began: recovery is counted from then on.
ALTER TABLE {schema}.cases ADD COLUMN intervening_at timestamptz;

-- What a customer said in a discovery call.
ALTER TABLE {schema}.touches
    ADD COLUMN challenges text NOT NULL DEFAULT '',
    ADD COLUMN changed_needs text NOT NULL DEFAULT '';

-- What worked before in saved cases, for talking points.
CREATE INDEX cases_saved ON {schema}.cases (closed_at DESC) WHERE outcome = 1 AND what_worked <> '';
