//! The quick part of what CI runs.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::workspace::root;

/// Runs `.ci/run quick`, so that there is one list of steps.
pub(crate) fn run() -> Result<()> {
    let status = cargo::clean(Command::new("bash"), &root()).args([".ci/run", "quick"]).status();
    if !status.context("running bash")?.success() {
        bail!("a check failed: see above");
    }
    Ok(())
}
