//! Rows in the binary form of COPY: <https://www.postgresql.org/docs/current/sql-copy.html>.

use chrono::{DateTime, Utc};

/// 2000-01-01 in microseconds since 1970, from which PostgreSQL counts.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Rows being written.
#[derive(Debug, Default)]
pub(crate) struct CopyRows(Vec<u8>);

impl CopyRows {
    /// The beginning of a COPY.
    pub(crate) fn header() -> Self {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        bytes.extend([0; 8]);
        Self(bytes)
    }

    /// The end of a COPY.
    pub(crate) fn trailer() -> Vec<u8> {
        (-1_i16).to_be_bytes().to_vec()
    }

    /// Begins a row of so many fields.
    pub(crate) fn row(&mut self, fields: i16) -> &mut Self {
        self.0.extend(fields.to_be_bytes());
        self
    }

    /// A field by its bytes, or NULL.
    pub(crate) fn field(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        let length = bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.0.extend(length.to_be_bytes());
        self.0.extend(bytes.unwrap_or_default());
        self
    }

    /// A `text`.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.field(Some(text.as_bytes()))
    }

    /// A `timestamptz`.
    pub(crate) fn time(&mut self, time: DateTime<Utc>) -> &mut Self {
        self.field(Some(&(time.timestamp_micros() - POSTGRES_EPOCH_MICROS).to_be_bytes()))
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
