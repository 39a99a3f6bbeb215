//! Tables, and the small pictures in them.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};
use mainstay_api::mainstay::scoring::v1::Band;

use crate::words;

/// An empty table with a header, as wide as what is in it: ids that are broken over lines cannot be copied. Columns whose title begins with `>` stand to the right.
pub(crate) fn table(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(titles.iter().map(|title| title_cell(title)));
    for (place, title) in titles.iter().enumerate() {
        if let Some(column) = table.column_mut(place) {
            column.set_padding((0, 2));
            if title.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table
}

/// Its own place is set as well as its column's, which cannot be asked for it.
fn title_cell(title: &str) -> Cell {
    let cell = Cell::new(title.trim_start_matches('>')).add_attribute(Attribute::Bold);
    if title.starts_with('>') { cell.set_alignment(CellAlignment::Right) } else { cell }
}

/// A table of names and values without a header.
pub(crate) fn facts(rows: Vec<(&str, String)>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for (name, value) in rows {
        table.add_row([Cell::new(name).add_attribute(Attribute::Bold), Cell::new(value)]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The colour of a band.
fn color(band: Band) -> Option<Color> {
    match band {
        Band::Unspecified => None,
        Band::Critical => Some(Color::Red),
        Band::AtRisk => Some(Color::Yellow),
        Band::Stable => Some(Color::Cyan),
        Band::Healthy => Some(Color::Green),
    }
}

/// A band in its colour.
pub(crate) fn band_cell(band: Band) -> Cell {
    band_cell_with(band, "")
}

/// A band in its colour, and what stands behind it.
pub(crate) fn band_cell_with(band: Band, behind: &str) -> Cell {
    colored(Cell::new(format!("{}{behind}", words::band(band))), band)
}

/// A score in its band's colour.
pub(crate) fn score_cell(score: Option<f64>, band: Band) -> Cell {
    colored(Cell::new(points(score)), band)
}

fn colored(cell: Cell, band: Band) -> Cell {
    match color(band) {
        Some(color) => cell.fg(color),
        None => cell,
    }
}

/// Points with one decimal; a dash for none.
pub(crate) fn points(points: Option<f64>) -> String {
    points.map_or_else(|| "–".to_owned(), |points| format!("{points:.1}"))
}

/// A change with its direction: `▲ 3.2`, `▼ 15.0`, `= 0.0`; a dash for none.
pub(crate) fn change(change: Option<f64>) -> String {
    let Some(change) = change else { return "–".to_owned() };
    let size = format!("{:.1}", change.abs());
    let arrow = match change {
        _ if size == "0.0" => '=',
        rise if rise > 0.0 => '▲',
        _ => '▼',
    };
    format!("{arrow} {size}")
}

/// A change in the colour of its direction.
pub(crate) fn change_cell(points: Option<f64>) -> Cell {
    let text = change(points);
    let color = match text.chars().next() {
        Some('▲') => Some(Color::Green),
        Some('▼') => Some(Color::Red),
        _ => None,
    };
    let cell = Cell::new(text).set_alignment(CellAlignment::Right);
    match color {
        Some(color) => cell.fg(color),
        None => cell,
    }
}

/// A share of 0 to 1 in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// A bar for `value` out of `most`, `width` characters wide: what there is, and
/// what is missing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 and the width before")]
pub(crate) fn bar(value: f64, most: f64, width: usize) -> String {
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    let filled = (share * width as f64).round() as usize;
    format!("{}{}", "█".repeat(filled), "░".repeat(width - filled))
}

/// A line of scores, oldest first, between the lowest and the highest of them;
/// a gap where there is none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the levels by construction")]
pub(crate) fn sparkline(scores: &[Option<f64>]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || scores.iter().copied().flatten();
    let lowest = known().fold(f64::INFINITY, f64::min);
    let span = known().fold(f64::NEG_INFINITY, f64::max) - lowest;
    let level = |score: f64| {
        let share = if span > 0.0 { (score - lowest) / span } else { 0.5 };
        LEVELS[(share * (LEVELS.len() - 1) as f64).round() as usize]
    };
    scores.iter().map(|score| score.map_or(' ', level)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_end_without_spaces() {
        let mut table = table(&["ACCOUNT", ">SCORE", ">30 D"]);
        table.add_row([Cell::new("acme"), score_cell(Some(63.5), Band::AtRisk), change_cell(Some(-15.04))]);
        table.add_row([Cell::new("globex-international"), score_cell(None, Band::Unspecified), change_cell(None)]);
        table.force_no_tty();
        let expected = "\
ACCOUNT               SCORE    30 D
acme                   63.5  ▼ 15.0
globex-international      –       –";
        assert_eq!(table.trim_fmt(), expected);
    }

    #[test]
    fn changes_show_their_direction() {
        assert_eq!(
            [Some(3.16), Some(-0.26), Some(0.01), Some(-0.04), None].map(change),
            ["▲ 3.2", "▼ 0.3", "= 0.0", "= 0.0", "–"]
        );
    }

    #[test]
    fn bars_and_lines_stay_within_their_width() {
        assert_eq!(bar(30.0, 60.0, 10), "█████░░░░░");
        assert_eq!(bar(61.0, 60.0, 4), "████");
        assert_eq!(bar(-1.0, 60.0, 4), "░░░░");
        assert_eq!(bar(1.0, 0.0, 4), "░░░░");
        assert_eq!(sparkline(&[Some(50.0), None, Some(60.0), Some(85.0)]), "▁ ▃█");
        assert_eq!(sparkline(&[Some(70.0), Some(70.0)]), "▅▅");
        assert_eq!(sparkline(&[]), "");
    }
}
