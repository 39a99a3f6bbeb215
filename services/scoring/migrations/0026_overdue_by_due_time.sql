-- Invoices are overdue once their due time passed, where payments are told at all.

-- A source that has told of a paid invoice, of any account.
CREATE TABLE {schema}.payment_sources (
    source text COLLATE "C" PRIMARY KEY,
    -- When it told of an invoice last, to the hour.
    heard_at timestamptz NOT NULL,
    -- When it was heard from again after a silence; NULL: there was none.
    back_at timestamptz
);

COMMENT ON COLUMN {schema}.billing_invoices.overdue_at IS
    'From when it was overdue, as it was told or by its due time, whichever is earlier; NULL unless that was before it was settled.';

-- What was told before.

-- Of all that signals say, only an invoice can be paid.
INSERT INTO {schema}.payment_sources (source, heard_at)
SELECT details.source, max(signals.recorded_at)
  FROM {schema}.signal_details AS details JOIN {schema}.signals USING (account_id, source, source_id)
 WHERE details.details ->> 'action' = 'paid' GROUP BY details.source;
