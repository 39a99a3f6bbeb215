//! Callers that call again as soon as they are answered.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::samples::Samples;

/// One caller of what is measured.
pub(crate) trait Caller: Send + 'static {
    /// Calls once, and waits for the answer.
    fn call(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What callers got in a time.
pub(crate) struct Load {
    /// How long each call took.
    pub latencies: Samples,
    /// From the first call to the last answer.
    pub elapsed: Duration,
}

impl Load {
    /// Calls answered in a second.
    pub(crate) fn per_second(&self) -> f64 {
        crate::report::per_second(self.latencies.count(), self.elapsed)
    }
}

/// Has all callers call for `duration`, after they did so for a fifth of it unmeasured.
pub(crate) async fn closed_loop<C: Caller>(callers: Vec<C>, duration: Duration) -> anyhow::Result<Load> {
    let measured_from = Instant::now() + duration / 5;
    let until = measured_from + duration;
    let mut running = JoinSet::new();
    for mut caller in callers {
        running.spawn(async move {
            let mut samples = Samples::default();
            loop {
                let started = Instant::now();
                if started >= until {
                    return anyhow::Ok(samples);
                }
                caller.call().await?;
                if started >= measured_from {
                    samples.push(started.elapsed());
                }
            }
        });
    }
    let mut latencies = Samples::default();
    while let Some(samples) = running.join_next().await {
        latencies.absorb(samples??);
    }
    Ok(Load { latencies, elapsed: measured_from.elapsed() })
}
