//! Answers on the standard output: text for people, proto JSON for programs.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use clap::ValueEnum;
use comfy_table::Table;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::arguments::GlobalOptions;
use crate::markdown::{escaped, markdown};

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Tables for people.
    Table,
    /// Markdown, to paste into a page.
    Markdown,
    /// JSON for programs, as the protobuf specification maps messages to it.
    Json,
}

static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(mainstay_api::FILE_DESCRIPTOR_SET).expect("the descriptor set of our own protos is whole")
});

/// Writes answers.
pub(crate) struct Output {
    format: OutputFormat,
    colored: bool,
    out: io::BufWriter<io::Stdout>,
}

impl Output {
    /// Output as the options ask for it. Colours only on a terminal.
    pub(crate) fn new(options: &GlobalOptions) -> Self {
        let colored = !options.no_color && io::stdout().is_terminal();
        Self { format: options.output, colored, out: io::BufWriter::new(io::stdout()) }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// How answers are written.
    pub(crate) fn format(&self) -> OutputFormat {
        self.format
    }

    /// Writes a line of text; as Markdown a paragraph, in which nothing is a mark.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            OutputFormat::Markdown => writeln!(self.out, "{}\n", harmless(&escaped(text))),
            OutputFormat::Table | OutputFormat::Json => writeln!(self.out, "{}", harmless(text)),
        }
    }

    /// Writes a table in CSV, and beside it what it is and as of when: programs read the table line by line.
    pub(crate) fn csv_table(&mut self, lines: &[String], title: &str) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.csv_line(line))?;
        note(&format!("{title}."));
        Ok(())
    }

    /// Writes a line of CSV: for a file as it is, for a terminal without what would make that do something.
    pub(crate) fn csv_line(&mut self, text: &str) -> io::Result<()> {
        if io::stdout().is_terminal() { writeln!(self.out, "{}", harmless(text)) } else { writeln!(self.out, "{text}") }
    }

    /// Writes the title of a report.
    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            OutputFormat::Markdown => writeln!(self.out, "# {}\n", harmless(&escaped(text))),
            OutputFormat::Table | OutputFormat::Json => self.line(text),
        }
    }

    /// Writes the title of a part of a report.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            OutputFormat::Markdown => writeln!(self.out, "## {}\n", harmless(&escaped(text))),
            OutputFormat::Table | OutputFormat::Json => self.line(&format!("\n{text}")),
        }
    }

    /// Writes a text that has its own line ends.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(harmless(text).as_bytes())
    }

    /// Writes a table.
    pub(crate) fn table(&mut self, mut table: Table) -> io::Result<()> {
        if self.format == OutputFormat::Markdown {
            return writeln!(self.out, "{}", harmless(&markdown(&table)));
        }
        table.force_no_tty();
        let plain = table.trim_fmt();
        match harmless(&plain) {
            // Colours are control characters, too: they are only for tables that have none of their own.
            Cow::Borrowed(_) if self.colored => {
                table.enforce_styling();
                writeln!(self.out, "{}", table.trim_fmt())
            }
            shown => writeln!(self.out, "{shown}"),
        }
    }

    /// Writes a message as one object over several lines.
    pub(crate) fn json_object<M: Message + Name>(&mut self, message: &M) -> io::Result<()> {
        let value = to_json(message)?;
        writeln!(self.out, "{value:#}")
    }

    /// Writes a message as one line.
    pub(crate) fn json_line<M: Message + Name>(&mut self, message: &M) -> io::Result<()> {
        let value = to_json(message)?;
        writeln!(self.out, "{value}")
    }

    /// Passes on what was written so far; a watcher's reader waits for it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A message in the JSON mapping of the protobuf specification: field names in
/// camel case, 64-bit integers as strings, times in RFC 3339, defaults left out.
pub(crate) fn to_json<M: Message + Name>(message: &M) -> io::Result<serde_json::Value> {
    let name = M::full_name();
    let unknown = || io::Error::other(format!("{name} is not in the descriptor set"));
    let descriptor = DESCRIPTORS.get_message_by_name(&name).ok_or_else(unknown)?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).map_err(io::Error::other)?;
    dynamic.serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new()).map_err(io::Error::other)
}

/// A message from the JSON mapping of the protobuf specification; names that are no fields are refused.
pub(crate) fn from_json<M: Message + Name + Default>(text: &str) -> Result<M, String> {
    let name = M::full_name();
    let descriptor = DESCRIPTORS.get_message_by_name(&name).ok_or(format!("{name} is not in the descriptor set"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor, &mut json).map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())?;
    dynamic.transcode_to().map_err(|error| error.to_string())
}

/// Tells people something beside the answer, on the standard error.
pub(crate) fn note(text: &str) {
    // Without a standard error there is nobody left to tell.
    writeln!(io::stderr(), "{}", harmless(text)).ok();
}

/// A text without what makes a terminal do something: customers write comments, and other systems names. Control characters
/// and those that turn the direction of writing stand as their codes.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |letter: char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t'))
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_harmful(letter) { shown.extend(letter.escape_unicode()) } else { shown.push(letter) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;
    use mainstay_api::mainstay::scoring::v1::{Band, Health};

    use super::*;

    #[test]
    fn what_makes_a_terminal_do_something_is_shown_as_its_code() {
        assert!(matches!(harmless("Zoë\tsaid 👋🏽:\n“fine”"), Cow::Borrowed(_)));
        assert_eq!(harmless("a\u{1b}[31mb\u{7}\rc\u{202e}d\u{9b}e"), "a\\u{1b}[31mb\\u{7}\\u{d}c\\u{202e}d\\u{9b}e");
    }

    #[test]
    fn messages_become_the_json_of_the_specification() {
        let health = Health {
            account: "accounts/acme".to_owned(),
            score: Some(63.5),
            band: Band::AtRisk as i32,
            score_time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            account_display_name: "Acme".to_owned(),
            arr: Some(Money { currency_code: "EUR".to_owned(), minor_units: 9_007_199_254_740_993 }),
            ..Health::default()
        };
        let expected = serde_json::json!({
            "account": "accounts/acme",
            "score": 63.5,
            "band": "BAND_AT_RISK",
            "scoreTime": "1970-01-01T00:00:00Z",
            "accountDisplayName": "Acme",
            "arr": { "currencyCode": "EUR", "minorUnits": "9007199254740993" },
        });
        assert_eq!(to_json(&health).expect("in the descriptor set"), expected);
    }
}
