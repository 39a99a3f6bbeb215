-- What stories enter into the days of their accounts, of which scores are made.

-- As they were entered last: [[{"sum": series} or {"count": series}, day since 1970, amount], …].
ALTER TABLE {schema}.stories ADD COLUMN entries jsonb NOT NULL DEFAULT '[]';

COMMENT ON COLUMN {schema}.count_months.kind IS '1 a metric''s count, 3 a user''s activities, 4 a feature''s uses, 5 what stories tell.';
COMMENT ON COLUMN {schema}.series_days.kind IS
    '1 a metric''s count, 3 users, 4 features, 5 stories: the name is the source: tickets, billing, surveys or touches.';

-- Stories keep all that was said of a thing, not only what was said last: what held on a past day is a question now.
CREATE TABLE {schema}.told AS
SELECT signal.account_id, signal.kind, signal.name AS story_id, signal.event_at, detail.details, detail.details ->> 'action' AS action,
       jsonb_build_object(
           'at', to_char(signal.event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'rank', array_position(
               CASE signal.kind
                   WHEN 5 THEN ARRAY['opened', 'updated', 'escalated', 'resolved', 'reopened']
                   WHEN 6 THEN ARRAY['issued', 'payment_failed', 'overdue', 'paid', 'voided']
                   ELSE ARRAY['opened', 'closed'] END,
               detail.details ->> 'action'),
           'source', signal.source,
           'source_id', signal.source_id) AS stamp
  FROM {schema}.signals AS signal
  JOIN {schema}.signal_details AS detail USING (account_id, source, source_id)
 WHERE signal.kind IN (5, 6, 7);

-- Each story's signals once, whatever their number.
CREATE TABLE {schema}.retold AS
SELECT account_id, kind, story_id,
       (array_agg(stamp ORDER BY event_at, (stamp ->> 'rank')::integer, stamp ->> 'source', stamp ->> 'source_id'))[1] AS first_told,
       coalesce(jsonb_agg(jsonb_build_array(stamp, action)) FILTER (WHERE action <> 'updated'), '[]') AS moves,
       coalesce(jsonb_agg(jsonb_build_array(stamp, details -> 'priority')) FILTER (WHERE details ->> 'priority' IS NOT NULL), '[]')
           AS priorities,
       coalesce(jsonb_agg(jsonb_build_array(stamp, details -> 'satisfaction'))
                FILTER (WHERE details ->> 'satisfaction' IS NOT NULL), '[]') AS ratings,
       coalesce(jsonb_agg(jsonb_build_array(stamp, details -> 'failure_reason')) FILTER (WHERE action = 'payment_failed'), '[]')
           AS failures,
       (array_agg(stamp ORDER BY event_at, stamp ->> 'source', stamp ->> 'source_id') FILTER (WHERE action = 'overdue'))[1] AS overdue
  FROM {schema}.told GROUP BY account_id, kind, story_id;

UPDATE {schema}.stories AS story
   SET state = CASE story.kind
           WHEN 5 THEN (state - 'last_move' - 'priority' - 'satisfaction' - 'escalations' - 'reopenings') || jsonb_build_object(
               'first_told', first_told, 'moves', moves, 'priorities', priorities, 'ratings', ratings,
               'first_response_at', NULL, 'sentiments', '[]'::jsonb)
           WHEN 6 THEN (state - 'failure_reason') || jsonb_build_object('failures', failures, 'overdue', overdue)
           ELSE (state - 'last_action') || jsonb_build_object('actions', moves) END
  FROM {schema}.retold AS retold
 WHERE (retold.account_id, retold.kind, retold.story_id) = (story.account_id, story.kind, story.story_id);

DROP TABLE {schema}.retold;
DROP TABLE {schema}.told;
