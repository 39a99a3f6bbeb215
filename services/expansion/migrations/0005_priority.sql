-- By what chances are listed, as of the last look: the score in units of 1/128 point, and the different users that were
-- active in the month looked at.
ALTER TABLE {schema}.candidates ADD COLUMN score integer, ADD COLUMN active_users bigint;

UPDATE {schema}.candidates AS known SET
    score = (SELECT round((criterion ->> 'value')::double precision * 128)::integer
               FROM jsonb_array_elements(known.criteria) AS criterion WHERE criterion ->> 'kind' = 'health' LIMIT 1),
    active_users = (SELECT usage.active_users FROM {schema}.usage_months AS usage
                     WHERE usage.account_id = known.account_id AND usage.month = known.month);

-- The best first: qualified ones, then the others in the order of their states; by score, then by active users.
CREATE INDEX candidates_by_priority ON {schema}.candidates
    ((CASE state WHEN 2 THEN 0 ELSE state END), (-coalesce(score, -1)), (-coalesce(active_users, -1)), account_id, metric);
