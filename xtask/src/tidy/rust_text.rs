//! Reading Rust as text: just enough lexing to tell code from comments, strings and tests. Not a parser.
//!
//! Every blanked form has spaces where something was taken out, byte for byte, so that offsets stay true.

use std::ops::Range;

/// What `#[cfg(test)]` stands before.
pub(super) struct TestItems {
    /// Byte ranges, from the attribute to the item's end.
    pub(super) ranges: Vec<Range<usize>>,
    /// Names of modules that are declared for tests only (`mod name;`).
    pub(super) modules: Vec<String>,
}

/// The source with comments and the insides of string and character literals as spaces; lines stay.
pub(super) fn blank_comments_and_strings(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' => raw_string_end(bytes, at).unwrap_or(at),
            b'\'' => char_end(source, at).unwrap_or(at),
            _ => at,
        };
        blank(&mut out[at..end]);
        at = end.max(at + 1);
    }
    // Only whole literals and comments were blanked, and they begin and end with ASCII.
    String::from_utf8(out).unwrap_or_default()
}

/// The text with the ranges as spaces; lines stay.
pub(super) fn blank_ranges(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = text.as_bytes().to_vec();
    for range in ranges {
        blank(&mut out[range.clone()]);
    }
    String::from_utf8(out).unwrap_or_default()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|b| **b != b'\n') {
        *byte = b' ';
    }
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n)
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut i) = (0_usize, at);
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 1,
            b'"' => return i + 1,
            _ => {}
        }
        i += 1;
    }
    bytes.len()
}

/// The end of `r"…"` or `r#"…"#` when one begins at `at` (a `b` or `c` before it makes no difference).
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|i| bytes[i]);
    let is_prefixed = matches!(before, Some(b'b' | b'c')) && (at < 2 || !is_word(bytes[at - 2]));
    if before.is_some_and(is_word) && !is_prefixed {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|b| **b == b'#').count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = at + 2 + hashes;
    let found = bytes[body..].windows(close.len()).position(|w| w == close);
    Some(found.map_or(bytes.len(), |n| body + n + close.len()))
}

/// The end of a character literal at `at`; `None` for a lifetime.
fn char_end(source: &str, at: usize) -> Option<usize> {
    let rest = &source[at + 1..];
    let mut chars = rest.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let escaped = rest.char_indices().nth(1).map(|(i, c)| i + c.len_utf8())?;
        return rest[escaped..].find('\'').map(|n| at + 1 + escaped + n + 1);
    }
    let (close, quote) = chars.next()?;
    (quote == '\'').then_some(at + 1 + close + 1)
}

/// The items under `#[cfg(test)]` in code whose comments and strings are blanked.
pub(super) fn test_items(code: &str) -> TestItems {
    const MARK: &str = "#[cfg(test)]";
    let mut items = TestItems { ranges: Vec::new(), modules: Vec::new() };
    let mut from = 0;
    while let Some(start) = code[from..].find(MARK).map(|n| from + n) {
        let body = start + MARK.len();
        let end = item_end(code, body);
        let item = code[body..end].trim();
        if let Some(name) = item.strip_suffix(';').and_then(|i| i.rsplit_once("mod ")) {
            items.modules.push(name.1.trim().to_string());
        }
        items.ranges.push(start..end);
        from = end;
    }
    items
}

/// Where the item that begins at `from` ends: after its `;`, or after the brace that closes its body.
pub(super) fn item_end(code: &str, from: usize) -> usize {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (i, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b'{' => curly += 1,
            b'}' => {
                curly -= 1;
                if curly == 0 && round == 0 {
                    return i + 1;
                }
            }
            b';' if round == 0 && curly == 0 => return i + 1,
            _ => {}
        }
    }
    code.len()
}

/// Byte offsets where `word` stands as a whole word (its own ends may be any character).
pub(super) fn words(text: &str, word: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let opens_word = word.bytes().next().is_some_and(is_word);
    let ends_word = word.bytes().last().is_some_and(is_word);
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| !opens_word || *at == 0 || !is_word(bytes[at - 1]))
        .filter(|at| !ends_word || !bytes.get(at + word.len()).copied().is_some_and(is_word))
        .collect()
}

/// The line of a byte offset, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count() + 1
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x\"y", 1)"#, "f(      , 1)"),
            (r##"f(r#"a"b"#, br"c")"##, "f(        , b    )"),
            ("let c = '\"'; 'x: loop {}", "let c =    ; 'x: loop {}"),
            (r"let c = '\''; d", "let c =     ; d"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("for_r\"s\"", "for_r   "),
            ("\"é\" + 'é'", "     +     "),
        ];
        for (source, expected) in cases {
            assert_eq!(blank_comments_and_strings(source), expected, "{source}");
        }
    }

    #[test]
    fn test_items_end_where_their_braces_do() {
        let code =
            "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if x { y } } }\nfn c() {}\n#[cfg(test)] mod d;";
        let items = test_items(code);
        let live = blank_ranges(code, &items.ranges);
        assert!(live.contains("fn a") && live.contains("fn c") && !live.contains("fn b"), "{live}");
        assert_eq!(items.modules, ["d"]);
    }

    #[test]
    fn an_array_type_does_not_end_an_item() {
        let code = "fn f(x: [u8; 4]) -> [u8; 2] { [x[0]; 2] } fn g() {}";
        assert_eq!(&code[item_end(code, 0)..], " fn g() {}");
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(words("unsafe_code unsafe", "unsafe"), [12]);
        assert_eq!(words("reprintln! println!", "println!"), [11]);
        assert_eq!(line_of("a\nb\nc", 4), 3);
    }
}
