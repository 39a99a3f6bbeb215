-- Who is near a limit of its plan, for reports: of the month told last, the metric whose limit is used most, and its share. NULL where
-- none is near, and for months told before.
ALTER TABLE {schema}.plan_usage_reports
    ADD COLUMN near_limit_metric text,
    ADD COLUMN near_limit_share double precision;
