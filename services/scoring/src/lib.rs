//! The scoring service: accounts, signals, models, health.
