//! Slack addresses and webhooks, by name.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::Uri;
use mainstay_rpc::settings::{Reader, Secret};

use super::{SLACK_CONCURRENCY, WEBHOOK_CONCURRENCY};
use crate::lane::is_destination_name;

/// Secrets are written with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const CONCURRENCY_MAX: u32 = 64;

/// What all destinations by HTTP have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationSettings {
    /// Where requests go. Whoever knows a Slack address may post there, and a webhook's may carry a token: it is a secret.
    pub url: Secret,
    /// How many requests may be under way at once, in this process; 1 to Slack and 4 to a webhook by default.
    pub concurrency: u32,
}

/// A receiver of signed webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where requests go, and how many at once.
    pub target: DestinationSettings,
    /// The keys with which each request is signed: one, or two while the receiver changes from one to the other.
    pub keys: Vec<SigningKey>,
}

/// A signing key of Standard Webhooks. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    const BYTES_MIN: usize = 24;
    const BYTES_MAX: usize = 64;

    /// Reads `whsec_` followed by 24 to 64 bytes in base64.
    ///
    /// # Errors
    /// A sentence that says how it is written, without the secret.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "must be `whsec_` and 24 to 64 random bytes in base64";
        let encoded = text.strip_prefix("whsec_").ok_or(MALFORMED)?;
        let bytes = BASE64.decode(encoded).map_err(|_| MALFORMED)?;
        if (Self::BYTES_MIN..=Self::BYTES_MAX).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(MALFORMED) }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("<redacted>")
    }
}

pub(super) fn read_slack(reader: &mut Reader, allow_private: bool) -> BTreeMap<String, DestinationSettings> {
    let names = names(reader, "delivery.slack");
    names
        .into_iter()
        .map(|name| (name.clone(), read_target(reader, ("slack", &name), SLACK_CONCURRENCY, allow_private)))
        .collect()
}

pub(super) fn read_webhooks(reader: &mut Reader, allow_private: bool) -> BTreeMap<String, WebhookSettings> {
    let names = names(reader, "delivery.webhook");
    names.into_iter().map(|name| (name.clone(), read_webhook(reader, &name, allow_private))).collect()
}

fn read_webhook(reader: &mut Reader, name: &str, allow_private: bool) -> WebhookSettings {
    let target = read_target(reader, ("webhook", name), WEBHOOK_CONCURRENCY, allow_private);
    let secret_key = format!("delivery.webhook.{name}.secret");
    let previous_key = format!("delivery.webhook.{name}.previous_secret");
    let secret = reader.required_secret(&secret_key, "the signing key, `whsec_…`");
    let previous = reader.optional_secret(&previous_key, "a second signing key, `whsec_…`, during a rotation");
    let given = [(secret_key, Some(secret)), (previous_key, previous)];
    let mut keys = Vec::new();
    for (key, secret) in given {
        // An empty one stands for a fault that the reader has noted.
        let Some(secret) = secret.filter(|secret| !secret.expose().is_empty()) else { continue };
        match SigningKey::parse(secret.expose()) {
            Ok(parsed) => keys.push(parsed),
            Err(fault) => reader.fault(&key, fault),
        }
    }
    WebhookSettings { target, keys }
}

fn names(reader: &mut Reader, key: &str) -> Vec<String> {
    let names: Vec<String> = reader.names(key).into_iter().collect();
    for name in names.iter().filter(|name| !is_destination_name(name)) {
        reader.fault(&format!("{key}.{name}"), "must be named by lower case letters, digits, `_` and `-`, at most 40");
    }
    names
}

fn read_target(
    reader: &mut Reader,
    (table, name): (&str, &str),
    concurrency: u32,
    allow_private: bool,
) -> DestinationSettings {
    let url_key = format!("delivery.{table}.{name}.url");
    let url = reader.required_secret(&url_key, "where requests go, by https");
    if !url.expose().is_empty()
        && let Err(fault) = check_url(url.expose(), allow_private)
    {
        reader.fault(&url_key, fault);
    }
    let concurrency = reader.u32(
        &format!("delivery.{table}.{name}.concurrency"),
        "how many requests may be under way at once, in this process",
        concurrency,
        1..=CONCURRENCY_MAX,
    );
    DestinationSettings { url, concurrency }
}

fn check_url(text: &str, allow_private: bool) -> Result<(), &'static str> {
    let uri: Uri = text.parse().map_err(|_| "must be an address such as `https://example.com/hooks`")?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if allow_private => {}
        _ => return Err("must be https; http only with delivery.allow_private_addresses"),
    }
    let authority = uri.authority().ok_or("must name a host")?;
    if authority.as_str().contains('@') {
        return Err("must not have a user or password in it");
    }
    Ok(())
}
