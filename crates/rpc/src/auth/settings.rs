//! The settings of authentication.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::keys::SUPPORTED_ALGORITHMS;
use crate::settings::Reader;

const LEEWAY: Duration = Duration::from_secs(30);
const LEEWAY_MAX: Duration = Duration::from_mins(5);

/// Whether and how callers are authenticated.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// Tokens; `None` means that nobody is authenticated.
    pub jwt: Option<JwtSettings>,
}

/// Which tokens hold, and what their subjects may do.
#[derive(Debug, Clone)]
pub struct JwtSettings {
    /// The `iss` that a token must have.
    pub issuer: String,
    /// The `aud` that a token must have among its own.
    pub audience: String,
    /// Where the issuer's keys are.
    pub keys: JwksSource,
    /// Signature algorithms that are accepted, all of them asymmetric.
    pub algorithms: Vec<Algorithm>,
    /// How far the issuer's clock may be off.
    pub leeway: Duration,
    /// Permissions by subject, beside those in the token; a subject may end in `*`.
    pub grants: BTreeMap<String, Vec<String>>,
}

/// Where the keys (a JSON Web Key Set) come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// A file; a change is noticed within five seconds.
    File(PathBuf),
    /// An address, `https` or, on loopback, `http`.
    Url {
        /// The address.
        url: String,
        /// Certificate authorities (PEM) to trust instead of the system's.
        ca_file: Option<PathBuf>,
        /// A file with a bearer token to send, read at each fetch.
        token_file: Option<PathBuf>,
    },
}

impl AuthSettings {
    /// Whether callers are authenticated.
    pub fn is_configured(&self) -> bool {
        self.jwt.is_some()
    }

    /// Reads the section `auth`. Tokens are asked for as soon as the issuer,
    /// the audience or the keys are given; the others are required then.
    pub fn read(reader: &mut Reader) -> Self {
        let issuer = reader.optional_string("auth.jwt.issuer", "the `iss` that a token must have");
        let audience = reader.optional_string("auth.jwt.audience", "the `aud` that a token must have among its own");
        let keys = read_keys(reader);
        let algorithms = read_algorithms(reader);
        let leeway = reader.duration(
            "auth.jwt.leeway",
            "how far the issuer's clock may be off",
            LEEWAY,
            Duration::ZERO..=LEEWAY_MAX,
        );
        let grants = reader
            .map_of_lists("auth.grants", "permissions by subject, beside those in the token; a subject may end in `*`");
        check_grants(reader, &grants);
        let jwt = match (issuer, audience, keys) {
            (Some(issuer), Some(audience), Some(keys)) => {
                Some(JwtSettings { issuer, audience, keys, algorithms, leeway, grants })
            }
            (None, None, None) if grants.is_empty() => None,
            (issuer, audience, keys) => {
                let parts = [
                    ("auth.jwt.issuer", issuer.is_some()),
                    ("auth.jwt.audience", audience.is_some()),
                    ("auth.jwt.jwks_file or auth.jwt.jwks_url", keys.is_some()),
                ];
                for (key, _) in parts.into_iter().filter(|(_, is_given)| !is_given) {
                    reader.fault(key, "must be given, because other settings of auth are");
                }
                None
            }
        };
        Self { jwt }
    }
}

fn read_keys(reader: &mut Reader) -> Option<JwksSource> {
    let file = reader.optional_path("auth.jwt.jwks_file", "a file with the issuer's keys (a JSON Web Key Set)");
    let url = reader.optional_string("auth.jwt.jwks_url", "where the issuer's keys are fetched, by https");
    let ca_file = reader
        .optional_path("auth.jwt.jwks_ca_file", "certificate authorities (PEM) for jwks_url instead of the system's");
    let token_file = reader.optional_path("auth.jwt.jwks_token_file", "a file with a bearer token to send to jwks_url");
    if url.is_none() && (ca_file.is_some() || token_file.is_some()) {
        reader.fault("auth.jwt.jwks_url", "must be given with jwks_ca_file or jwks_token_file");
    }
    match (file, url) {
        (Some(_), Some(_)) => {
            reader.fault("auth.jwt.jwks_file", "and auth.jwt.jwks_url exclude each other");
            None
        }
        (Some(path), None) => Some(JwksSource::File(path)),
        (None, Some(url)) => Some(JwksSource::Url { url, ca_file, token_file }),
        (None, None) => None,
    }
}

