//! How busy the machine is: by this process, in which callers and services are, and by all, PostgreSQL with them.

use std::fs;
use std::time::Instant;

/// Linux counts in hundredths of a second here.
const TICKS_PER_SECOND: f64 = 100.0;

/// From a moment on.
pub(crate) struct CpuUse {
    since: Instant,
    own: Option<f64>,
    all: Option<f64>,
}

impl CpuUse {
    /// From now on.
    pub(crate) fn start() -> Self {
        Self { since: Instant::now(), own: own_ticks(), all: all_ticks() }
    }

    /// How many cores were busy since; in words, or that it is not known.
    pub(crate) fn words(&self) -> String {
        let cores = |before: Option<f64>, now: Option<f64>| {
            Some((now? - before?) / TICKS_PER_SECOND / self.since.elapsed().as_secs_f64())
        };
        match (cores(self.own, own_ticks()), cores(self.all, all_ticks())) {
            (Some(own), Some(all)) => {
                format!(
                    "{own:.2} cores were busy with callers, services and relay, {:.2} with PostgreSQL and others",
                    all - own
                )
            }
            _ => "how busy the cores were is not known here".to_owned(),
        }
    }
}

/// Of the fields behind the name, which may have spaces, the 12th and 13th: in user and in kernel mode.
fn own_ticks() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
}

/// Of all cores together all but idle and waiting for input and output.
fn all_ticks() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<f64> =
        stat.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    Some(fields.iter().take(3).sum::<f64>() + fields.get(5..8)?.iter().sum::<f64>())
}
