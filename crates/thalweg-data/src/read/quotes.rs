//! Quotes that the CSV decoder would misread in silence: one that is never closed, and one behind spaces.

use std::borrow::Cow;

/// The text with the spaces between a separator and an opening quote taken out (`1, "a, b"` is two fields), or the
/// line (from 1) of a quote that is opened and never closed.
pub(super) fn tidy(text: &str, delimiter: u8) -> Result<Cow<'_, str>, u64> {
    if !text.contains('"') {
        return Ok(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut kept = String::new();
    let (mut copied, mut line, mut at) = (0, 1_u64, 0);
    while at < bytes.len() {
        // Here a field starts.
        let padding = bytes[at..].iter().take_while(|&&byte| byte == b' ').count();
        if bytes.get(at + padding) == Some(&b'"') {
            if padding > 0 {
                kept.push_str(&text[copied..at]);
                copied = at + padding;
            }
            let opened = line;
            at = skip_quoted(bytes, at + padding + 1, &mut line).ok_or(opened)?;
        }
        while at < bytes.len() && bytes[at] != delimiter && bytes[at] != b'\n' && bytes[at] != b'\r' {
            at += 1;
        }
        line += u64::from(bytes.get(at) == Some(&b'\n'));
        at += 1;
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    kept.push_str(&text[copied..]);
    Ok(Cow::Owned(kept))
}

/// The position behind the closing quote of the field whose content starts at `at`; a doubled quote does not close.
fn skip_quoted(bytes: &[u8], mut at: usize, line: &mut u64) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            b'"' => return Some(at + 1),
            byte => {
                *line += u64::from(*byte == b'\n');
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn spaces_before_a_quote_go_and_nothing_else_does() {
        for (text, expected) in [
            ("a, \"b, c\"\n", "a,\"b, c\"\n"),
            ("  \"x\", y \n   \"z\"", "\"x\", y \n\"z\""),
            ("a,\" b\"\n", "a,\" b\"\n"),
            ("5\" pipe, 6\n", "5\" pipe, 6\n"),
            ("\"a\"\"b, \"\"c\",d", "\"a\"\"b, \"\"c\",d"),
            ("\"é, \", \"ü\"", "\"é, \",\"ü\""),
        ] {
            assert_eq!(tidy(text, b',').as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_open_quote_is_placed() {
        assert_eq!(tidy("a,b\n1,2\n3,\"4\n5,6\n", b','), Err(3));
        assert_eq!(tidy("a,\"b\nc\"\n\"\"\"", b','), Err(3));
        assert_eq!(tidy("\"\"", b',').as_deref(), Ok("\"\""));
    }
}
