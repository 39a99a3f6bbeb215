//! The sections of reports: each a table for people and for Markdown, and lines of CSV with figures as they are.

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::BIG_CHANGE_ABOVE;
use prost::{Message, Name};
use prost_types::Timestamp;

use crate::command::reports::HealthArguments;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{change, percent, points, table};
use crate::words::interventions::enum_word;
use crate::words::{SegmentWord, band, day_of_time, id_of, segment, time_text};

/// A part of a report.
pub(crate) struct Section {
    /// As an argument.
    pub(crate) name: &'static str,
    title: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
    /// What is said when there are no rows.
    nothing: &'static str,
}

struct Column {
    /// In tables; with `>` before it to the right.
    title: &'static str,
    /// In CSV.
    name: &'static str,
}

/// A figure or text, as people and as programs read it.
pub(super) struct Value {
    shown: String,
    raw: String,
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        let raw = text.into();
        Self { shown: raw.clone(), raw }
    }

    pub(super) fn count(count: impl Into<i64>) -> Self {
        Self::text(count.into().to_string())
    }

    pub(super) fn points(value: Option<f64>) -> Self {
        Self { shown: points(value), raw: figure(value) }
    }

    pub(super) fn change(value: Option<f64>) -> Self {
        Self { shown: change(value), raw: figure(value) }
    }

    /// A share, 1 being all, in percent with a decimal: goals are missed by less than a percent.
    pub(super) fn share(value: Option<f64>) -> Self {
        let shown = value.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0));
        Self { shown, raw: figure(value) }
    }

    /// A share, 1 being all, in whole percent.
    pub(super) fn percent(value: Option<f64>) -> Self {
        Self { shown: value.map_or_else(|| "–".to_owned(), percent), raw: figure(value) }
    }

    /// A change of a share, in points of a percent.
    pub(super) fn share_change(value: Option<f64>) -> Self {
        let shown = value.map_or_else(|| "–".to_owned(), |change| format!("{:+.1}", change * 100.0));
        Self { shown, raw: figure(value) }
    }

    /// Of a test.
    pub(super) fn probability(value: Option<f64>) -> Self {
        let shown =
            value.map_or_else(|| "–".to_owned(), |p| if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") });
        Self { shown, raw: figure(value) }
    }

    /// A number to one decimal.
    pub(super) fn decimal(value: Option<f64>) -> Self {
        let shown = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"));
        Self { shown, raw: figure(value) }
    }

    /// A number to three decimals.
    pub(super) fn thousandths(value: Option<f64>) -> Self {
        let shown = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        Self { shown, raw: figure(value) }
    }

    /// As people are shown it.
    pub(super) fn shown(self) -> String {
        self.shown
    }

    /// Puts a sign before it, for people.
    pub(super) fn put_before(&mut self, sign: &str) {
        self.shown.insert_str(0, sign);
    }

    /// An amount in one currency.
    pub(super) fn amount(given: Option<&Money>) -> Self {
        Self::money(given.map_or(&[], std::slice::from_ref))
    }

    pub(super) fn money(sums: &[Money]) -> Self {
        let joined = |amount: fn(&Money) -> String| sums.iter().map(amount).collect::<Vec<_>>().join("; ");
        let shown = if sums.is_empty() { "–".to_owned() } else { joined(money::format) };
        Self { shown, raw: joined(money::exact) }
    }
}

impl Section {
    /// Of a name as an argument, and a title for people.
    pub(super) fn new(
        (name, title): (&'static str, &'static str),
        columns: &[(&'static str, &'static str)],
        nothing: &'static str,
    ) -> Self {
        let columns = columns.iter().map(|&(title, name)| Column { title, name }).collect();
        Self { name, title, columns, rows: Vec::new(), nothing }
    }

