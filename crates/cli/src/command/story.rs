//! `mainstay story`.

use clap::Args;

use crate::failure::Failure;
use crate::output::Output;
use crate::story;

const HELP: &str = "\
Five months of a customer, through scoring, surveys, interventions and expansion, with the commands
that people use. All four services run in this process on real sockets, on a PostgreSQL that goes
away afterwards; the clock is turned by hand. A critical ticket, an angry answer, a call that comes
too late, silence, a case that ends as saved, another answer, a larger plan.

What the commands print is what the services answered; nothing is written into the story. Messages
are not sent: `mainstay messages` shows them.

Examples:
  mainstay story
  mainstay story --log warn,mainstay_interventions=debug";

/// How to tell it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct StoryArguments {
    /// What to log, for example `info` or `warn,mainstay_scoring=debug`
    #[arg(long, value_name = "FILTER", env = "MAINSTAY_LOG", default_value = "off")]
    pub(crate) log: String,
}

/// Runs the command and gives its exit code.
pub(crate) async fn run(arguments: &StoryArguments, output: &mut Output) -> Result<u8, Failure> {
    story::run(&arguments.log, output).await
}
