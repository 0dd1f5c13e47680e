//! Links and paths in the documents lead somewhere: every relative link, and every path of the repository that
//! stands in backticks (unless it is a pattern: `crates/*/goldens`, `rules/<name>.rs`).

use super::Finding;
use super::tree::Tree;

/// Documents that must be there.
const PAGES: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
/// What begins with one of these is a path from the root.
const FOLDERS: &[&str] = &["crates/", "xtask/", "benchmarks/", ".ci/"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let missing = PAGES.iter().filter(|page| tree.text(page).is_none());
    let mut findings: Vec<Finding> = missing.map(|page| Finding::file(page, "is missing")).collect();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut is_fenced = false;
        for (i, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            } else if !is_fenced {
                for target in link_targets(line).filter(|t| !tree.exists(&resolve(folder, t))) {
                    findings.push(Finding::line(path, i + 1, format!("the link to {target} leads nowhere")));
                }
                for target in root_paths(line).filter(|t| !tree.exists(t)) {
                    findings.push(Finding::line(path, i + 1, format!("there is no `{target}`")));
                }
            }
        }
    }
    findings
}

/// The targets of `](…)` that are paths, without their anchors.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty())
}

fn root_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).map(|code| code.split("::").next().unwrap_or_default()).filter(
        |code| FOLDERS.iter().any(|f| code.starts_with(f)) && !code.contains(['*', '<', '{', ' ', '…']),
    )
}

/// A target relative to a page's folder, as a path from the root.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn dead_links_and_paths_are_found() {
        let readme = "[a](docs/a.md#top) [b](docs/b.md) [c](https://example.org) [d](#here)\n\
                      `crates/x/src` and `crates/y` and `crates/*/z` and `cargo test`\n\
                      ```\n[e](nowhere)\n```\n";
        let tree = Tree::of(&[
            ("README.md", readme),
            ("ARCHITECTURE.md", ""),
            ("docs/a.md", "[up](../README.md)\n[lost](../LOST.md)\n"),
            ("crates/x/src/lib.rs", ""),
        ]);
        assert_eq!(places(&check(&tree)), ["CONTRIBUTING.md", "README.md:1", "README.md:2", "docs/a.md:2"]);
    }
}