    pub(super) fn with(mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// The header and a line for each row.
    pub(super) fn csv_lines(&self) -> Vec<String> {
        let header: Vec<String> = self.columns.iter().map(|column| column.name.to_owned()).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(|value| value.raw.clone()).collect());
        std::iter::once(header).chain(rows).map(|fields: Vec<String>| csv_line(&fields)).collect()
    }
}

/// Writes a report as JSON, as the section that has the name of the argument in CSV, or all of it for people, and as of when it is.
pub(super) fn show_report<M: Message + Name, S: ValueEnum>(
    (title, as_of): (&str, Option<Timestamp>),
    report: &M,
    sections: &[Section],
    only: Option<S>,
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(report)?);
    }
    let Some(word) = only else { return write(title, as_of, sections, output) };
    let name = word.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let section = sections.iter().find(|section| section.name == name);
    let section = section.ok_or_else(|| Failure::Usage(format!("the report has no section `{name}`")))?;
    let of = format!("{}: {title}, as of {}", section.title, time_text(as_of));
    Ok(output.csv_table(&section.csv_lines(), &of)?)
}

/// Writes a report for people.
pub(crate) fn write(
    title: &str,
    as_of: Option<Timestamp>,
    sections: &[Section],
    output: &mut Output,
) -> Result<(), Failure> {
    output.title(&format!("{title}, as of {}", time_text(as_of)))?;
    for section in sections {
        output.heading(section.title)?;
        if section.rows.is_empty() {
            output.line(section.nothing)?;
            continue;
        }
        let titles: Vec<&str> = section.columns.iter().map(|column| column.title).collect();
        let mut shown = table(&titles);
        for row in &section.rows {
            shown.add_row(row.iter().zip(&titles).map(|(value, title)| {
                let cell = Cell::new(&value.shown);
                if title.starts_with('>') { cell.set_alignment(CellAlignment::Right) } else { cell }
            }));
        }
        output.table(shown)?;
    }
    Ok(())
}

pub(super) fn band_word(one: proto::Band) -> &'static str {
    if one == proto::Band::Unspecified { "no score" } else { band(one) }
}

fn customers(titles: (&'static str, &'static str), nothing: &'static str, found: &[proto::CustomerReport]) -> Section {
    let columns = [
        ("ACCOUNT", "account"),
        ("NAME", "display_name"),
        ("SEGMENT", "segment"),
        (">SCORE", "score"),
        ("BAND", "band"),
        (">CHANGE", "change"),
        (">ARR", "arr"),
        ("RENEWAL", "renewal_day"),
        ("CSM", "csm_email"),
    ];
    let row = |one: &proto::CustomerReport| {
        vec![
            Value::text(id_of(&one.account)),
            Value::text(&one.display_name),
            Value::text(segment(one.segment())),
            Value::points(one.score),
            Value::text(band_word(one.band())),
            Value::change(one.change),
            Value::money(one.arr.as_slice()),
            Value::text(day_of_time(one.renewal_time)),
            Value::text(&one.csm_email),
        ]
    };
    Section::new(titles, &columns, nothing).with(found.iter().map(row))
}

/// The segments and the owner that were asked for; all where none was.
pub(super) fn asked_for(segments: &[SegmentWord], owner: &str) -> [Value; 2] {
    let segments: Vec<&str> = segments.iter().map(|word| segment(proto::Segment::from(*word))).collect();
    [segments.join(" "), owner.to_owned()]
        .map(|raw| Value { shown: if raw.is_empty() { "all".to_owned() } else { raw.clone() }, raw })
}

