-- What the daily digest of billing alerts has told of an alert: that it was raised, and that it has ended.
ALTER TABLE {schema}.alerts
    ADD COLUMN is_raise_digested boolean NOT NULL DEFAULT false,
    ADD COLUMN is_end_digested boolean NOT NULL DEFAULT false;
