//! Rows and columns in any [`Format`].

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::{Map, Value};

use super::Format;
use super::wrap::wrapped;

/// One rule, below the header.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The widest table that is drawn as one.
const WIDEST: usize = 132;

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
            Format::Table => {
                let table = self.drawn(RULED, false);
                let widest = table.lines().map(|line| line.chars().count()).max();
                if widest.is_some_and(|widest| widest > WIDEST) { self.cards() } else { table }
            }
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

    /// One paragraph a row, for tables that no terminal is wide enough for.
    fn cards(&self) -> String {
        let label =
            self.columns.iter().skip(1).map(|(_, heading, _)| heading.chars().count()).max().unwrap_or(0);
        let card = |row: &Vec<String>| {
            let mut text = format!("{}\n", row[0]);
            for ((_, heading, _), cell) in
                self.columns.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty())
            {
                let lines = wrapped(cell, &" ".repeat(label + 4));
                text += &format!("  {heading:<label$}  {}", lines.trim_start());
            }
            text
        };
        self.rows.iter().map(card).collect::<Vec<_>>().join("\n")
    }

    fn drawn(&self, style: TableStyle, markdown: bool) -> String {
        let mut table = Table::new();
        table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|(_, heading, _)| heading));
        for (index, (.., number)) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                if !markdown {
                    column.set_padding((0, 1));
                }
                if *number {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        let cell = |cell: &String| if markdown { cell.replace('|', "\\|") } else { cell.clone() };
        table.add_rows(self.rows.iter().map(|row| row.iter().map(cell)));
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(cell: &str) -> Grid {
        let column = |key: &'static str| (key, key.to_owned(), false);
        Grid {
            columns: vec![column("name"), column("text")],
            rows: vec![vec!["a|b".to_owned(), cell.to_owned()]],
        }
    }

    #[test]
    fn every_format_holds_every_cell() {
        let grid = grid("x,y");
        assert!(grid.render(Format::Table).contains("a|b"));
        assert!(
            grid.render(Format::Markdown).contains("| a\\|b | x,y  |"),
            "{}",
            grid.render(Format::Markdown)
        );
        assert!(grid.render(Format::Csv).contains("a|b,\"x,y\""));
        assert!(grid.render(Format::Json).contains("\"text\": \"x,y\""));
    }

    #[test]
    fn what_is_too_wide_becomes_paragraphs() {
        let text = grid(&"word ".repeat(60)).render(Format::Table);
        assert!(text.starts_with("a|b\n  text  word"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100));
    }
}
