-- What reports of revenue and of requested features count, ready to be read across accounts: what stories and signals told, in
-- columns instead of JSON. Written in the transaction of the signal.

-- An invoice that is or was unpaid, or was voided; as its story says by now.
CREATE TABLE {schema}.billing_invoices (
    account_id text COLLATE "C" NOT NULL,
    invoice_id text COLLATE "C" NOT NULL,
    -- The first failed payment, and when it was told to be overdue; each NULL unless it was before it was settled.
    first_failed_at timestamptz,
    overdue_at timestamptz,
    -- The earlier of the two.
    unpaid_since timestamptz,
    -- That, or when it was due, if that is earlier.
    aged_since timestamptz,
    failed_attempt_count integer NOT NULL,
    settled_at timestamptz,
    -- 1 paid, 2 voided.
    settlement smallint,
    currency text,
    minor_units bigint,
    PRIMARY KEY (account_id, invoice_id),
    CHECK ((settled_at IS NULL) = (settlement IS NULL)),
    CHECK ((unpaid_since IS NULL) = (aged_since IS NULL)),
    CHECK ((currency IS NULL) = (minor_units IS NULL))
);
-- Whatever happened to an invoice after a time, it was settled after it or is not settled.
CREATE INDEX billing_invoices_by_end ON {schema}.billing_invoices ((COALESCE(settled_at, 'infinity')));

-- From when to when a dispute was open.
CREATE TABLE {schema}.billing_disputes (
    account_id text COLLATE "C" NOT NULL,
    dispute_id text COLLATE "C" NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    -- In dispute, as it was told last.
    currency text,
    minor_units bigint,
    PRIMARY KEY (account_id, dispute_id, opened_at),
    CHECK ((currency IS NULL) = (minor_units IS NULL))
);
CREATE INDEX billing_disputes_by_end ON {schema}.billing_disputes ((COALESCE(closed_at, 'infinity')));

-- Money that was given back. Kinds: 1 refund, 2 credit note.
CREATE TABLE {schema}.billing_credits (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    event_at timestamptz NOT NULL,
    currency text NOT NULL,
    minor_units bigint NOT NULL,
    PRIMARY KEY (account_id, source, source_id)
);
CREATE INDEX billing_credits_by_time ON {schema}.billing_credits (event_at);

-- Features that were asked for (13) and given (14), by the kind of the signal.
CREATE TABLE {schema}.feature_signals (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    feature text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, source, source_id)
);
CREATE INDEX feature_signals_by_time ON {schema}.feature_signals (kind, event_at) INCLUDE (feature, account_id);

-- What was told before.

INSERT INTO {schema}.billing_invoices
SELECT account_id, story_id, first_failed_at, overdue_at, LEAST(first_failed_at, overdue_at),
       CASE WHEN COALESCE(first_failed_at, overdue_at) IS NOT NULL THEN LEAST(first_failed_at, overdue_at, due_at) END,
       failed_attempt_count, settled_at, settlement, currency, minor_units
  FROM (SELECT account_id, story_id,
               CASE WHEN settled_at IS NULL OR failed_at < settled_at THEN failed_at END AS first_failed_at,
               CASE WHEN settled_at IS NULL OR told_overdue_at < settled_at THEN told_overdue_at END AS overdue_at,
               due_at, failed_attempt_count, settled_at,
               CASE rank WHEN 4 THEN 1 WHEN 5 THEN 2 END AS settlement, currency, minor_units
          FROM (SELECT account_id, story_id,
                       (SELECT min((failure #>> '{0,at}')::timestamptz) FROM jsonb_array_elements(state -> 'failures') AS failure)
                           AS failed_at,
                       (state #>> '{overdue,at}')::timestamptz AS told_overdue_at,
                       (state #>> '{due_at,1}')::timestamptz AS due_at,
                       jsonb_array_length(state -> 'failures') AS failed_attempt_count,
                       (state #>> '{settled,at}')::timestamptz AS settled_at,
                       (state #>> '{settled,rank}')::integer AS rank,
                       state #>> '{amount,1,currency}' AS currency,
                       (state #>> '{amount,1,minor_units}')::bigint AS minor_units
                  FROM {schema}.stories WHERE kind = 6) AS told) AS counted
 WHERE first_failed_at IS NOT NULL OR overdue_at IS NOT NULL OR settlement = 2;

INSERT INTO {schema}.billing_disputes
SELECT account_id, story_id, at, closed_at, currency, minor_units
  FROM (SELECT account_id, story_id, action, at, lead(at) OVER story AS closed_at, currency, minor_units
          FROM (SELECT account_id, story_id, told ->> 1 AS action, (told #>> '{0,at}')::timestamptz AS at,
                       (told #>> '{0,rank}')::integer AS rank,
                       lag(told ->> 1) OVER (PARTITION BY account_id, story_id
                                             ORDER BY (told #>> '{0,at}')::timestamptz, (told #>> '{0,rank}')::integer)
                           AS action_before,
                       state #>> '{amount,1,currency}' AS currency, (state #>> '{amount,1,minor_units}')::bigint AS minor_units
                  FROM {schema}.stories CROSS JOIN jsonb_array_elements(state -> 'actions') AS told
                 WHERE kind = 7) AS told
         WHERE action IS DISTINCT FROM action_before
        WINDOW story AS (PARTITION BY account_id, story_id ORDER BY at, rank)) AS turns
 WHERE action = 'opened';

INSERT INTO {schema}.billing_credits
SELECT account_id, source, source_id, CASE details ->> 'kind' WHEN 'refund' THEN 1 ELSE 2 END, event_at,
       details #>> '{amount,currency}', (details #>> '{amount,minor_units}')::bigint
  FROM {schema}.signals JOIN {schema}.signal_details USING (account_id, source, source_id)
 WHERE kind = 12;

INSERT INTO {schema}.feature_signals
SELECT account_id, source, source_id, kind, name, event_at FROM {schema}.signals WHERE kind IN (13, 14);
