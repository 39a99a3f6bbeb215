//! Fixtures for tests: a database each, a clock turned by hand, shared suites.
