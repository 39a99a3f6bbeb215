-- Milestones of before enter the days of their accounts, as they do by now when they are told.
INSERT INTO {schema}.count_months (account_id, kind, name, month, day_sums)
SELECT account_id, 5, 'milestones', month,
       ARRAY(SELECT count(place) FROM generate_series(1, max_place) AS days (day) LEFT JOIN unnest(places) AS place ON place = day
              GROUP BY day ORDER BY day)
  FROM (SELECT account_id, date_trunc('month', event_at AT TIME ZONE 'UTC')::date AS month,
               array_agg(extract(day FROM event_at AT TIME ZONE 'UTC')::integer) AS places,
               max(extract(day FROM event_at AT TIME ZONE 'UTC')::integer) AS max_place
          FROM {schema}.signals WHERE kind = 8 AND name = 'milestone'
         GROUP BY 1, 2) AS told;

INSERT INTO {schema}.series_days (kind, name, day)
SELECT DISTINCT 5, 'milestones', (event_at AT TIME ZONE 'UTC')::date FROM {schema}.signals WHERE kind = 8 AND name = 'milestone';
