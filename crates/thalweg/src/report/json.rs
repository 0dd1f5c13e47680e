//! A study as one JSON object.

use serde::Serialize;

use crate::study::Summary;

/// The summary, indented, ending with a line feed. Numbers read back exactly.
pub fn render(summary: &Summary) -> String {
    let mut text = pretty(summary);
    text.push('\n');
    text
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain data have a JSON form")
}
