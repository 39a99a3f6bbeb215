-- Whether who activated a model accepted that no backtest had tried it.
ALTER TABLE {schema}.model_activations ADD COLUMN accepted_untried boolean NOT NULL DEFAULT false;
