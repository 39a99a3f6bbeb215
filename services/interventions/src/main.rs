//! The binary of the interventions service.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay_rpc::service_main::main::<mainstay_interventions::InterventionsMain>()
}