/// What the report is of.
fn summary(report: &proto::HealthReport, asked: &HealthArguments) -> Section {
    let columns = [
        (">CUSTOMERS", "customers"),
        (">MEAN SCORE", "mean_score"),
        ("COMPARED WITH", "compare_day"),
        ("OLDEST SCORES", "oldest_score_day"),
        ("SEGMENTS", "segments"),
        ("LOOKED AFTER BY", "owner_email"),
        (">LISTED FROM", "change_at_least"),
        (">REFERENCEABLE", "customers_referenceable"),
        (">SHARE", "referenceable_share"),
        (">READY TO GROW", "customers_ready_to_grow"),
        (">THEIR ARR", "arr_ready_to_grow"),
    ];
    let [segments, owner] = asked_for(&asked.segment, &asked.owner);
    let mut from = Value::points(asked.change);
    from.shown =
        asked.change.map_or_else(|| format!("over ± {}", BIG_CHANGE_ABOVE.as_f64()), |_| format!("± {}", from.shown));
    Section::new(("summary", "Customers"), &columns, "").with([vec![
        Value::count(report.account_count),
        Value::points(report.mean_score),
        Value::text(&report.compare_day),
        Value::text(&report.oldest_score_day),
        segments,
        owner,
        from,
        Value::count(report.referenceable_account_count),
        Value::share(report.referenceable_share),
        Value::count(report.ready_to_grow_account_count),
        Value::money(&report.ready_to_grow_arr),
    ]])
}

/// Those of a report of health, as it was asked for.
pub(crate) fn health_sections(report: &proto::HealthReport, asked: &HealthArguments) -> Vec<Section> {
    let bands = [("BAND", "band"), (">CUSTOMERS", "customers"), (">BEFORE", "customers_before"), (">ARR", "arr")];
    let bands =
        Section::new(("bands", "Bands"), &bands, "There are no customers.").with(report.bands.iter().map(|one| {
            vec![
                Value::text(band_word(one.band())),
                Value::count(one.account_count),
                Value::count(one.account_count_before),
                Value::money(&one.arr),
            ]
        }));
    let moves = [("FROM", "from_band"), ("TO", "to_band"), (">CUSTOMERS", "customers"), (">ARR", "arr")];
    let moves =
        Section::new(("moves", "Moves between bands"), &moves, "Nobody moved.").with(report.moves.iter().map(|one| {
            vec![
                Value::text(band_word(one.from_band())),
                Value::text(band_word(one.to_band())),
                Value::count(one.account_count),
                Value::money(&one.arr),
            ]
        }));
    let segments = [
        ("SEGMENT", "segment"),
        (">CUSTOMERS", "customers"),
        (">MEAN SCORE", "mean_score"),
        (">CHANGE", "mean_change"),
        (">AT RISK", "customers_at_risk"),
        (">ARR AT RISK", "arr_at_risk"),
    ];
    let segments = Section::new(("segments", "Segments"), &segments, "There are no customers.").with(
        report.segments.iter().map(|one| {
            vec![
                Value::text(segment(one.segment())),
                Value::count(one.account_count),
                Value::points(one.mean_score),
                Value::change(one.mean_change),
                Value::count(one.at_risk_count),
                Value::money(&one.at_risk_arr),
            ]
        }),
    );
    let trend = [
        ("DAY", "day"),
        (">SCORED", "customers_scored"),
        (">MEAN SCORE", "mean_score"),
        (">AT RISK", "customers_at_risk"),
        (">CRITICAL", "customers_critical"),
    ];
    let trend = Section::new(("trend", "Week over week"), &trend, "").with(report.trend.iter().map(|one| {
        vec![
            Value::text(&one.day),
            Value::count(one.scored_count),
            Value::points(one.mean_score),
            Value::count(one.at_risk_count),
            Value::count(one.critical_count),
        ]
    }));
    let triggers = [("CONDITION", "condition"), (">LAST", "lasting"), (">BEGAN", "raised"), (">ENDED", "cleared")];
    let triggers = Section::new(("triggers", "What puts customers at risk"), &triggers, "Nothing does.").with(
        report.risk_triggers.iter().map(|one| {
            vec![
                Value::text(enum_word(one.kind().as_str_name(), "RISK_TRIGGER_KIND_")),
                Value::count(one.lasting_count),
                Value::count(one.raised_count),
                Value::count(one.cleared_count),
            ]
        }),
    );
    vec![
        summary(report, asked),
        bands,
        moves,
        segments,
        trend,
        customers(("fallen", "Fell most"), "Nobody fell so far.", &report.fallen),
        customers(("risen", "Rose most"), "Nobody rose so far.", &report.risen),
        customers(("at-risk", "Most revenue at risk"), "Nobody is at risk.", &report.at_risk),
        triggers,
        ready_to_grow(&report.ready_to_grow),
        time_to_value(report),
    ]
}

