//! What makes a process end: SIGTERM from its supervisor, SIGINT from a keyboard.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a second signal ended at once: 128 and the number of SIGINT.
pub const ENDED_AT_ONCE: i32 = 130;

/// A token that the first SIGTERM or SIGINT cancels. A second signal ends the process at once, with
/// exit code [`ENDED_AT_ONCE`]. Needs a tokio runtime.
///
/// # Errors
/// When the system does not let signals be handled.
pub fn on_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        cancelled.cancel();
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("a second signal: ending at once");
        process::exit(ENDED_AT_ONCE);
    });
    Ok(token)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
