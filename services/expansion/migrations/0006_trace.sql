-- W3C traceparent of the report of a month's use; empty when it was not traced. A review goes on in it.
ALTER TABLE {schema}.usage_months ADD COLUMN traceparent text NOT NULL DEFAULT '';
