//! Cursors: opaque to readers, checked when they come back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_storage::fingerprint;
use uuid::Uuid;

/// First byte of a cursor; another layout gets another number.
const VERSION: u8 = 1;

/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 6;

/// Bytes before the checksum: version, feed, offset.
const BODY_BYTES: usize = 1 + 16 + 8;

/// A place in a feed: after the event with the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Identity of the feed, which a feed made anew does not share.
    pub(crate) feed_id: Uuid,
    /// Offset of the last event before the cursor; 0 for none.
    pub(crate) offset: i64,
}

impl Cursor {
    /// The cursor as text, for readers of the feed with the given name.
    pub(crate) fn encode(self, feed: &str) -> String {
        let mut bytes = Vec::with_capacity(BODY_BYTES + CHECKSUM_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.feed_id.as_bytes());
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        let checksum = checksum(feed, &bytes);
        bytes.extend_from_slice(&checksum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor; `None` unless it was made by [`Cursor::encode`] for a feed of this name.
    pub(crate) fn decode(text: &str, feed: &str) -> Option<Self> {
        let bytes: [u8; BODY_BYTES + CHECKSUM_BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (body, given_checksum) = bytes.split_at(BODY_BYTES);
        if body[0] != VERSION || given_checksum != checksum(feed, body) {
            return None;
        }
        let feed_id = Uuid::from_slice(&body[1..17]).ok()?;
        let offset = i64::from_be_bytes(body[17..].try_into().ok()?);
        (offset >= 0).then_some(Self { feed_id, offset })
    }
}

fn checksum(feed: &str, body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = fingerprint(&[b"mainstay.events.cursor", feed.as_bytes(), body]);
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURSOR: Cursor =
        Cursor { feed_id: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef), offset: 49_439 };

    #[test]
    fn a_cursor_is_read_back_as_what_it_was() {
        for offset in [0, 1, 49_439, i64::MAX] {
            let cursor = Cursor { offset, ..CURSOR };
            assert_eq!(Cursor::decode(&cursor.encode("scoring"), "scoring"), Some(cursor));
        }
    }

    #[test]
    fn the_text_of_a_cursor_never_changes() {
        // Readers keep cursors over upgrades.
        assert_eq!(CURSOR.encode("scoring"), "AQEjRWeJq83vASNFZ4mrze8AAAAAAADBHytrSfCcLw");
    }

    #[test]
    fn another_feeds_cursor_is_refused() {
        assert_eq!(Cursor::decode(&CURSOR.encode("scoring"), "surveys"), None);
    }

    #[test]
    fn a_cursor_with_any_character_changed_is_refused() {
        let text = CURSOR.encode("scoring");
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("text");
            assert_eq!(Cursor::decode(&changed, "scoring"), None, "{changed}");
        }
        for cut in 0..text.len() {
            assert_eq!(Cursor::decode(&text[..cut], "scoring"), None);
        }
    }

    #[test]
    fn a_negative_offset_is_refused() {
        assert_eq!(Cursor::decode(&Cursor { offset: -1, ..CURSOR }.encode("scoring"), "scoring"), None);
    }
}
