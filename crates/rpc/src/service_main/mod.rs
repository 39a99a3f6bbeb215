//! The command line that all service binaries share: `serve`, `migrate`, `config check`, `healthcheck`, `jobs`.
//!
//! A service implements [`ServiceApp`]; its binary is one line, `service_main::main::<Scoring>()`.

mod app;
mod arguments;
mod commands;
mod jobs;
mod settings;

use std::ffi::OsString;
use std::process::ExitCode;

pub use app::{Runnable, ServiceApp, ServiceContext, ServiceError};
pub use commands::Outcome;
pub use settings::{CommonSettings, MigrationSettings};

use arguments::Action;

/// The exit code when the command line or the configuration is wrong.
pub const EXIT_MISUSE: u8 = 2;

/// The exit code when something else failed.
pub const EXIT_FAILURE: u8 = 1;

/// The binary's `main`: does what the command line says, prints, and gives the exit code: 0 done,
/// 1 failed, 2 wrong command line or configuration.
pub fn main<A: ServiceApp>() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime cannot start: {error}");
            return ExitCode::from(EXIT_FAILURE);
        }
    };
    let environment =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let outcome = runtime.block_on(run_from::<A>(std::env::args_os(), environment));
    // A task that hangs must not keep a process that has ended its work.
    runtime.shutdown_background();
    print!("{}", outcome.output);
    eprint!("{}", outcome.faults);
    ExitCode::from(outcome.code)
}

/// Does what `arguments` (the program's name first) say in `environment`. Needs a tokio runtime.
pub async fn run_from<A: ServiceApp>(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Outcome {
    let environment: Vec<(String, String)> = environment.into_iter().collect();
    let parsed = match arguments::parse::<A>(arguments, &environment) {
        Ok(parsed) => parsed,
        Err(refusal) => return refusal,
    };
    let configuration = match commands::Configuration::<A>::load(parsed.config.as_deref(), environment) {
        Ok(configuration) => configuration,
        Err(error) => return Outcome::misuse(error),
    };
    if parsed.action == Action::ConfigCheck {
        return configuration.check();
    }
    // A probe must not fail for a setting that only the server needs.
    if let Action::Healthcheck { address, service } = parsed.action {
        return Outcome::of(commands::healthcheck(&configuration, address, service).await);
    }
    if let Err(error) = configuration.finish() {
        return Outcome::misuse(error);
    }
    Outcome::of(match parsed.action {
        Action::Migrate => commands::migrate(configuration).await,
        Action::Jobs(action) => commands::jobs(configuration, action).await,
        _ => commands::serve(configuration).await,
    })
}
