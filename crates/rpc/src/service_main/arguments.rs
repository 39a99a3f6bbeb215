//! The command line itself.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, Command, value_parser};

use super::jobs::{self, JobsAction};
use super::{Outcome, ServiceApp};

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Serve,
    Migrate,
    ConfigCheck,
    Healthcheck { address: Option<String>, service: String },
    Jobs(JobsAction),
}

/// A command line that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) config: Option<PathBuf>,
    pub(super) action: Action,
}

/// Reads the command line; help, version and mistakes are outcomes of their own.
pub(super) fn parse<A: ServiceApp>(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &[(String, String)],
) -> Result<Parsed, Outcome> {
    let matches = command::<A>().try_get_matches_from(arguments).map_err(|error| refusal(&error))?;
    let action = match matches.subcommand() {
        Some(("migrate", _)) => Action::Migrate,
        Some(("config", _)) => Action::ConfigCheck,
        Some(("healthcheck", below)) => Action::Healthcheck {
            address: below.get_one("address").cloned(),
            service: below.get_one("service").cloned().unwrap_or_default(),
        },
        Some(("jobs", below)) => Action::Jobs(jobs::action_of(below)),
        _ => Action::Serve,
    };
    let variable = config_variable::<A>();
    let from_environment = || environment.iter().find(|(key, _)| *key == variable).map(|(_, path)| path.into());
    Ok(Parsed { config: matches.get_one("config").cloned().or_else(from_environment), action })
}

/// The program's name.
pub(super) fn program<A: ServiceApp>() -> String {
    format!("mainstay-{}", A::NAME)
}

/// The environment variable that names the configuration file.
fn config_variable<A: ServiceApp>() -> String {
    format!("MAINSTAY_{}_CONFIG", A::NAME.to_uppercase())
}

fn refusal(error: &clap::Error) -> Outcome {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Outcome::done(error.to_string()),
        _ => Outcome::misuse(error),
    }
}

fn command<A: ServiceApp>() -> Command {
    let (program, variable) = (program::<A>(), config_variable::<A>());
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .global(true)
        .value_parser(value_parser!(PathBuf))
        .help(format!("The configuration, TOML [default: the file that {variable} names, else none]"));
    let address = Arg::new("address").long("address").value_name("URL").help(
        "Where the health service is, for example http://127.0.0.1:7471 [default: the configured admin port on this machine]",
    );
    let service = Arg::new("service")
        .long("service")
        .value_name("NAME")
        .help("The gRPC service to ask about, or `readiness` [default: the server as a whole]");
    let command = Command::new(program.clone())
        .version(env!("CARGO_PKG_VERSION"))
        .about(A::ABOUT)
        .after_help(lesson(&program, A::NAME))
        .arg_required_else_help(true)
        .subcommand_required(true)
        .arg(config)
        .subcommand(Command::new("serve").about("Serves until SIGTERM or Ctrl-C; a second signal ends at once"))
        .subcommand(Command::new("migrate").about("Brings the database's schema up to date, then exits"))
        .subcommand(
            Command::new("config")
                .about("Looks at the configuration without starting anything")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(Command::new("check").about(
                    "Prints all settings with their meaning and origin, secrets redacted; exits with 2 and all faults when it is wrong",
                )),
        )
        .subcommand(
            Command::new("healthcheck")
                .about("Asks a running server for its health; exits with 0 when it serves, else with 1")
                .arg(address)
                .arg(service),
        );
    match A::jobs() {
        Some(_) => command.subcommand(jobs::command(&program)),
        None => command,
    }
}

fn lesson(program: &str, name: &str) -> String {
    let prefix = format!("MAINSTAY_{}__", name.to_uppercase());
    format!(
        "Settings come from the file and, above it, from the environment: the key `rpc.listen` is\n\
         {prefix}RPC__LISTEN there. Secrets can stand in files: `database.url_file`.\n\n\
         To begin:\n  \
         export {prefix}DATABASE__URL=postgres://user:password@127.0.0.1:5432/mainstay\n  \
         {program} config check     # what holds, and where it comes from\n  \
         {program} migrate          # once, and after each upgrade\n  \
         {program} serve\n  \
         {program} healthcheck      # in another terminal\n\n\
         Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 130 ended at once by a second signal."
    )
}
