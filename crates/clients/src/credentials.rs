//! The token that says who calls.

use std::fmt;
use std::path::Path;

use http::HeaderValue;

use crate::ClientError;

/// A bearer token (RFC 6750). It never shows in logs or errors.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(HeaderValue);

impl BearerToken {
    /// A token as given; spaces and line ends around it are dropped.
    pub fn new(token: &str) -> Result<Self, ClientError> {
        let token = token.trim();
        if token.is_empty() || token.contains(char::is_whitespace) {
            return Err(ClientError::Token);
        }
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ClientError::Token)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The token that a file holds, for example a projected Kubernetes token.
    /// It is read once: a process that outlives its token makes a new channel.
    pub fn from_file(path: &Path) -> Result<Self, ClientError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ClientError::File { path: path.to_path_buf(), source })?;
        Self::new(&text)
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BearerToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_without_its_line_end_and_never_shown() {
        let token = BearerToken::new("abc.def\n").expect("a token");
        assert_eq!(token.header().to_str().ok(), Some("Bearer abc.def"));
        assert!(token.header().is_sensitive());
        assert!(!format!("{token:?}").contains("abc"));
    }

    #[test]
    fn what_a_header_cannot_carry_is_refused() {
        for bad in ["", " \n", "two words", "line\nbreak", "nul\0"] {
            assert!(BearerToken::new(bad).is_err(), "{bad:?}");
        }
    }
}
