//! What can go wrong with the database, told by SQLSTATE and never by the error's text.

use sqlx::postgres::PgQueryResult;
use thiserror::Error;

/// Why the database did not do what was asked.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The database cannot be reached, is starting or stopping, or has no connection or resources left.
    /// After a commit, it is not known whether it took effect.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The transaction met another one (SQLSTATE 40001, 40P01); run anew, it may succeed.
    #[error("the transaction met another one")]
    Conflict,
    /// The statement ran, waited for a lock, or left its transaction idle for longer than it may.
    #[error("the database took too long")]
    Timeout,
    /// A row with the same key is there already (SQLSTATE 23505).
    #[error("the unique constraint {constraint} does not hold")]
    UniqueViolation {
        /// The constraint's or unique index's name.
        constraint: String,
    },
    /// The row that is referred to is not there, or still referred to (SQLSTATE 23503).
    #[error("the foreign key {constraint} does not hold")]
    ForeignKeyViolation {
        /// The constraint's name.
        constraint: String,
    },
    /// A value is outside of what its column may hold (SQLSTATE 23514).
    #[error("the check {constraint} does not hold")]
    CheckViolation {
        /// The constraint's name.
        constraint: String,
    },
    /// A statement that must concern one row concerned another number of rows.
    #[error("one row was expected, {rows} were found")]
    NotExactlyOne {
        /// How many rows it concerned.
        rows: u64,
    },
    /// What is stored cannot be read as what it should be.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// Anything else: a fault in the program or in the database's setup.
    #[error("the database refused the statement")]
    Internal(#[source] sqlx::Error),
}

/// Tells whether running the transaction anew may succeed.
pub trait IsConflict {
    /// Whether the error comes from meeting another transaction.
    fn is_conflict(&self) -> bool;
}

impl IsConflict for StorageError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database_error) => {
                let code = database_error.code().unwrap_or_default().into_owned();
                let constraint = database_error.constraint().unwrap_or_default().to_owned();
                Self::from_sqlstate(&code, constraint, error)
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::RowNotFound => Self::NotExactlyOne { rows: 0 },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            _ => Self::Internal(error),
        }
    }
}

impl StorageError {
    /// Codes from <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn from_sqlstate(code: &str, constraint: String, error: sqlx::Error) -> Self {
        match code {
            // serialization_failure, deadlock_detected
            "40001" | "40P01" => Self::Conflict,
            // query_canceled, lock_not_available, idle_in_transaction_session_timeout, transaction_timeout
            "57014" | "55P03" | "25P03" | "25P04" => Self::Timeout,
            "23505" => Self::UniqueViolation { constraint },
            "23503" => Self::ForeignKeyViolation { constraint },
            "23514" => Self::CheckViolation { constraint },
            // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout; read_only_sql_transaction:
            // the connection leads to a standby, as after a failover
            "57P01" | "57P02" | "57P03" | "57P05" | "25006" => Self::Unavailable(error),
            // connection_exception; insufficient_resources: disk, memory, connections
            _ if code.starts_with("08") || code.starts_with("53") => Self::Unavailable(error),
            _ => Self::Internal(error),
        }
    }
}

/// Checks that a statement concerned one row, as each UPDATE or DELETE by id must.
///
/// # Errors
/// [`StorageError::NotExactlyOne`] otherwise.
pub fn exactly_one(result: &PgQueryResult) -> Result<(), StorageError> {
    match result.rows_affected() {
        1 => Ok(()),
        rows => Err(StorageError::NotExactlyOne { rows }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_code(code: &str) -> StorageError {
        StorageError::from_sqlstate(code, "the_constraint".to_owned(), sqlx::Error::BeginFailed)
    }

    #[test]
    fn codes_have_their_meaning() {
        for conflict in ["40001", "40P01"] {
            assert!(of_code(conflict).is_conflict(), "{conflict}");
        }
        for timeout in ["57014", "55P03", "25P03", "25P04"] {
            assert!(matches!(of_code(timeout), StorageError::Timeout), "{timeout}");
        }
        for gone in ["08006", "53300", "53100", "57P01", "57P02", "57P03", "57P05", "25006"] {
            assert!(matches!(of_code(gone), StorageError::Unavailable(_)), "{gone}");
        }
        for fault in ["42P01", "42501", "25P02", "23502", "XX000", ""] {
            assert!(matches!(of_code(fault), StorageError::Internal(_)), "{fault}");
        }
        let is_named = |constraint: &str| constraint == "the_constraint";
        assert!(matches!(of_code("23505"), StorageError::UniqueViolation { constraint } if is_named(&constraint)));
        assert!(matches!(of_code("23503"), StorageError::ForeignKeyViolation { constraint } if is_named(&constraint)));
        assert!(matches!(of_code("23514"), StorageError::CheckViolation { constraint } if is_named(&constraint)));
    }

    #[test]
    fn the_driver_s_errors_have_their_meaning() {
        assert!(matches!(StorageError::from(sqlx::Error::PoolTimedOut), StorageError::Unavailable(_)));
        assert!(matches!(StorageError::from(sqlx::Error::RowNotFound), StorageError::NotExactlyOne { rows: 0 }));
        assert!(matches!(StorageError::from(sqlx::Error::Decode("no".into())), StorageError::Corrupt(_)));
    }

    #[test]
    fn what_the_database_said_is_not_shown() {
        let error = StorageError::from(sqlx::Error::Protocol("secret".to_owned()));
        assert!(!error.to_string().contains("secret"));
    }
}
