//! What vendors are answered: why not, as RFC 9457 has it, or what became of the delivery.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use mainstay_domain::Violations;
use serde_json::{Value, json};

use super::take_in::Taken;

/// When to come again. Zendesk comes again only when it is asked to within a minute.
const RETRY_AFTER_SECONDS: &str = "30";
/// Most faults that are told: a list of 2 MiB has room for hundreds of thousands.
const FAULTS_TOLD_MAX: usize = 20;

/// How a delivery ended.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of it is durable.
    Taken(Taken),
    /// It means nothing here.
    Ignored(String),
    /// It is malformed: each fault with the path of its field.
    Malformed(Violations),
    /// Its signature is not right, or too old.
    Forged(String),
    /// No such vendor, or one without a secret.
    NotConfigured,
    /// It is longer than any should be.
    TooLong,
    /// Its body did not come in time.
    TooSlow,
    /// The account is not known yet: it may be when the vendor comes again.
    UnknownAccount(String),
    /// The database is away, or too much is going on.
    Unavailable,
    /// A fault of ours.
    Failed,
}

impl Answer {
    /// The word of the metric's label.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Taken(taken) if taken.is_repeat() => "duplicate",
            Self::Taken(_) => "recorded",
            Self::Ignored(_) => "ignored",
            Self::Malformed(_) => "malformed",
            Self::Forged(_) => "forged",
            Self::NotConfigured => "not_configured",
            Self::TooLong => "too_long",
            Self::TooSlow => "too_slow",
            Self::UnknownAccount(_) => "unknown_account",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }

    /// What is wrong, for the log; none when nothing is.
    pub(super) fn fault(&self) -> Option<String> {
        match self {
            Self::Taken(_) | Self::Ignored(_) => None,
            Self::Malformed(faults) => {
                let told = faults.iter().take(FAULTS_TOLD_MAX);
                let told: Vec<String> = told.map(|fault| format!("{}: {}", fault.field, fault.description)).collect();
                let more = faults.len() - told.len();
                Some(if more == 0 { told.join("; ") } else { format!("{}; and {more} more", told.join("; ")) })
            }
            other => Some(other.problem().2),
        }
    }

    /// Status, title and detail of what is no success.
    fn problem(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::Taken(_) | Self::Ignored(_) => (StatusCode::OK, "Taken in", String::new()),
            Self::Malformed(faults) => {
                let detail = match faults.len() {
                    count if count > FAULTS_TOLD_MAX => {
                        format!("{count} fields are wrong, of which `errors` has the first {FAULTS_TOLD_MAX}")
                    }
                    _ => "the fields in `errors` are wrong".to_owned(),
                };
                (StatusCode::BAD_REQUEST, "Malformed payload", detail)
            }
            Self::Forged(reason) => (StatusCode::UNAUTHORIZED, "Not believed", reason.clone()),
            Self::NotConfigured => {
                let detail = "no secret is configured for webhooks of this vendor: set webhooks.<vendor>.secret_file";
                (StatusCode::NOT_FOUND, "Not configured", detail.to_owned())
            }
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "Too long", "the body has more than 2 MiB".to_owned()),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Too slow", "the body did not come in time".to_owned()),
            Self::UnknownAccount(name) => {
                let detail =
                    format!("{name} does not exist: it is taken in once the account is created, if it is sent again");
                (StatusCode::SERVICE_UNAVAILABLE, "Unknown account", detail)
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "Not now", "it cannot be taken in now: send it again".to_owned())
            }
            Self::Failed => {
                let detail = "an internal error, which the server's log has: send it again";
                (StatusCode::INTERNAL_SERVER_ERROR, "Failed", detail.to_owned())
            }
        }
    }

    fn problem_body(&self, status: StatusCode, title: &str, detail: &str) -> Value {
        let mut body = json!({"title": title, "status": status.as_u16(), "detail": detail, "outcome": self.outcome()});
        if let Self::Malformed(faults) = self {
            let error = |fault: &mainstay_domain::Violation| json!({"field": fault.field, "detail": fault.description});
            body["errors"] = faults.iter().take(FAULTS_TOLD_MAX).map(error).collect();
        }
        body
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let body = match &self {
            Self::Taken(taken) => json!({
                "outcome": self.outcome(),
                "recorded": taken.recorded,
                "known": taken.known,
                "accounts": {
                    "created": taken.accounts.created,
                    "changed": taken.accounts.changed,
                    "unchanged": taken.accounts.unchanged,
                },
            }),
            Self::Ignored(reason) => json!({"outcome": self.outcome(), "reason": reason}),
            problem => {
                let (status, title, detail) = problem.problem();
                let body = problem.problem_body(status, title, &detail);
                let mut response = (status, body.to_string()).into_response();
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
                }
                return response;
            }
        };
        ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}
