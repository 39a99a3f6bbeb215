//! PostgreSQL: pool, transactions, migrations, idempotency records, errors.
