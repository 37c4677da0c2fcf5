//! How tables of people look: a line under the header, and nothing else between them and the numbers.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// An empty table with these columns; `true` marks a column of numbers, which stand at the right. Fits the terminal.
pub fn table<'a>(columns: impl IntoIterator<Item = (&'a str, bool)>) -> Table {
    let (names, right): (Vec<&str>, Vec<bool>) = columns.into_iter().unzip();
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(names);
    for (column, right) in table.column_iter_mut().zip(right) {
        if right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
