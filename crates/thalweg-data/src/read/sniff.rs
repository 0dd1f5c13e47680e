//! Which character separates the fields.

/// The lines that are looked at.
const LINES: usize = 20;

/// The candidates, the less likely to occur inside a field first: a file with decimal commas is separated by
/// semicolons, while a semicolon seldom occurs as often in every line of a file separated by commas.
const CANDIDATES: [u8; 4] = [b'\t', b';', b'|', b','];

/// The separator of a text: the first candidate that occurs equally often, outside quotes, in each of the first
/// lines; else the one that is most frequent in the first line; else the comma.
pub(super) fn delimiter(text: &str) -> u8 {
    let counts = count(text);
    let steady = |&at: &usize| counts.iter().all(|line| line[at] == counts[0][at] && line[at] > 0);
    if counts.is_empty() {
        return b',';
    }
    let most = (0..CANDIDATES.len()).max_by_key(|&at| counts[0][at]).filter(|&at| counts[0][at] > 0);
    (0..CANDIDATES.len()).find(steady).or(most).map_or(b',', |at| CANDIDATES[at])
}

/// How often each candidate occurs outside quotes, for each of the first lines that are not blank.
fn count(text: &str) -> Vec<[usize; CANDIDATES.len()]> {
    let mut lines = Vec::with_capacity(LINES);
    let mut line = [0; CANDIDATES.len()];
    let (mut quoted, mut blank) = (false, true);
    for byte in text.bytes().chain(std::iter::once(b'\n')) {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => {
                if !blank {
                    lines.push(std::mem::take(&mut line));
                    blank = true;
                }
                if lines.len() == LINES {
                    break;
                }
                continue;
            }
            _ if !quoted => {
                if let Some(at) = CANDIDATES.iter().position(|&candidate| candidate == byte) {
                    line[at] += 1;
                }
            }
            _ => {}
        }
        blank &= byte.is_ascii_whitespace() && byte != b'\t';
    }
    lines
}

/// The separator in words, for messages.
pub(super) fn name(delimiter: u8) -> &'static str {
    match delimiter {
        b'\t' => "tabs",
        b';' => "semicolons",
        b'|' => "bars",
        _ => "commas",
    }
}

#[cfg(test)]
mod tests {
    use super::delimiter;

    #[test]
    fn the_separator_is_found() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("1,5;2,5\n1,0;3,5\n", b';'),
            ("a\tb\nx, y\tz\n", b'\t'),
            ("a|b\n1|2", b'|'),
            ("\"a;b\",c\n\"d;e\",f", b','),
            ("a,b\n1,2,3\n", b','),
            ("one\n1\n2\n", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(text) as char, expected as char, "{text:?}");
        }
    }
}
