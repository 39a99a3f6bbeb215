-- Models of segments: a segment's accounts may be scored by a model of their own.

ALTER TABLE {schema}.model_activations
    -- The segment whose accounts it is about; NULL: all whose segment has no model of its own.
    ADD COLUMN segment smallint,
    -- NULL: from that day on the segment has no model of its own.
    ALTER COLUMN model_id DROP NOT NULL,
    ADD CONSTRAINT model_activations_say_something CHECK (model_id IS NOT NULL OR segment IS NOT NULL);

-- The segment whose accounts alone a backtest looks at; NULL: all.
ALTER TABLE {schema}.backtests ADD COLUMN segment smallint;
