//! Where a message goes: channel and destination, together its lane.

use std::fmt;

/// How a message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// By SMTP, through the relay of the settings.
    Email,
    /// To a Slack incoming webhook.
    Slack,
    /// To a receiver of Standard Webhooks, signed.
    Webhook,
}

impl Channel {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Email, Self::Slack, Self::Webhook];

    /// Its name: the label of metrics, the first part of a lane.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Webhook => "webhook",
        }
    }

    /// Its number in the database.
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Email => 1,
            Self::Slack => 2,
            Self::Webhook => 3,
        }
    }

    pub(crate) fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.code() == code)
    }
}

/// The longest name of a destination, in characters.
pub(crate) const DESTINATION_LENGTH_MAX: usize = 40;

/// A destination: one for all email, one for each Slack address and each webhook of the settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    channel: Channel,
    name: String,
}

impl Destination {
    /// The relay, where all email goes.
    pub fn email() -> Self {
        Self { channel: Channel::Email, name: String::new() }
    }

    /// A Slack address or webhook of the settings, by its name: `[a-z][a-z0-9_-]{0,39}`. `None` when `name` is no such
    /// name, or the channel is email, whose destination has no name.
    pub fn named(channel: Channel, name: &str) -> Option<Self> {
        (channel != Channel::Email && is_destination_name(name)).then(|| Self { channel, name: name.to_owned() })
    }

    /// Its channel.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Its name in the settings; empty for email.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None => (text == Channel::Email.as_str()).then(Self::email),
            Some((channel, name)) => {
                let channel = Channel::ALL.into_iter().find(|known| known.as_str() == channel)?;
                Self::named(channel, name)
            }
        }
    }
}

/// `email`, `slack/{name}` or `webhook/{name}`.
impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.channel == Channel::Email {
            out.write_str(self.channel.as_str())
        } else {
            write!(out, "{}/{}", self.channel.as_str(), self.name)
        }
    }
}

/// Whether a text is `[a-z][a-z0-9_-]{0,39}`: what a key of the settings can be in a file and in the environment.
pub(crate) fn is_destination_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    text.len() <= DESTINATION_LENGTH_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let named = Destination::named(Channel::Webhook, "crm-eu").expect("a name");
        for destination in [Destination::email(), named] {
            assert_eq!(Destination::parse(&destination.to_string()), Some(destination));
        }
    }

    #[test]
    fn what_is_no_destination_is_refused() {
        for text in ["", "email/", "email/a", "slack", "slack/", "slack/A", "fax/a", "webhook/a/b", "webhook/1"] {
            assert_eq!(Destination::parse(text), None, "{text}");
        }
        assert_eq!(Destination::named(Channel::Slack, &"a".repeat(41)), None);
    }

    #[test]
    fn codes_give_their_channels_back() {
        for channel in Channel::ALL {
            assert_eq!(Channel::from_code(channel.code()), Some(channel));
        }
        assert_eq!(Channel::from_code(0), None);
    }
}
