//! The binary of the expansion service.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay_rpc::service_main::main::<mainstay_expansion::ExpansionMain>()
}
