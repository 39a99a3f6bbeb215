-- W3C trace context of whoever made the job due; empty when that was not traced.
ALTER TABLE {schema}.jobs ADD COLUMN traceparent text NOT NULL DEFAULT '';
