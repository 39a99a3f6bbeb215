//! Configuration: defaults, a TOML file and the environment, in this order of
//! precedence, all faults reported at once.

mod duration;
mod reader;
mod secret;

pub use duration::{format_duration, parse_duration};
pub use reader::{Reader, SettingsError};
pub use secret::Secret;
