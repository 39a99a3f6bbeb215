//! The database's errors as a caller sees them.

use std::time::Duration;

use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_storage::{IsConflict, StorageError};

use super::ApiError;
use super::reasons::{COMMON_DOMAIN, reason_text};

const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(1);
const CONFLICT_RETRY_AFTER: Duration = Duration::from_millis(100);

/// A constraint that a use case does not expect to fail, or data that cannot be
/// read, is a fault of ours; a use case that expects one looks at the [`StorageError`] itself.
impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(source) => {
                tracing::warn!(error = %source, "the database is not available");
                Self::common(ErrorReason::StorageUnavailable, "the database cannot be reached now; try again")
                    .with_retry_after(UNAVAILABLE_RETRY_AFTER)
            }
            StorageError::Conflict => {
                Self::common(ErrorReason::Conflict, "the call met others on the same data too often; try again")
                    .with_retry_after(CONFLICT_RETRY_AFTER)
            }
            StorageError::Timeout => Self::common(
                ErrorReason::DeadlineExceeded,
                "the database did not answer in time; ask for less or allow more time",
            ),
            StorageError::UniqueViolation { .. }
            | StorageError::ForeignKeyViolation { .. }
            | StorageError::CheckViolation { .. }
            | StorageError::NotExactlyOne { .. }
            | StorageError::Corrupt(_)
            | StorageError::Internal(_) => Self::internal(error),
        }
    }
}

impl IsConflict for ApiError {
    fn is_conflict(&self) -> bool {
        self.domain() == COMMON_DOMAIN && self.reason() == reason_text(ErrorReason::Conflict)
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_conflict_is_run_anew_and_told_with_a_delay() {
        let error = ApiError::from(StorageError::Conflict);
        assert!(error.is_conflict());
        let status = Status::from(error);
        assert_eq!(status.code(), Code::Aborted);
        let details = status.get_error_details();
        assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("CONFLICT"));
        assert_eq!(details.retry_info().and_then(|info| info.retry_delay), Some(CONFLICT_RETRY_AFTER));
        assert!(!ApiError::common(ErrorReason::EtagMismatch, "read it again").is_conflict());
    }

    #[test]
    fn the_databases_words_never_reach_the_caller() {
        let errors = [
            (StorageError::Corrupt("column secret_column".into()), Code::Internal),
            (StorageError::UniqueViolation { constraint: "secret_key".into() }, Code::Internal),
            (StorageError::NotExactlyOne { rows: 2 }, Code::Internal),
            (StorageError::Timeout, Code::DeadlineExceeded),
        ];
        for (error, code) in errors {
            let status = Status::from(ApiError::from(error));
            assert_eq!(status.code(), code);
            assert!(!status.message().contains("secret"), "{}", status.message());
            assert!(!String::from_utf8_lossy(status.details()).contains("secret"));
        }
    }
}
