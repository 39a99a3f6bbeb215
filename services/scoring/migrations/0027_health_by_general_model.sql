-- What the general model reads of an account that its segment's own model scores, as of the same day: forecasts are made of it. NULL
-- where the general model scores the account itself, and until it is scored again.
ALTER TABLE {schema}.health
    ADD COLUMN general_model_id text COLLATE "C",
    ADD COLUMN general_measure_values double precision[],
    ADD COLUMN general_coverage double precision;
