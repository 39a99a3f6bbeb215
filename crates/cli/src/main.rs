//! The `mainstay` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay_cli::main()
}
