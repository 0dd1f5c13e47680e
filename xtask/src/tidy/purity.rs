//! Below the crate `thalweg`: no printing, no clock, no process, no environment, no IO but thalweg-data's reading.

use super::Finding;
use super::rust_text::{line_of, words};
use super::tree::Tree;

const PURE: &[&str] = &["thalweg-optim", "thalweg-data", "thalweg-learn", "thalweg-eval"];
const MACROS: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!"];
const MODULES: &[&str] = &["std::time", "std::process", "std::fs", "std::env", "std::net"];
const STREAMS: &[&str] = &["std::io::stdin", "std::io::stdout", "std::io::stderr", "static mut"];
/// The one place that reads files.
const READER: &str = "crates/thalweg-data/src/read";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let pure = |path: &str| PURE.iter().any(|name| path.starts_with(&format!("crates/{name}/src/")));
    let mut findings = Vec::new();
    for file in tree.rust().iter().filter(|f| pure(&f.path)) {
        let may_read = file.path.starts_with(READER);
        let mut found: Vec<(usize, &str)> = Vec::new();
        for token in MACROS.iter().chain(MODULES).chain(STREAMS) {
            found.extend(words(&file.live, token).into_iter().map(|at| (at, *token)));
        }
        found.extend(grouped_imports(&file.live));
        found.sort_unstable();
        for (at, token) in found.into_iter().filter(|(_, token)| !(may_read && *token == "std::fs")) {
            let message = format!("`{token}` below the crate thalweg: hand it in from there");
            findings.push(Finding::line(&file.path, line_of(&file.live, at), message));
        }
    }
    findings
}

/// The forbidden modules named inside `std::{…}`.
fn grouped_imports(code: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (start, opening) in code.match_indices("std::{") {
        let body = start + opening.len();
        let mut depth = 1;
        let mut at_name = true;
        for (i, c) in code[body..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => at_name = depth == 1,
                c if c.is_whitespace() => {}
                _ if at_name && depth == 1 => {
                    at_name = false;
                    let rest = &code[body + i..];
                    let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                    found.extend(
                        MODULES
                            .iter()
                            .filter(|m| m.strip_prefix("std::") == Some(name))
                            .map(|m| (body + i, *m)),
                    );
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn clocks_printing_and_files_are_found_where_they_are_forbidden() {
        let dirty = "use std::time::Instant;\nuse std::{\n    collections::{BTreeMap, env},\n    fs,\n};\nfn f() { println!(); }\n";
        let tree = Tree::of(&[
            ("crates/thalweg-eval/src/a.rs", dirty),
            ("crates/thalweg-data/src/read/csv.rs", "use std::fs;\nuse std::env;\n"),
            (
                "crates/thalweg-learn/src/b.rs",
                "// println!\n#[cfg(test)]\nmod tests { fn f() { println!(); } }\n",
            ),
            ("crates/thalweg-optim/tests/c.rs", "use std::fs;\n"),
            ("crates/thalweg/src/main.rs", dirty),
        ]);
        assert_eq!(
            places(&check(&tree)),
            [
                "crates/thalweg-data/src/read/csv.rs:2",
                "crates/thalweg-eval/src/a.rs:1",
                "crates/thalweg-eval/src/a.rs:4",
                "crates/thalweg-eval/src/a.rs:6",
            ]
        );
    }
}
