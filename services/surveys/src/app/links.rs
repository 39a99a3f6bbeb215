//! Links that name nobody, end, and cannot be altered.
//!
//! A token is base64url, without padding, of: version, purpose, the invitation's id, when it ends (seconds since 1970;
//! 0: never), and an HMAC-SHA-256 over all of it. Who has a token can do what it is for; nothing can be read from it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

const VERSION: u8 = 1;
/// Keeps a signature of ours from being one for anything else that is signed with the same secret.
const CONTEXT: &[u8] = b"mainstay.surveys.link\0";
const PAYLOAD_BYTES: usize = 1 + 1 + 16 + 8;
const SIGNATURE_BYTES: usize = 32;
/// Characters of a token: base64 of 58 bytes.
const TOKEN_LENGTH: usize = 78;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkPurpose {
    /// To answer.
    Answer,
    /// Not to be asked any more.
    Unsubscribe,
}

impl LinkPurpose {
    fn byte(self) -> u8 {
        match self {
            Self::Answer => 1,
            Self::Unsubscribe => 2,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Answer => "a",
            Self::Unsubscribe => "u",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub purpose: LinkPurpose,
    pub invitation: Uuid,
    /// None: it does not end.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes and checks the links of mails.
pub(crate) struct Links {
    /// Where the answer page is for customers, without a slash at the end.
    public_url: String,
    /// The first signs; all are good for checking.
    secrets: Vec<Vec<u8>>,
}

impl Links {
    /// Links below a URL, signed with the first secret; links that were signed with the others are good too.
    pub(crate) fn new(public_url: &str, secrets: Vec<Vec<u8>>) -> Self {
        Self { public_url: public_url.trim_end_matches('/').to_owned(), secrets }
    }

    /// The address of a link.
    pub(crate) fn url(&self, link: &Link) -> String {
        format!("{}/{}/{}", self.public_url, link.purpose.path(), self.token(link))
    }

    fn token(&self, link: &Link) -> String {
        let mut bytes = Vec::with_capacity(PAYLOAD_BYTES + SIGNATURE_BYTES);
        bytes.extend([VERSION, link.purpose.byte()]);
        bytes.extend(link.invitation.as_bytes());
        bytes.extend(link.expires_at.map_or(0, |time| time.timestamp()).to_be_bytes());
        let secret = self.secrets.first().map(Vec::as_slice).unwrap_or_default();
        let signature = signed(secret, &bytes).finalize().into_bytes();
        bytes.extend(signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token for this purpose says; none for one that we did not make. Whether it has ended is for the caller to say.
    pub(crate) fn read(&self, token: &str, purpose: LinkPurpose) -> Option<Link> {
        if token.len() != TOKEN_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, signature) = bytes.split_at_checked(PAYLOAD_BYTES)?;
        if !self.secrets.iter().any(|secret| signed(secret, payload).verify_slice(signature).is_ok()) {
            return None;
        }
        let (version_and_purpose, rest) = payload.split_at_checked(2)?;
        let (invitation, expiry) = rest.split_at_checked(16)?;
        if version_and_purpose != [VERSION, purpose.byte()] {
            return None;
        }
        let seconds = i64::from_be_bytes(expiry.try_into().ok()?);
        let expires_at = if seconds == 0 { None } else { Some(DateTime::from_timestamp(seconds, 0)?) };
        Some(Link { purpose, invitation: Uuid::from_slice(invitation).ok()?, expires_at })
    }
}

/// The signature of a payload, to be finished or checked. Keys of any length are good for an HMAC.
fn signed(secret: &[u8], payload: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(CONTEXT);
    mac.update(payload);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn links(secrets: &[&str]) -> Links {
        Links::new("https://s.example/", secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect())
    }

    fn link(purpose: LinkPurpose) -> Link {
        Link { purpose, invitation: Uuid::from_u128(7), expires_at: DateTime::from_timestamp(1_800_000_000, 0) }
    }

    fn token(links: &Links, link: &Link) -> String {
        links.url(link).rsplit('/').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_link_says_what_it_was_made_of_and_only_for_its_purpose() {
        let links = links(&["secret"]);
        let made = link(LinkPurpose::Answer);
        assert!(links.url(&made).starts_with("https://s.example/a/"), "{}", links.url(&made));
        let token = token(&links, &made);
        assert_eq!(links.read(&token, LinkPurpose::Answer), Some(made));
        assert_eq!(links.read(&token, LinkPurpose::Unsubscribe), None);
        let endless = Link { expires_at: None, ..link(LinkPurpose::Unsubscribe) };
        assert_eq!(links.read(&super::tests::token(&links, &endless), LinkPurpose::Unsubscribe), Some(endless));
    }

    #[test]
    fn a_rotated_secret_is_good_until_it_is_taken_away() {
        let made = link(LinkPurpose::Answer);
        let old = token(&links(&["old"]), &made);
        assert_eq!(links(&["new", "old"]).read(&old, LinkPurpose::Answer), Some(made));
        assert_eq!(links(&["new"]).read(&old, LinkPurpose::Answer), None);
        assert_ne!(token(&links(&["new", "old"]), &made), old, "the first secret signs");
    }

    proptest! {
        #[test]
        fn no_altered_token_is_read(place in 0usize..TOKEN_LENGTH, letter in "[A-Za-z0-9_-]") {
            let links = links(&["secret"]);
            let token = token(&links, &link(LinkPurpose::Answer));
            let mut altered = token.clone();
            altered.replace_range(place..=place, &letter);
            prop_assert_eq!(links.read(&altered, LinkPurpose::Answer).is_some(), altered == token);
        }

        #[test]
        fn nothing_that_is_no_token_is_read(text in ".{0,200}") {
            prop_assert_eq!(links(&["secret"]).read(&text, LinkPurpose::Answer), None);
        }
    }
}
