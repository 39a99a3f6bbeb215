-- What an account pays in a year: ARR, else twelve times MRR. NULL: not known.
CREATE FUNCTION {schema}.annual_minor_units(arr_minor_units bigint, mrr_minor_units bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT COALESCE(arr_minor_units, mrr_minor_units * 12)';

-- Renewals that are not decided, by due time.
CREATE INDEX accounts_by_renewal ON {schema}.accounts (renewal_at, account_id)
    WHERE archived_at IS NULL AND lifecycle_stage NOT IN (1, 5) AND renewal_at IS NOT NULL;

-- The caller who had it learnt; empty: before that was kept.
ALTER TABLE {schema}.forecast_models ADD COLUMN creator text NOT NULL DEFAULT '';
-- The caller who made it; empty: before that was kept.
ALTER TABLE {schema}.renewal_calls ADD COLUMN creator text NOT NULL DEFAULT '';
