//! The binary of the scoring service.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay_rpc::service_main::main::<mainstay_scoring::ScoringMain>()
}
