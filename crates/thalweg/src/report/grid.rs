//! Rows and columns in any [`Format`].

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::{Map, Value};

use super::Format;

/// One rule, below the header.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table of texts.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// The columns: a key for programs, a heading for people, and whether it holds numbers.
    pub columns: Vec<(&'static str, String, bool)>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    /// The table in `format`, ending with a line feed.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table => self.drawn(RULED, false),
            Format::Markdown => self.drawn(ASCII_MARKDOWN, true),
            Format::Json => {
                let object = |row: &Vec<String>| {
                    let pairs = self.columns.iter().zip(row);
                    Value::Object(
                        pairs
                            .map(|((key, ..), cell)| ((*key).to_owned(), cell.clone().into()))
                            .collect::<Map<_, _>>(),
                    )
                };
                let list = Value::Array(self.rows.iter().map(object).collect());
                format!("{list:#}\n")
            }
            Format::Csv => super::csv::lines(
                std::iter::once(self.columns.iter().map(|(key, ..)| (*key).to_owned()).collect())
                    .chain(self.rows.iter().cloned()),
            ),
        }
    }

    fn drawn(&self, style: TableStyle, markdown: bool) -> String {
        let mut table = Table::new();
        table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|(_, heading, _)| heading));
        for (index, (.., number)) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(index).filter(|_| *number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let cell = |cell: &String| if markdown { cell.replace('|', "\\|") } else { cell.clone() };
        table.add_rows(self.rows.iter().map(|row| row.iter().map(cell)));
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }
}
