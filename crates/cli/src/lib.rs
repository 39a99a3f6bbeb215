//! The `mainstay` command: import, look-ups and daily work at the command line.
//!
//! Answers go to the standard output, as tables for people or JSON for programs;
//! errors and notes go to the standard error. A reader that closes the pipe ends
//! the command without an error.
//!
//! Exit codes: 0 all is done; 1 a call failed, or an import refused some rows;
//! 2 the command was used wrongly, or an import took in nothing; 130 a signal
//! ended the demo, or a second one whatever ran.

mod arguments;
mod command;
mod connection;
mod csv;
mod demo;
mod due;
mod expansion_words;
mod failure;
mod import;
mod markdown;
mod money;
mod output;
mod parts;
mod story;
mod suite;
mod sync_file;
mod table;
mod words;

use std::process::ExitCode;

use crate::arguments::Arguments;

/// Reads the command line, runs the command, and says how it went.
pub fn main() -> ExitCode {
    let arguments = Arguments::read();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mainstay: the runtime cannot start: {error}");
            return ExitCode::from(failure::FAILED);
        }
    };
    let result = runtime.block_on(command::run(&arguments));
    // A reader of a pipe may still wait in a blocking thread: leave it.
    runtime.shutdown_background();
    match result {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => failure.report(arguments.global.output),
    }
}
