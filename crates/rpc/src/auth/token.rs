//! Which tokens hold.

use std::sync::Arc;

use chrono::DateTime;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use mainstay_domain::SharedClock;
use serde::Deserialize;

use super::caller::Caller;
use super::key_store::{KeyStore, NoKey};
use super::settings::JwtSettings;

const SUBJECT_CHARACTERS_MAX: usize = 255;

/// What we read of a token. All may be absent, so that we say which is.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    exp: Option<f64>,
    nbf: Option<f64>,
    permissions: Option<OneOrMany>,
    scope: Option<OneOrMany>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn has(&self, text: &str) -> bool {
        match self {
            Self::One(one) => one == text,
            Self::Many(many) => many.iter().any(|one| one == text),
        }
    }

    fn words(self) -> Vec<String> {
        match self {
            Self::One(one) => one.split_ascii_whitespace().map(str::to_owned).collect(),
            Self::Many(many) => many,
        }
    }
}

/// Verifies tokens of one issuer.
#[derive(Debug)]
pub(super) struct TokenVerifier {
    settings: JwtSettings,
    keys: Arc<KeyStore>,
    clock: SharedClock,
}

impl TokenVerifier {
    pub(super) fn new(settings: JwtSettings, keys: Arc<KeyStore>, clock: SharedClock) -> Self {
        Self { settings, keys, clock }
    }

    /// The caller whom a token names, or what is wrong with it.
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, String> {
        let header = decode_header(token).map_err(|_| "is malformed or signed in a way that is not accepted")?;
        if !self.settings.algorithms.contains(&header.alg) {
            return Err(format!("is signed with {:?}, which is not accepted", header.alg));
        }
        // RFC 7515 (4.1.11): extensions that must be understood and are not.
        if header.crit.is_some() {
            return Err("has critical extensions, which are not supported".to_owned());
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await.map_err(|why| match why {
            NoKey::Unknown => "is signed with a key that its issuer does not list",
            NoKey::Unavailable => "cannot be verified now: its issuer's keys cannot be read",
        })?;
        // The library looks at signatures only: it would take the system's time for the rest.
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => "has a signature that does not hold",
            _ => "is malformed",
        })?;
        self.caller_of(claims.claims)
    }

    fn caller_of(&self, claims: Claims) -> Result<Caller, String> {
        if claims.iss.as_deref() != Some(&self.settings.issuer) {
            return Err(format!("must be issued by `{}`", self.settings.issuer));
        }
        if !claims.aud.is_some_and(|audience| audience.has(&self.settings.audience)) {
            return Err(format!("must be for the audience `{}`", self.settings.audience));
        }
        self.check_times(claims.exp, claims.nbf)?;
        let subject = claims.sub.filter(|subject| is_subject(subject)).ok_or_else(|| {
            format!("must have a subject of 1 to {SUBJECT_CHARACTERS_MAX} characters, none of them control characters")
        })?;
        let granted_by_us = self.settings.grants.iter().filter(|(pattern, _)| is_for(pattern, &subject));
        let permissions = [claims.permissions, claims.scope]
            .into_iter()
            .flatten()
            .flat_map(OneOrMany::words)
            .chain(granted_by_us.flat_map(|(_, permissions)| permissions.iter().cloned()))
            .collect();
        Ok(Caller { identity: subject, permissions })
    }

    fn check_times(&self, expires: Option<f64>, not_before: Option<f64>) -> Result<(), String> {
        let now = (self.clock.now() - DateTime::UNIX_EPOCH).as_seconds_f64();
        let leeway = self.settings.leeway.as_secs_f64();
        let expires = expires.ok_or("must have an expiry (`exp`)")?;
        if now >= expires + leeway {
            return Err("has expired; get a new one".to_owned());
        }
        if !not_before.is_none_or(|not_before| now >= not_before - leeway) {
            return Err("does not hold yet (`nbf`); compare the clocks".to_owned());
        }
        Ok(())
    }
}

fn is_subject(subject: &str) -> bool {
    !subject.is_empty() && subject.chars().count() <= SUBJECT_CHARACTERS_MAX && !subject.contains(char::is_control)
}

fn is_for(pattern: &str, subject: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == subject, |prefix| subject.starts_with(prefix))
}
