//! A crate may depend only on crates above it in the house: an arrow never points down.

use super::Finding;
use super::tree::Tree;

/// The house, top to bottom.
const HOUSE: &[&str] =
    &["thalweg-optim", "thalweg-data", "thalweg-learn", "thalweg-eval", "thalweg", "thalweg-py"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        let Some(name) = path.strip_prefix("crates/").and_then(|p| p.strip_suffix("/Cargo.toml")) else {
            continue;
        };
        let Some(own) = HOUSE.iter().position(|c| *c == name) else {
            findings.push(Finding::file(
                path,
                format!("no room is called {name}; the rooms are {}", HOUSE.join(", ")),
            ));
            continue;
        };
        for (line, dependency) in dependencies(text) {
            if HOUSE.iter().position(|c| *c == dependency).is_some_and(|other| other >= own) {
                findings.push(Finding::line(
                    path,
                    line,
                    format!("{name} may not depend on {dependency}, below it"),
                ));
            }
        }
    }
    findings
}

/// Names of dependencies of every kind, with their lines: keys of a `[…dependencies]` table and names of its subtables.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (i, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header.ends_with("dependencies");
            if let Some((table, name)) = header.rsplit_once('.')
                && table.ends_with("dependencies")
            {
                found.push((i + 1, name));
            }
        } else if inside && !line.starts_with('#') {
            let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.push((i + 1, key.trim_matches('"')));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn an_arrow_that_points_down_is_found() {
        let tree = Tree::of(&[
            (
                "crates/thalweg-data/Cargo.toml",
                "[dependencies]\nthalweg-optim = { workspace = true }\nthalweg-eval.workspace = true\n",
            ),
            (
                "crates/thalweg-eval/Cargo.toml",
                "[dependencies]\nthalweg-data = \"1\"\n[dev-dependencies.thalweg]\npath = \"x\"\n",
            ),
            (
                "crates/thalweg/Cargo.toml",
                "[package]\nname = \"thalweg\"\n[dependencies]\nthalweg-eval = \"1\"\n",
            ),
            ("crates/attic/Cargo.toml", ""),
        ]);
        assert_eq!(
            places(&check(&tree)),
            [
                "crates/attic/Cargo.toml",
                "crates/thalweg-data/Cargo.toml:3",
                "crates/thalweg-eval/Cargo.toml:3"
            ]
        );
    }
}
