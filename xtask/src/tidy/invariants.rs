//! Every invariant of ARCHITECTURE.md names its check, and the check is there.
//!
//! An invariant is a numbered item of the section «Invariants»; its check is written «Check: `path`», or
//! «Check: `path::name`» for a named test in that file, several with commas.

use super::Finding;
use super::rust_text::words;
use super::tree::Tree;

const FILE: &str = "ARCHITECTURE.md";
const MARK: &str = "Check:";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(FILE) else {
        return vec![Finding::file(FILE, "is missing: it holds the code map and the invariants")];
    };
    let invariants = invariants(text);
    if invariants.is_empty() {
        return vec![Finding::file(FILE, "has no section «Invariants» with numbered items")];
    }
    let mut findings = Vec::new();
    for (line, item) in invariants {
        let checks: Vec<&str> = item.split(MARK).skip(1).flat_map(in_backticks).collect();
        if checks.is_empty() {
            findings.push(Finding::line(
                FILE,
                line,
                format!("the invariant names no check («{MARK} `path`»)"),
            ));
        }
        for reference in checks {
            if let Some(problem) = problem_with(tree, reference) {
                findings.push(Finding::line(FILE, line, problem));
            }
        }
    }
    findings
}

/// The numbered items of the section, each with the line it begins on.
fn invariants(text: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (i, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            inside = line.to_lowercase().contains("invariant");
        } else if inside && is_numbered(line) {
            items.push((i + 1, line.to_string()));
        } else if inside && let Some((_, item)) = items.last_mut() {
            item.push('\n');
            item.push_str(line);
        }
    }
    items
}

fn is_numbered(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && line[digits..].starts_with(". ")
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn problem_with(tree: &Tree, reference: &str) -> Option<String> {
    let (path, name) = match reference.split_once("::") {
        Some((path, rest)) => (path, rest.rsplit("::").next()),
        None => (reference, None),
    };
    if !tree.exists(path) {
        return Some(format!("the check `{path}` does not exist"));
    }
    let name = name?;
    let is_there = tree.text(path).is_some_and(|text| !words(text, name).is_empty());
    (!is_there).then(|| format!("`{path}` has nothing called `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn an_invariant_without_a_living_check_is_found() {
        let text = "\
# Architecture
1. Not an invariant.
## Invariants
1. **Flat.** Words
   over lines. Check: `tests/flat.rs`.
2. Pure. No check at all.
3. Gone. Check: `tests/gone.rs`
4. Named. Check: `tests/flat.rs::is_flat`, `tests/flat.rs::was_flat`
## After
5. Not an invariant.
";
        let tree = Tree::of(&[("ARCHITECTURE.md", text), ("tests/flat.rs", "fn is_flat() {}")]);
        assert_eq!(places(&check(&tree)), ["ARCHITECTURE.md:6", "ARCHITECTURE.md:7", "ARCHITECTURE.md:8"]);
    }

    #[test]
    fn a_missing_or_empty_page_is_found() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert_eq!(check(&Tree::of(&[("ARCHITECTURE.md", "# Architecture\n")])).len(), 1);
    }
}
