-- Invoices are overdue once their due time passed, where payments are told at all.

-- A source that has told of a paid invoice, of any account.
CREATE TABLE {schema}.payment_sources (
    source text COLLATE "C" PRIMARY KEY
);

COMMENT ON COLUMN {schema}.billing_invoices.overdue_at IS
    'From when it was overdue, as it was told or by its due time, whichever is earlier; NULL unless that was before it was settled.';

-- What was told before.

-- Of all that signals say, only an invoice can be paid.
INSERT INTO {schema}.payment_sources
SELECT DISTINCT source FROM {schema}.signal_details WHERE details ->> 'action' = 'paid';