fn read_algorithms(reader: &mut Reader) -> Vec<Algorithm> {
    let key = "auth.jwt.algorithms";
    let names = reader.list(key, "signature algorithms that are accepted", &["RS256", "ES256", "EdDSA"]);
    if names.is_empty() {
        reader.fault(key, "must name at least one algorithm");
    }
    let supported_names: Vec<String> = SUPPORTED_ALGORITHMS.iter().map(|algorithm| format!("{algorithm:?}")).collect();
    let mut algorithms = Vec::new();
    for name in names {
        match supported_names.iter().position(|supported| *supported == name) {
            Some(index) => algorithms.push(SUPPORTED_ALGORITHMS[index]),
            None => reader.fault(key, format!("must be some of {}, not `{name}`", supported_names.join(", "))),
        }
    }
    algorithms
}

fn check_grants(reader: &mut Reader, grants: &BTreeMap<String, Vec<String>>) {
    for (subject, permissions) in grants {
        let key = format!("auth.grants.{subject}");
        if subject.is_empty() || subject.trim_end_matches('*').contains('*') || subject.ends_with("**") {
            reader.fault(&key, "must be a subject, with `*` only at its end");
        }
        for permission in permissions {
            let stem = permission.strip_suffix(".*").unwrap_or(permission);
            if permission != "*" && (stem.is_empty() || stem.contains('*')) {
                reader.fault(&key, format!("has `{permission}`; write `scoring.accounts.read`, `scoring.*` or `*`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<AuthSettings, Vec<String>> {
        let environment =
            pairs.iter().map(|(key, value)| (format!("MAINSTAY_SCORING__AUTH__{key}"), (*value).to_owned()));
        let mut reader = Reader::load("scoring", None, environment).expect("no file");
        let settings = AuthSettings::read(&mut reader);
        reader.finish().map(|()| settings).map_err(|error| error.faults)
    }

    #[test]
    fn nothing_given_means_nobody_is_authenticated() {
        assert!(!read(&[]).expect("no fault").is_configured());
        assert!(!read(&[("JWT__LEEWAY", "1m")]).expect("no fault").is_configured());
    }

    #[test]
    fn tokens_are_configured_with_defaults() {
        let settings = read(&[
            ("JWT__ISSUER", "https://issuer"),
            ("JWT__AUDIENCE", "mainstay"),
            ("JWT__JWKS_FILE", "/keys.json"),
            ("GRANTS__SYNC*", "scoring.*,events.read"),
        ])
        .expect("no fault");
        let jwt = settings.jwt.expect("tokens");
        assert_eq!(jwt.algorithms, [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]);
        assert_eq!(jwt.leeway, LEEWAY);
        assert_eq!(jwt.keys, JwksSource::File("/keys.json".into()));
        assert_eq!(jwt.grants["sync*"], ["scoring.*", "events.read"]);
    }

    #[test]
    fn half_a_configuration_never_turns_authentication_off() {
        let faults = read(&[("JWT__ISSUER", "https://issuer")]).expect_err("half");
        assert_eq!(
            faults,
            [
                "auth.jwt.audience must be given, because other settings of auth are",
                "auth.jwt.jwks_file or auth.jwt.jwks_url must be given, because other settings of auth are"
            ]
        );
        assert_eq!(read(&[("GRANTS__A", "*")]).expect_err("grants alone").len(), 3);
    }

    #[test]
    fn symmetric_and_no_signatures_cannot_be_allowed() {
        for name in ["none", "HS256", "rs256"] {
            let faults = read(&[("JWT__ALGORITHMS", name)]).expect_err("an algorithm");
            assert!(faults[0].ends_with(&format!("not `{name}`")), "{faults:?}");
        }
    }

    #[test]
    fn faulty_grants_and_two_sources_of_keys_are_told() {
        let faults = read(&[
            ("JWT__ISSUER", "i"),
            ("JWT__AUDIENCE", "a"),
            ("JWT__JWKS_FILE", "/keys.json"),
            ("JWT__JWKS_URL", "https://issuer/keys"),
            ("GRANTS__A*B", "scoring*"),
        ])
        .expect_err("faults");
        assert!(faults.iter().any(|fault| fault.contains("exclude each other")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("`*` only at its end")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("has `scoring*`")), "{faults:?}");
    }
}
