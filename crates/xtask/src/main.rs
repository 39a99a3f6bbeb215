//! What developers run: `cargo xtask help`.

mod generate;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Tasks of Mainstay's developers.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Generate `crates/api/src/generated` from `proto/`.
    Generate {
        /// Write nothing; fail when what is committed is out of date.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Generate { check } => generate::run(check),
    }
}
