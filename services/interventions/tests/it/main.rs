//! The interventions service through its RPCs, on a real PostgreSQL.
