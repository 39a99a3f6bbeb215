//! `mainstay demo`.

use clap::Args;

use crate::demo;
use crate::failure::Failure;
use crate::output::Output;

const HELP: &str = "\
Real customers of a web shop, CDNOW, who bought there for the first time in early 1997. Their
purchases are played day by day through the same RPCs that a shop would call, on a clock that
is turned by hand, into a PostgreSQL that goes away afterwards. On 1997-09-30 the demo shows who
is at risk and why; then it plays on to 1998-06-30 and says how well that found those who left.

Nothing is kept, and nothing leaves this machine (PostgreSQL is fetched when there is none).

Examples:
  mainstay demo
  mainstay demo --short         half of it: the rest is read from the data, not played
  mainstay demo --keep          leave the server running afterwards, to look around";

/// How much of the demo to show.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DemoArguments {
    /// Stop the clock on 1997-09-30; who left is then read from the data
    #[arg(long)]
    pub(crate) short: bool,
    /// Leave the server running afterwards, until Ctrl-C
    #[arg(long)]
    pub(crate) keep: bool,
    /// What to log, for example `info` or `warn,mainstay_scoring=debug`
    #[arg(long, value_name = "FILTER", env = "MAINSTAY_LOG", default_value = "warn")]
    pub(crate) log: String,
}

/// Runs the command and gives its exit code.
pub(crate) async fn run(arguments: &DemoArguments, output: &mut Output) -> Result<u8, Failure> {
    demo::run(arguments, output).await
}
