//! The binary of the surveys service.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay_rpc::service_main::main::<mainstay_surveys::SurveysMain>()
}
