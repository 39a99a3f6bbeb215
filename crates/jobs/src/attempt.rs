//! One attempt at one or more jobs.
