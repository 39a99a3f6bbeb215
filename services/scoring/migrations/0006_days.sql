-- Rows of a day lie together, as a day is scored at once: the medians of a day are found without an index by day.
CREATE INDEX health_history_by_day ON {schema}.health_history USING brin (day) WITH (pages_per_range = 16);

COMMENT ON COLUMN {schema}.count_months.day_sums IS
    'Element n is day n of the month. Days outside of the array''s bounds, and those that are NULL, had nothing.';
COMMENT ON COLUMN {schema}.gauge_months.day_levels IS
    'Element n is day n of the month; both arrays have the same bounds, outside of which there was no level.';
