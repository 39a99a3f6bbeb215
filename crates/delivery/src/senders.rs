//! The way out for each destination of the settings.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::Uri;

use crate::claim::Claimed;
use crate::email::compose;
use crate::endpoint::{send_slack, send_webhook};
use crate::http_client::HttpClient;
use crate::lane::Destination;
use crate::outcome::Verdict;
use crate::settings::{DeliverySettings, SigningKey};
use crate::smtp::SmtpRelay;
use crate::{Channel, Content, Mailbox};

/// How messages leave, made from the settings once.
pub(crate) struct Senders {
    email: Option<(SmtpRelay, Mailbox)>,
    slack: BTreeMap<String, Uri>,
    webhooks: BTreeMap<String, (Uri, Vec<SigningKey>)>,
    http: Option<HttpClient>,
}

impl Senders {
    /// # Errors
    /// What is wrong with which setting.
    pub(crate) fn new(settings: &DeliverySettings) -> Result<Self, String> {
        let email = match &settings.smtp {
            Some(smtp) => Some((SmtpRelay::new(smtp.clone())?, smtp.from.clone())),
            None => None,
        };
        let needs_http = !(settings.slack.is_empty() && settings.webhooks.is_empty());
        let http = if needs_http {
            Some(HttpClient::new(settings.allow_private_addresses, settings.ca_file.as_deref())?)
        } else {
            None
        };
        let mut slack = BTreeMap::new();
        for (name, target) in &settings.slack {
            slack.insert(name.clone(), uri(Channel::Slack, name, target.url.expose())?);
        }
        let mut webhooks = BTreeMap::new();
        for (name, webhook) in &settings.webhooks {
            let uri = uri(Channel::Webhook, name, webhook.target.url.expose())?;
            webhooks.insert(name.clone(), (uri, webhook.keys.clone()));
        }
        Ok(Self { email, slack, webhooks, http })
    }

    /// Tries once.
    pub(crate) async fn send(&self, claimed: &Claimed, now: DateTime<Utc>) -> Verdict {
        match &claimed.content {
            Content::Email(email) => match &self.email {
                None => Verdict::failed(None, "email has no relay in the settings: delivery.smtp.host"),
                Some((relay, from)) => match compose(email, from, claimed.id, claimed.created_at) {
                    Ok(composed) => relay.send(&composed).await,
                    Err(fault) => Verdict::refused(None, fault),
                },
            },
            Content::Slack(slack) => match (&self.http, self.slack.get(&slack.destination)) {
                (Some(http), Some(uri)) => send_slack(http, uri, slack, now).await,
                _ => unknown(claimed),
            },
            Content::Webhook(webhook) => match (&self.http, self.webhooks.get(&webhook.destination)) {
                (Some(http), Some((uri, keys))) => {
                    send_webhook(http, uri, keys, (claimed.id, claimed.created_at, webhook), now).await
                }
                _ => unknown(claimed),
            },
        }
    }
}

/// Another replica may have it in its settings already, or an operator may add it.
fn unknown(claimed: &Claimed) -> Verdict {
    let destination = claimed.destination();
    let name = destination.as_ref().map_or("", Destination::name);
    Verdict::failed(None, format!("the settings have no delivery.{}.{name}", claimed.channel.as_str()))
}

fn uri(channel: Channel, name: &str, text: &str) -> Result<Uri, String> {
    text.parse().map_err(|_| format!("delivery.{}.{name}.url is no address", channel.as_str()))
}
