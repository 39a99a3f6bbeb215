-- Forecast models learnt from whether an account has a renewal date, which is taken from those that left: such a model
-- knew who had left, and its figures flattered it. They are learnt anew, from when renewals are due.
DELETE FROM {schema}.forecast_models;
