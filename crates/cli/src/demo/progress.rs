//! How far the demo is: a bar on a terminal, else a line for each month.

use std::io::{self, IsTerminal};
use std::time::Instant;

use chrono::{Datelike, NaiveDate};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::note;
use mainstay_domain::grouped;

/// How much was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Accounts made.
    pub(crate) accounts: usize,
    /// Signals recorded.
    pub(crate) signals: usize,
}

/// Shows the day, and what was sent until then.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Progress {
    /// Progress over so many days.
    pub(crate) fn over(days: usize, started: Instant) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(u64::try_from(days).unwrap_or(u64::MAX));
            match ProgressStyle::with_template("{bar:30} {msg}") {
                Ok(style) => bar.with_style(style.progress_chars("█▌░")),
                Err(_) => bar,
            }
        });
        Self { bar, started }
    }

    /// A day is done.
    pub(crate) fn day_done(&self, day: NaiveDate, sent: Sent) {
        let text = line(day, sent, self.started.elapsed().as_secs());
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.inc(1);
            }
            None if is_last_of_month(day) => note(&text),
            None => {}
        }
    }

    /// All days are done.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}

fn is_last_of_month(day: NaiveDate) -> bool {
    day.succ_opt().is_none_or(|next| next.month() != day.month())
}

fn line(day: NaiveDate, sent: Sent, seconds: u64) -> String {
    format!(
        "{day}  {} accounts  {} signals  {seconds} s",
        grouped(&sent.accounts.to_string()),
        grouped(&sent.signals.to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_day_and_what_was_sent() {
        let day: NaiveDate = "1997-09-30".parse().expect("a day");
        assert_eq!(
            line(day, Sent { accounts: 2_357, signals: 15_111 }, 42),
            "1997-09-30  2,357 accounts  15,111 signals  42 s"
        );
        assert!(is_last_of_month(day));
        assert!(!is_last_of_month("1997-09-29".parse().expect("a day")));
        assert!(is_last_of_month("1997-02-28".parse().expect("a day")));
    }
}
