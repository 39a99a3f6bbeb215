//! Sources of data, and whether they went silent.

use chrono::NaiveDate;
use mainstay_domain::is_key;

use super::series::{SeriesKey, SeriesKind};
use super::signal::SignalKind;
use super::story_source::StorySource;

/// Days before the newest in which a source's longest pause is looked for.
pub(crate) const PAUSE_DAYS: i64 = 90;
/// On so many of these days a source must have spoken for its pauses to tell what is usual: disputes of two days in a row promise none
/// on the third.
const USUAL_DAYS_MIN: i64 = 7;
/// A source that spoke on fewer days is silent after this many more, at least.
const RARE_SILENCE_DAYS: i64 = 30;
/// No source is silent before so many days have passed.
const SILENCE_DAYS_MIN: i64 = 2;
/// A system that told nothing of a kind for so long is given up, as a help desk is that another one replaced: it is a source no more.
pub(crate) const SYSTEM_KEPT_DAYS: i64 = 180;

/// Where data comes from: signals of a kind whoever sends them, or all that one system tells of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DataSource {
    Users,
    Features,
    Metric(String),
    Stories(StorySource),
    System { system: String, told: Told },
}

impl DataSource {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Users => "users".to_owned(),
            Self::Features => "features".to_owned(),
            Self::Metric(metric) => format!("metrics/{metric}"),
            Self::Stories(source) => format!("stories/{}", source.name()),
            Self::System { system, told } => format!("systems/{system}/{}", told.word()),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None if text == "users" => Some(Self::Users),
            None if text == "features" => Some(Self::Features),
            Some(("metrics", metric)) => is_key(metric).then(|| Self::Metric(metric.to_owned())),
            Some(("stories", name)) => {
                StorySource::ALL.into_iter().find(|source| source.name() == name).map(Self::Stories)
            }
            Some(("systems", name)) => {
                let (system, word) = name.split_once('/')?;
                let told = Told::parse(word)?;
                is_key(system).then(|| Self::System { system: system.to_owned(), told })
            }
            _ => None,
        }
    }

    /// The source whose days are stored so; none for a single feature, which is one of all.
    pub(crate) fn of_series(key: &SeriesKey) -> Option<Self> {
        match key.kind {
            SeriesKind::User => Some(Self::Users),
            SeriesKind::Feature => key.name.is_empty().then_some(Self::Features),
            SeriesKind::Usage | SeriesKind::Gauge => Some(Self::Metric(key.name.clone())),
            SeriesKind::Story => {
                StorySource::ALL.into_iter().find(|source| source.name() == key.name).map(Self::Stories)
            }
        }
    }
}

/// What a system tells: signals of a kind, or the fields of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Told {
    Accounts,
    Signals(SignalKind),
}

impl Told {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Accounts => "account",
            Self::Signals(kind) => kind.word(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut all = SignalKind::ALL.into_iter().map(Self::Signals).chain([Self::Accounts]);
        all.find(|told| told.word() == text)
    }
}

/// A day on which a system told something of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SystemDay<'a> {
    pub system: &'a str,
    pub told: Told,
    pub day: NaiveDate,
}

/// A source, by the days on which it spoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceDays {
    pub source: DataSource,
    pub last_day: NaiveDate,
    /// On how many days it spoke in the [`PAUSE_DAYS`] before the newest, that one included.
    pub spoken_days: i64,
    /// The longest pause between two of them; none: there was one day only.
    pub longest_pause_days: Option<i64>,
}

impl SourceDays {
    /// How many days ago it spoke last; 0 today or ahead of the clock.
    pub(crate) fn silent_days(&self, today: NaiveDate) -> i64 {
        (today - self.last_day).num_days().max(0)
    }

    /// Whether it went silent: for longer than twice its longest pause.
    pub(crate) fn is_silent(&self, today: NaiveDate) -> bool {
        let least = if self.spoken_days < USUAL_DAYS_MIN { RARE_SILENCE_DAYS } else { SILENCE_DAYS_MIN };
        self.silent_days(today) > (2 * self.longest_pause_days.unwrap_or(0)).max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn r217_a_source_is_silent_after_twice_its_usual_pause_and_later_where_nothing_is_usual() {
        let source = |spoken_days, longest_pause_days| SourceDays {
            source: DataSource::Users,
            last_day: day("2026-03-01"),
            spoken_days,
            longest_pause_days,
        };
        for (spoken, pause, last_day_not_silent) in [
            (7, Some(1), "2026-03-03"),
            (90, Some(3), "2026-03-07"),
            (1, None, "2026-03-31"),
            // Too few days to know what is usual.
            (6, Some(1), "2026-03-31"),
            (2, Some(20), "2026-04-10"),
        ] {
            let last = day(last_day_not_silent);
            assert!(!source(spoken, pause).is_silent(last), "{spoken} days, {pause:?}");
            assert!(source(spoken, pause).is_silent(last + chrono::TimeDelta::days(1)), "{spoken} days, {pause:?}");
        }
        assert_eq!(source(1, None).silent_days(day("2026-02-20")), 0, "signals may be ahead of the clock");
    }
}
