-- All that a digest of billing alerts tells: failed payments (5) and disputes (6) that are open, or whose end was not told.
CREATE INDEX CONCURRENTLY IF NOT EXISTS alerts_billing ON {schema}.alerts (account_id, alert_id)
 WHERE kind IN (5, 6) AND NOT is_end_digested
