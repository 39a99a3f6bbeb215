//! Configuration: defaults, a TOML file above them, the environment above both;
//! all faults reported at once.

mod describe;
mod duration;
mod reader;
mod secret;
mod source;
#[cfg(test)]
mod tests;

pub use duration::{format_duration, parse_duration};
pub use reader::{Reader, SettingsError};
pub use secret::Secret;
