//! The fixtures and suites themselves, on the PostgreSQL of this machine.

mod databases;