/// Customers who may need a larger plan.
fn ready_to_grow(found: &[proto::CustomerReport]) -> Section {
    let columns = [
        ("ACCOUNT", "account"),
        ("NAME", "display_name"),
        ("SEGMENT", "segment"),
        (">SCORE", "score"),
        ("LIMIT", "near_limit_metric"),
        (">USED", "near_limit_share"),
        (">ARR", "arr"),
        ("RENEWAL", "renewal_day"),
        ("CSM", "csm_email"),
    ];
    let row = |one: &proto::CustomerReport| {
        vec![
            Value::text(id_of(&one.account)),
            Value::text(&one.display_name),
            Value::text(segment(one.segment())),
            Value::points(one.score),
            Value::text(&one.near_limit_metric),
            Value::share(one.near_limit_share),
            Value::money(one.arr.as_slice()),
            Value::text(day_of_time(one.renewal_time)),
            Value::text(&one.csm_email),
        ]
    };
    let titles = ("ready-to-grow", "Ready to grow: not at risk, and near a limit of their plan");
    Section::new(titles, &columns, "Nobody is near a limit.").with(found.iter().map(row))
}

fn time_to_value(report: &proto::HealthReport) -> Section {
    let columns = [(">MEDIAN DAYS", "median_days"), (">ACTIVATED", "customers_activated")];
    let row = report.time_to_value_days_median.map(|days| {
        let median = Value { shown: format!("{days:.1}"), raw: figure(Some(days)) };
        vec![median, Value::count(report.activated_count)]
    });
    Section::new(
        ("time-to-value", "From sign-up to activation, of the last 365 days"),
        &columns,
        "Nobody was activated.",
    )
    .with(row)
}

/// Every section of a report can be asked for by its word, and no other.
#[cfg(test)]
pub(crate) fn assert_asked_for_by<S: ValueEnum>(sections: &[Section]) {
    let words = S::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
    assert_eq!(sections.iter().map(|section| section.name).collect::<Vec<_>>(), words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::reports::{HealthSection, PeriodWord};

    fn asked() -> HealthArguments {
        HealthArguments {
            period: PeriodWord::Month,
            segment: Vec::new(),
            owner: String::new(),
            size: 10,
            change: Some(15.0),
            csv: None,
        }
    }

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        assert_asked_for_by::<HealthSection>(&health_sections(&proto::HealthReport::default(), &asked()));
    }

    #[test]
    fn csv_has_figures_as_they_are_and_tables_have_them_for_people() {
        let customer = proto::CustomerReport {
            account: "accounts/acme".to_owned(),
            display_name: "Acme, Ltd".to_owned(),
            score: Some(61.25),
            band: proto::Band::AtRisk.into(),
            change: Some(-17.125),
            arr: Some(Money { currency_code: "EUR".to_owned(), minor_units: 1_200_000 }),
            ..Default::default()
        };
        let report = proto::HealthReport { fallen: vec![customer], ..Default::default() };
        let sections = health_sections(&report, &asked());
        let fallen = sections.iter().find(|section| section.name == "fallen").expect("the section");
        assert_eq!(
            fallen.csv_lines(),
            [
                "account,display_name,segment,score,band,change,arr,renewal_day,csm_email",
                "acme,\"Acme, Ltd\",,61.25,at risk,-17.125,12000.00 EUR,,",
            ]
        );
        assert_eq!((fallen.rows[0][3].shown.as_str(), fallen.rows[0][5].shown.as_str()), ("61.2", "▼ 17.1"));
    }
}
