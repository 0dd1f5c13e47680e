//! No path of a developer's machine in what is committed: it means nothing on any other.

use super::Finding;
use super::rust_text::{is_word, line_of};
use super::tree::Tree;

// Split, so that this file does not find itself.
const NEVER: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
const NOT_OUTSIDE_TESTS: &str = concat!("/t", "mp/");

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for needle in NEVER {
            findings.extend(found(path, text, needle));
        }
        let rust = tree.rust().iter().find(|f| f.path == path);
        let is_test = path.split('/').any(|part| part == "tests");
        if !is_test {
            findings.extend(found(path, rust.map_or(text, |f| &f.live_text), NOT_OUTSIDE_TESTS));
        }
    }
    findings
}

/// Where an absolute path begins with `needle`; `network/` or `a/work/b` are none.
fn found(path: &str, text: &str, needle: &str) -> Vec<Finding> {
    let bytes = text.as_bytes();
    let begins = |at: usize| {
        at == 0 || !(is_word(bytes[at - 1]) || matches!(bytes[at - 1], b'.' | b'-' | b'/' | b'}'))
    };
    text.match_indices(needle)
        .filter(|(at, _)| begins(*at))
        .map(|(at, _)| Finding::line(path, line_of(text, at), format!("a path of one machine: {needle}…")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn absolute_paths_of_a_machine_are_found() {
        let in_text = format!("see\n`{}x`", NEVER[0]);
        let relative = format!("a{}b", NEVER[0]);
        let temporary = format!(
            "const A: &str = \"{NOT_OUTSIDE_TESTS}a\";\n#[cfg(test)]\nconst B: &str = \"{NOT_OUTSIDE_TESTS}b\";\n"
        );
        let tree = Tree::of(&[
            ("a.md", &in_text),
            ("b.md", &relative),
            ("c.rs", &temporary),
            ("tests/d.rs", NOT_OUTSIDE_TESTS),
            ("tests/e.rs", NEVER[1]),
        ]);
        assert_eq!(places(&check(&tree)), ["a.md:2", "c.rs:1", "tests/e.rs:1"]);
    }
}
