-- What reports of service and of customers who can be named as references count, ready to be read across accounts: what stories of
-- tickets and answers to surveys told, in columns instead of JSON. Written in the transaction of the signal.

-- A ticket, as its story says by now; of everything the first time that it happened.
CREATE TABLE {schema}.ticket_resolutions (
    account_id text COLLATE "C" NOT NULL,
    ticket_id text COLLATE "C" NOT NULL,
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    resolved_at timestamptz,
    reopened_at timestamptz,
    escalated_at timestamptz,
    -- By what was told so far; NULL as long as it is not resolved.
    at_first_contact boolean,
    -- The newest of these times.
    newest_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, ticket_id),
    CHECK ((resolved_at IS NULL) = (at_first_contact IS NULL))
);
-- Whatever happened to a ticket after a time, its newest time is after it.
CREATE INDEX ticket_resolutions_by_time ON {schema}.ticket_resolutions (newest_at);

-- An answer to a survey. Questions: 1 NPS, 2 CSAT, 3 CES.
CREATE TABLE {schema}.survey_answers (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    question smallint NOT NULL,
    score integer NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, source, source_id)
);
CREATE INDEX survey_answers_by_time ON {schema}.survey_answers (question, answered_at) INCLUDE (account_id, score);

-- What was told before.

-- Stories keep when the customer wrote, but for what opened the ticket.
UPDATE {schema}.stories AS story
   SET state = story.state || jsonb_build_object('customer_wrote_at', wrote.times)
  FROM (SELECT account_id, name AS story_id,
               jsonb_agg(to_char(event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ORDER BY event_at) AS times
          FROM {schema}.signals JOIN {schema}.signal_details USING (account_id, source, source_id)
         WHERE kind = 5 AND details ->> 'action' <> 'opened' AND details ->> 'text' <> ''
         GROUP BY 1, 2) AS wrote
 WHERE story.kind = 5 AND (story.account_id, story.story_id) = (wrote.account_id, wrote.story_id);

INSERT INTO {schema}.ticket_resolutions (account_id, ticket_id, opened_at, answered_at, resolved_at, reopened_at, escalated_at,
                                         at_first_contact, newest_at)
SELECT account_id, story_id, opened_at, answered_at, resolved_at, reopened_at, escalated_at,
       CASE WHEN resolved_at IS NOT NULL THEN
           COALESCE(LEAST(reopened_at, escalated_at) > resolved_at + interval '168 hours', true)
           AND NOT EXISTS (SELECT FROM jsonb_array_elements_text(COALESCE(state -> 'customer_wrote_at', '[]')) AS wrote (at)
                            WHERE wrote.at::timestamptz > opened_at AND wrote.at::timestamptz < resolved_at) END,
       GREATEST(opened_at, answered_at, resolved_at, reopened_at, escalated_at)
  FROM (SELECT account_id, story_id, state, (state #>> '{first_told,at}')::timestamptz AS opened_at
          FROM {schema}.stories WHERE kind = 5 AND state #>> '{first_told,at}' IS NOT NULL) AS story
 CROSS JOIN LATERAL (SELECT CASE WHEN at >= opened_at THEN at END AS answered_at
                       FROM (SELECT COALESCE(state #>> '{said_first_response_at,1}', state ->> 'first_response_at')::timestamptz)
                            AS answer (at)) AS answered
 CROSS JOIN LATERAL (SELECT min((told #>> '{0,at}')::timestamptz) FILTER (WHERE told ->> 1 = 'resolved') AS resolved_at,
                            min((told #>> '{0,at}')::timestamptz) FILTER (WHERE told ->> 1 = 'escalated') AS escalated_at
                       FROM jsonb_array_elements(state -> 'moves') AS told) AS moved
 CROSS JOIN LATERAL (SELECT min((told #>> '{0,at}')::timestamptz) AS reopened_at
                       FROM jsonb_array_elements(state -> 'moves') AS told
                      WHERE told ->> 1 = 'reopened'
                         OR (told ->> 1 = 'opened' AND (told #>> '{0,at}')::timestamptz > resolved_at)) AS again;

INSERT INTO {schema}.survey_answers (account_id, source, source_id, question, score, answered_at)
SELECT account_id, source, source_id, CASE details ->> 'question' WHEN 'nps' THEN 1 WHEN 'csat' THEN 2 ELSE 3 END,
       (details ->> 'score')::integer, event_at
  FROM {schema}.signals JOIN {schema}.signal_details USING (account_id, source, source_id)
 WHERE kind = 9;
