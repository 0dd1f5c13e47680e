//! Breaking sentences into lines for a terminal.

use std::fmt::Write;

/// Breaks a text into lines of at most 100 characters, each behind `indent`.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let length = |text: &str| text.chars().count();
        if !line.is_empty() && length(indent) + length(&line) + 1 + length(word) > 100 {
            let _ = writeln!(lines, "{indent}{line}");
            line.clear();
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    let _ = writeln!(lines, "{indent}{line}");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_between_words() {
        let text = "word ".repeat(50) + "end";
        let lines = wrapped(&text, "  ");
        assert!(lines.lines().all(|line| line.starts_with("  ") && line.chars().count() <= 100));
        assert_eq!(lines.split_whitespace().collect::<Vec<_>>().join(" "), text);
    }
}
