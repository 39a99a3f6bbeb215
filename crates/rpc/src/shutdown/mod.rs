//! What makes a process end.

use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM or SIGINT. A second signal ends the process at once, with exit code 130.
pub fn on_signals() -> std::io::Result<CancellationToken> {
    todo!()
}
