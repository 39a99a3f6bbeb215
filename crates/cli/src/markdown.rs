//! Tables as Markdown (GitHub's), to paste into a page or a ticket.

use comfy_table::{Cell, CellAlignment, Row, Table};

/// A table with a line for each row. One without a header gets an empty one, for Markdown knows no other.
pub(crate) fn markdown(table: &Table) -> String {
    let header = table.header().map(cells).unwrap_or_default();
    let width = table.row_iter().map(|row| row.cell_iter().count()).chain([header.len()]).max().unwrap_or_default();
    let titles: Vec<&Cell> = table.header().map(|row| row.cell_iter().collect()).unwrap_or_default();
    let rule = |place: usize| if titles.get(place).is_some_and(|title| stands_right(title)) { "---:" } else { "---" };
    let rules = (0..width).map(|place| rule(place).to_owned()).collect();
    let rows = table.row_iter().map(cells);
    [header, rules].into_iter().chain(rows).map(|row| line(&row, width)).collect()
}

/// Whether a title stands to the right, with its column: to set that again changes nothing.
fn stands_right(title: &Cell) -> bool {
    title.clone().set_alignment(CellAlignment::Right) == *title
}

fn cells(row: &Row) -> Vec<String> {
    row.cell_iter().map(Cell::content).collect()
}

fn line(cells: &[String], width: usize) -> String {
    let shown = (0..width).map(|place| cells.get(place).map_or_else(String::new, |cell| escaped(cell)));
    format!("| {} |\n", shown.collect::<Vec<_>>().join(" | "))
}

/// A text without what would end a cell or a row, or be a mark of Markdown's own.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.trim().chars() {
        match letter {
            '\\' | '|' | '`' | '*' | '_' | '<' | '[' | '&' | '~' => shown.extend(['\\', letter]),
            '\n' | '\r' | '\t' => shown.push(' '),
            _ => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{facts, table};

    #[test]
    fn tables_keep_their_columns_whatever_is_in_them() {
        let mut rows = table(&["NAME", ">SCORE"]);
        rows.add_row(["a|b\nc", "62.5"]).add_row(["*x*"]);
        assert_eq!(markdown(&rows), "| NAME | SCORE |\n| --- | ---: |\n| a\\|b c | 62.5 |\n| \\*x\\* |  |\n");
        assert_eq!(
            markdown(&facts(vec![("as of", "today".to_owned())])),
            "|  |  |\n| --- | --- |\n| as of | today |\n"
        );
    }
}
