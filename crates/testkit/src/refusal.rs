//! What a refusal says, for the suites.

use std::fmt::Debug;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The reason in a status's `google.rpc.ErrorInfo`; empty when it has none.
pub(crate) fn reason_of(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Asserts that `answer` is a refusal with this code, and with this reason if one is given.
#[track_caller]
pub(crate) fn assert_refused<T: Debug>(what: &str, answer: Result<T, Status>, code: Code, reason: Option<&str>) {
    match answer {
        Ok(answer) => panic!("{what} must be refused with {code:?}, but the answer was {answer:?}"),
        Err(status) => {
            let found = reason_of(&status);
            let is_expected = status.code() == code && reason.is_none_or(|reason| found == reason);
            assert!(
                is_expected,
                "{what} must be refused with {code:?} {}, but it was with {:?} {found}: {}",
                reason.unwrap_or_default(),
                status.code(),
                status.message()
            );
        }
    }
}

#[cfg(test)]
pub(crate) fn refusal(code: Code, reason: &str) -> Status {
    let details = tonic_types::ErrorDetails::with_error_info(reason, "test.mainstay", []);
    Status::with_error_details(code, format!("refused: {reason}"), details)
}
