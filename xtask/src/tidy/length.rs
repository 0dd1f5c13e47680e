//! Long files and functions: warning signs; a file that nobody can read in one sitting is a failure.

use super::Finding;
use super::rust_text::{is_word, item_end, line_of, words};
use super::tree::Tree;

const FILE_LINES_WARNED: usize = 500;
const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_WARNED: usize = 70;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            findings.push(Finding::file(
                &file.path,
                format!("{lines} lines, at most {FILE_LINES_MAX}: split it"),
            ));
        } else if lines > FILE_LINES_WARNED {
            findings.push(
                Finding::file(&file.path, format!("{lines} lines: does it hold two things?")).into_warning(),
            );
        }
        findings.extend(long_functions(&file.path, &file.live));
    }
    findings
}

fn long_functions(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in words(code, "fn") {
        let name: String = code[at + 2..].trim_start().chars().take_while(|c| is_word(*c as u8)).collect();
        if name.is_empty() {
            continue; // A function type, `fn(…) -> …`.
        }
        let first = line_of(code, at);
        let lines = line_of(code, item_end(code, at)) - first + 1;
        if lines > FUNCTION_LINES_WARNED {
            findings.push(Finding::line(path, first, format!("`{name}` has {lines} lines")).into_warning());
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn files_warn_then_fail_and_functions_warn() {
        let file = |lines: usize| "\n".repeat(lines);
        let long = format!("fn short() {{}}\nfn long(x: fn(u8)) {{{}}}\n", file(70));
        let tree =
            Tree::of(&[("a.rs", &file(500)), ("b.rs", &file(501)), ("c.rs", &file(801)), ("d.rs", &long)]);
        let findings = check(&tree);
        assert_eq!(places(&findings), ["b.rs", "c.rs", "d.rs:2"]);
        assert_eq!(findings.iter().map(|f| f.is_warning).collect::<Vec<_>>(), [true, false, true]);
    }
}
