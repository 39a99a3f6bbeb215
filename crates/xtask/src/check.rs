//! The quick part of what CI runs.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::root;

/// Runs `.ci/run quick`, so that there is one list of steps.
pub(crate) fn run() -> Result<()> {
    let status = Command::new("bash").args([".ci/run", "quick"]).current_dir(root()).status();
    if !status.context("running bash")?.success() {
        bail!("a check failed: see above");
    }
    Ok(())
}
