//! What telemetry is told, and what can be wrong with it.

use std::str::FromStr;

use http::Uri;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Pretty when standard error is a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// Lines for people, in colour on a terminal.
    Pretty,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            other => Err(TelemetryError::UnknownLogFormat(other.to_owned())),
        }
    }
}

/// What [`crate::start`] needs to know.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// Name of the service in logs and traces, for example `scoring`.
    pub service_name: String,
    /// Where spans and metrics go by OTLP over gRPC, for example `http://127.0.0.1:4317`. Needs
    /// a scheme. `None`: they are not exported; trace context is passed on all the same.
    pub otlp_endpoint: Option<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged, as `tracing-subscriber`'s `EnvFilter` reads it, for example
    /// `info,mainstay_rpc=debug`.
    pub log_filter: String,
}

impl TelemetrySettings {
    /// Logs from `info` up, in the format that fits where they go; no export.
    pub fn named(service_name: impl Into<String>) -> Self {
        Self {
            service_name: service_name.into(),
            otlp_endpoint: None,
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
        }
    }

    /// Checks all that can be checked without starting anything.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check(&self) -> Result<(), TelemetryError> {
        self.endpoint()?;
        self.filter()?;
        Ok(())
    }

    pub(crate) fn endpoint(&self) -> Result<Option<&str>, TelemetryError> {
        let Some(text) = self.otlp_endpoint.as_deref() else { return Ok(None) };
        let uri: Uri = text
            .parse()
            .map_err(|error| TelemetryError::Endpoint { endpoint: text.to_owned(), fault: format!("{error}") })?;
        match uri.scheme_str() {
            Some("http") => Ok(Some(text)),
            Some(other) => Err(TelemetryError::Endpoint {
                endpoint: text.to_owned(),
                fault: format!("the scheme `{other}` is not supported; only `http` is"),
            }),
            None => Err(TelemetryError::Endpoint {
                endpoint: text.to_owned(),
                fault: format!("it has no scheme; write `http://{text}`"),
            }),
        }
    }

    pub(crate) fn filter(&self) -> Result<EnvFilter, TelemetryError> {
        EnvFilter::try_new(&self.log_filter)
            .map_err(|error| TelemetryError::Filter { filter: self.log_filter.clone(), fault: error.to_string() })
    }
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The OTLP endpoint cannot be used.
    #[error("the OTLP endpoint `{endpoint}` cannot be used: {fault}")]
    Endpoint {
        /// As it was given.
        endpoint: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The log filter cannot be read.
    #[error("the log filter `{filter}` cannot be read: {fault}")]
    Filter {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The log format is none of the known ones.
    #[error("the log format `{0}` is none of `auto`, `json`, `pretty`")]
    UnknownLogFormat(String),
    /// The exporter or the recorder could not be made.
    #[error("telemetry could not start: {0}")]
    Start(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_endpoint(endpoint: &str) -> TelemetrySettings {
        TelemetrySettings { otlp_endpoint: Some(endpoint.to_owned()), ..TelemetrySettings::named("test") }
    }

    #[test]
    fn an_endpoint_without_a_scheme_is_refused_and_the_right_one_is_named() {
        let error = with_endpoint("collector:4317").check().expect_err("no scheme");
        assert!(error.to_string().contains("http"), "{error}");
        let error = with_endpoint("127.0.0.1:4317").check().expect_err("no scheme");
        assert!(error.to_string().contains("http://127.0.0.1:4317"), "{error}");
    }

    #[test]
    fn an_endpoint_with_the_scheme_http_is_taken() {
        with_endpoint("http://collector:4317").check().expect("it is right");
    }

    #[test]
    fn another_scheme_is_refused() {
        with_endpoint("ftp://collector:4317").check().expect_err("it is wrong");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_refused() {
        let settings = TelemetrySettings { log_filter: "a=b=c".to_owned(), ..TelemetrySettings::named("test") };
        assert!(matches!(settings.check(), Err(TelemetryError::Filter { .. })));
    }
}
