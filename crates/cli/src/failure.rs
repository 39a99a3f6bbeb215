//! Why a command failed, and how that is told.

use std::io::{self, Write};
use std::process::ExitCode;

use mainstay_clients::{ClientError, ErrorReport};
use thiserror::Error;
use tonic::Status;

use crate::output::{OutputFormat, harmless};

/// All is done.
pub(crate) const DONE: u8 = 0;
/// A call failed, or an import refused some rows.
pub(crate) const FAILED: u8 = 1;
/// The command was used wrongly, or an import took in nothing.
pub(crate) const WRONG_USE: u8 = 2;
/// Ctrl-C or SIGTERM ended it before it was done.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The arguments or the file given are not usable.
    #[error("{0}")]
    Usage(String),
    /// The service answered with an error, or could not be reached.
    #[error("{}", ErrorReport::from(&**.0).one_line())]
    Call(#[from] Box<Status>),
    /// The channel cannot be made.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// What this process runs itself, PostgreSQL or a service, does not start or end well.
    #[error("{0}")]
    Suite(String),
    /// The answer cannot be written.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Call(Box::new(status))
    }
}

impl Failure {
    /// Tells the failure on the standard error and gives the exit code.
    pub(crate) fn report(&self, format: OutputFormat) -> ExitCode {
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::from(DONE);
        }
        let text = match self {
            Self::Call(status) => describe(status, format),
            other => format!("mainstay: {other}"),
        };
        // Without a standard error there is nobody left to tell.
        writeln!(io::stderr(), "{}", harmless(&text)).ok();
        ExitCode::from(match self {
            Self::Usage(_) | Self::Client(_) => WRONG_USE,
            Self::Call(_) | Self::Suite(_) | Self::Output(_) => FAILED,
        })
    }
}

/// What to look at when no service answered; none when one did, which says itself what to do.
fn hint(report: &ErrorReport) -> Option<&'static str> {
    match (report.code, &report.reason) {
        ("UNAVAILABLE", None) => {
            Some("look whether the server runs at --server (MAINSTAY_SERVER); `mainstay up` starts one on this machine")
        }
        ("UNIMPLEMENTED", None) => Some("something else answered: is this the address of its RPCs?"),
        _ => None,
    }
}

/// The text of a failed call: lines for people, one JSON object for programs.
pub(crate) fn describe(status: &Status, format: OutputFormat) -> String {
    let report = ErrorReport::from(status);
    match format {
        OutputFormat::Table | OutputFormat::Markdown => {
            let hint = hint(&report).map(|hint| format!("\n  {hint}")).unwrap_or_default();
            format!("mainstay: {report}{hint}")
        }
        OutputFormat::Json => serde_json::json!({ "error": report.to_json() }).to_string(),
    }
}
