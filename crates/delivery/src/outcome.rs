//! How an attempt ended.

use chrono::TimeDelta;

/// How an attempt ended, as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The other side took the message.
    Sent,
    /// It did not; it may later.
    Failed,
    /// It will not, however often it is tried.
    Refused,
}

impl AttemptOutcome {
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Refused => 3,
        }
    }

    pub(crate) const fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Sent),
            2 => Some(Self::Failed),
            3 => Some(Self::Refused),
            _ => None,
        }
    }
}

/// What a sender says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: AttemptOutcome,
    /// Of HTTP or SMTP, if there was an answer.
    pub(crate) status_code: Option<u16>,
    /// What went wrong; none when it was sent.
    pub(crate) error: Option<String>,
    /// How long the receiver asked to be left alone.
    pub(crate) retry_after: Option<TimeDelta>,
    /// Whether the receiver says that it is gone for good: its destination is disabled.
    pub(crate) is_gone: bool,
}

impl Verdict {
    pub(crate) fn sent(status_code: Option<u16>) -> Self {
        Self { outcome: AttemptOutcome::Sent, status_code, error: None, retry_after: None, is_gone: false }
    }

    pub(crate) fn failed(status_code: Option<u16>, error: impl Into<String>) -> Self {
        let error = Some(error.into());
        Self { outcome: AttemptOutcome::Failed, status_code, error, retry_after: None, is_gone: false }
    }

    pub(crate) fn refused(status_code: Option<u16>, error: impl Into<String>) -> Self {
        Self { outcome: AttemptOutcome::Refused, ..Self::failed(status_code, error) }
    }
}
