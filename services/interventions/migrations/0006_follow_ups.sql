-- Whether the follow-up of an alert found the issue resolved; NULL before there is one. Those of before did not say; they could be
-- closed as resolved.
ALTER TABLE {schema}.alerts ADD COLUMN issue_resolved boolean;
UPDATE {schema}.alerts SET issue_resolved = true WHERE follow_up <> '';

-- Within which time a call is to be scheduled was the same for all cases at risk.
UPDATE {schema}.policies SET definition = definition || '{"call_within_seconds": 172800}'
 WHERE policy_id = 'case_at_risk' OR policy_id LIKE 'case\_at\_risk.%';
