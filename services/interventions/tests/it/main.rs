//! The interventions service through its RPCs and the feeds that it hears, on a real PostgreSQL and a real mail relay.

mod after_saved;
mod alerts;
mod at_risk;
mod billing_digest;
mod clocks;
mod detractors;
mod harness;
mod invariant;
mod notices;
mod policies;
mod priority;
mod reports;
mod requests;
mod scoring_peer;
mod twice;
