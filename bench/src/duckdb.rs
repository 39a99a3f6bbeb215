//! DuckDB on the same data, by a Python program; left out where the package is not installed.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::process::Command;

use crate::portfolio::{DAY_COUNT, METRIC_COUNT, Windows};
use crate::report::progress;

const PROGRAM: &str = include_str!("../python/aggregate.py");
/// Names the Python that has `python/requirements.txt` installed.
const PYTHON_VARIABLE: &str = "MAINSTAY_BENCH_PYTHON";

/// What DuckDB did with the portfolio.
#[derive(Debug, Deserialize)]
pub(crate) struct DuckDb {
    /// Its version.
    pub version: String,
    /// Size of the Parquet file.
    pub parquet_bytes: f64,
    aggregate_seconds: f64,
    series_count: i64,
    recent_sum: i64,
    earlier_sum: i64,
}

impl DuckDb {
    /// How long one aggregate took, in the median.
    pub(crate) fn aggregate(&self) -> Duration {
        Duration::from_secs_f64(self.aggregate_seconds)
    }

    /// What it answered.
    pub(crate) fn windows(&self) -> Windows {
        Windows { series: self.series_count, recent_sum: self.recent_sum, earlier_sum: self.earlier_sum }
    }
}

/// Measures it, if there is a Python that has it.
pub(crate) async fn measure(accounts: u32, repeats: usize) -> anyhow::Result<Option<DuckDb>> {
    let python = env::var(PYTHON_VARIABLE).unwrap_or_else(|_| "python3".to_owned());
    if !has_duckdb(&python).await {
        progress(&format!(
            "DuckDB is left out: {python} cannot import it (set {PYTHON_VARIABLE}, see docs/performance.md)"
        ));
        return Ok(None);
    }
    progress("DuckDB on Parquet");
    let folder = tempfile::tempdir()?;
    let output = Command::new(&python)
        .args(["-c", PROGRAM])
        .args(["--accounts", &accounts.to_string(), "--metrics", &METRIC_COUNT.to_string()])
        .args(["--days", &DAY_COUNT.to_string(), "--repeats", &repeats.to_string()])
        .arg("--folder")
        .arg::<&Path>(folder.path())
        .output()
        .await?;
    if !output.status.success() {
        bail!("the DuckDB program failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Some(serde_json::from_slice(&output.stdout).context("read what the DuckDB program printed")?))
}

async fn has_duckdb(python: &str) -> bool {
    let imported = Command::new(python).args(["-c", "import duckdb"]).output().await;
    imported.is_ok_and(|output| output.status.success())
}
