//! Cargo run from within `cargo run`.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A command for cargo in the workspace.
pub(crate) fn command(root: &Path) -> Command {
    clean(Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())), root)
}

/// The command in the workspace, without what `cargo run` said of our own package: build
/// scripts that look at it would run again, and all that depends on them.
pub(crate) fn clean(mut command: Command, root: &Path) -> Command {
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|own| text.starts_with(own)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a build with `--message-format=json…` and says whether it compiled the package's library, which it
/// does not when nothing changed.
pub(crate) fn compiles_library(mut command: Command, package: &str) -> Result<bool> {
    let output = command.stderr(Stdio::inherit()).output().context("running cargo")?;
    if !output.status.success() {
        bail!("{package} does not compile: see above");
    }
    let library = package.replace('-', "_");
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: Value = serde_json::from_str(line)?;
        if message["reason"] == "compiler-artifact" && message["target"]["name"] == *library {
            return Ok(message["fresh"] == false);
        }
    }
    bail!("cargo said nothing of {package}");
}
