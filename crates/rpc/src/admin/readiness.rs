//! Ready or not: quick to say yes, slow to say no.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Failures in a row after which a server that was ready is not: a blip of the database must not
/// take all replicas out at once.
const FAILURES_MAX: u32 = 3;

/// The longest that one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The name under which the health service tells what `/readyz` tells.
pub(crate) const READINESS_SERVICE: &str = "readiness";

/// Whether a service can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks what the service depends on, for example its database. Asked every few seconds, not by each probe.
    ///
    /// # Errors
    /// What is missing, for the operator.
    async fn check(&self) -> Result<(), String>;
}

/// What `/readyz` answers.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Debug)]
enum State {
    Ready { failures: u32 },
    NotReady(String),
    Closed,
}

impl Gate {
    /// Not ready until the first check has succeeded.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::NotReady("starting".to_owned())))
    }

    /// What to answer now.
    pub(crate) fn state(&self) -> Result<(), String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Ready { .. } => Ok(()),
            State::NotReady(reason) => Err(reason.clone()),
            State::Closed => Err("shutting down".to_owned()),
        }
    }

    /// Takes the outcome of a check.
    pub(crate) fn observe(&self, outcome: Result<(), String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *state, outcome) {
            (State::Closed, _) => {}
            (_, Ok(())) => *state = State::Ready { failures: 0 },
            (State::Ready { failures }, Err(reason)) => {
                *failures += 1;
                if *failures >= FAILURES_MAX {
                    tracing::warn!(reason, "not ready");
                    *state = State::NotReady(reason);
                }
            }
            (State::NotReady(_), Err(reason)) => *state = State::NotReady(reason),
        }
    }

    /// Never ready again.
    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Closed;
    }
}

/// Checks at `interval` until `stopped`, and tells the gate and the health service.
pub(crate) async fn watch(
    readiness: Option<Arc<dyn Readiness>>,
    gate: Arc<Gate>,
    health: HealthReporter,
    interval: Duration,
    stopped: CancellationToken,
) {
    loop {
        let outcome = match &readiness {
            None => Ok(()),
            Some(readiness) => tokio::time::timeout(CHECK_TIMEOUT, readiness.check())
                .await
                .unwrap_or_else(|_| Err(format!("the check took longer than {CHECK_TIMEOUT:?}"))),
        };
        gate.observe(outcome);
        let status = if gate.state().is_ok() { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status(READINESS_SERVICE, status).await;
        tokio::select! {
            () = stopped.cancelled() => break,
            () = tokio::time::sleep(interval) => {}
        }
    }
    gate.close();
    health.set_service_status(READINESS_SERVICE, ServingStatus::NotServing).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> Result<(), String> {
        Err("no database".to_owned())
    }

    #[test]
    fn it_takes_three_failures_in_a_row_to_become_not_ready() {
        let gate = Gate::new();
        gate.observe(Ok(()));
        gate.observe(down());
        gate.observe(down());
        assert_eq!(gate.state(), Ok(()));
        gate.observe(Ok(()));
        gate.observe(down());
        gate.observe(down());
        assert_eq!(gate.state(), Ok(()), "a success in between starts the count anew");
        gate.observe(down());
        assert_eq!(gate.state(), down());
        gate.observe(Ok(()));
        assert_eq!(gate.state(), Ok(()), "one success suffices to be ready again");
    }

    #[test]
    fn a_new_server_is_not_ready_before_its_first_success() {
        let gate = Gate::new();
        gate.state().expect_err("it has not been checked");
        gate.observe(down());
        assert_eq!(gate.state(), down(), "and says at once what is missing");
        gate.observe(Ok(()));
        assert_eq!(gate.state(), Ok(()));
    }

    #[test]
    fn a_closed_gate_stays_closed() {
        let gate = Gate::new();
        gate.close();
        gate.observe(Ok(()));
        gate.state().expect_err("it is closed");
    }
}
