-- What customers were exposed to in a span of days, whichever they are: contacts, features given, incidents, closed cases.
-- From here on the amount of an incident is its minutes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS signals_by_kind ON {schema}.signals (kind, event_at) INCLUDE (account_id, name, amount)
    WHERE kind IN (10, 14, 15, 16)
