//! Numbers and names as a person reads them.

use crate::study::summary::Protocol;
use crate::study::verdict;

/// What stands where there is no number.
pub(super) const NONE: &str = "–";

/// A score, or a dash where there is none.
pub(super) fn score(score: Option<f64>) -> String {
    score.filter(|score| score.is_finite()).map_or_else(|| NONE.to_owned(), verdict::score_text)
}

/// A score with its sign.
pub(super) fn signed(value: Option<f64>) -> String {
    let text = score(value);
    if value.is_some_and(|value| value.is_finite() && value >= 0.0) { format!("+{text}") } else { text }
}

/// A learning rate, or a dash.
pub(super) fn rate(rate: Option<f64>) -> String {
    rate.filter(|rate| rate.is_finite()).map_or_else(|| NONE.to_owned(), verdict::rate_text)
}

/// A whole number with its thousands set apart by a narrow space.
pub(super) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A duration.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        x if !x.is_finite() => NONE.to_owned(),
        x if x < 9.995 => format!("{x:.2} s"),
        x if x < 99.95 => format!("{x:.1} s"),
        x if x < 3600.0 => format!("{} min {:02} s", (x / 60.0) as u64, (x % 60.0) as u64),
        x => format!("{} h {:02} min", (x / 3600.0) as u64, (x % 3600.0 / 60.0) as u64),
    }
}

/// `1 fold`, `5 folds`, `3 × 5 folds`.
pub(super) fn folds(protocol: &Protocol) -> String {
    match (protocol.repeats, protocol.folds) {
        (0 | 1, folds) => plural(folds, "fold"),
        (repeats, folds) => format!("{repeats} × {}", plural(folds, "fold")),
    }
}

/// A number with its noun.
pub(super) fn plural(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// An outer fold, from 0, in words: within its repeat if there are several.
pub(super) fn fold(protocol: &Protocol, fold: usize) -> String {
    let folds = protocol.folds.max(1);
    if protocol.repeats > 1 {
        format!("{}.{}", fold / folds + 1, fold % folds + 1)
    } else {
        (fold + 1).to_string()
    }
}

/// At most `length` characters: the middle gives way to an ellipsis, since names often differ at their ends.
pub(super) fn shorten(name: &str, length: usize) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= length {
        return name.to_owned();
    }
    let kept = length.saturating_sub(1);
    let tail = kept / 2;
    let (head, end) = (&characters[..kept - tail], &characters[characters.len() - tail..]);
    head.iter().chain(&['…']).chain(end).collect()
}

/// The smallest and the largest of some numbers as text, or the one number that they all are.
pub(super) fn range(numbers: &[usize]) -> String {
    match (numbers.iter().min(), numbers.iter().max()) {
        (Some(&low), Some(&high)) if low == high => count(low),
        (Some(&low), Some(&high)) => format!("{} to {}", count(low), count(high)),
        _ => NONE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567_u64), "1\u{202f}234\u{202f}567");
        assert_eq!(count(123_usize), "123");
        assert_eq!(score(Some(f64::NAN)), NONE);
        assert_eq!(signed(Some(0.5)), "+0.5000");
        assert_eq!(signed(Some(-0.5)), "−0.5000");
        assert_eq!(signed(None), NONE);
        let rates = [0.0, -0.0, -0.8, 0.1 + 0.2, 1e-5, -1e-30, 12_345.6].map(verdict::rate_text);
        assert_eq!(rates, ["0", "0", "-0.8", "0.3", "1e-5", "-1e-30", "1.235e4"]);
        assert_eq!(seconds(0.123), "0.12 s");
        assert_eq!(seconds(125.0), "2 min 05 s");
        assert_eq!(seconds(3725.0), "1 h 02 min");
        assert_eq!(shorten("äbcdeü", 4), "äb…ü");
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(range(&[5, 5]), "5");
        assert_eq!(range(&[5, 1200]), "5 to 1\u{202f}200");
    }
}
