//! What developers run: `cargo xtask help`.

mod cargo;
mod check;
mod generate;
mod prepare;
mod workspace;

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
    /// Write `.sqlx/`, what builds need to know of the services' queries, by asking a private PostgreSQL.
    Prepare {
        /// Write nothing; fail when what is committed is out of date.
        #[arg(long)]
        check: bool,
    },
    /// The quick part of what CI runs: format, lints, contract, generated code, queries, dependencies.
    Check,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Generate { check } => generate::run(check),
        Task::Prepare { check } => prepare::run(check),
        Task::Check => check::run(),
    }
}
