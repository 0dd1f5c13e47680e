//! Every source file is declared by its parent module: a file that no one declares is compiled by no one, and a
//! method, data set or splitter that is not in its folder's `mod.rs` is in no registry.

use super::Finding;
use super::rust_text::words;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let code_of = |path: &str| tree.rust().iter().find(|f| f.path == path).map(|f| f.code.as_str());
    let mut findings = Vec::new();
    for file in tree.rust() {
        let Some((name, parents)) = declared_by(&file.path) else { continue };
        let is_declared = |parent: &String| {
            code_of(parent).is_some_and(|code| !words(code, &format!("mod {name};")).is_empty())
        };
        if !parents.iter().any(is_declared) {
            let message =
                format!("no `mod {name};` in {}: the file is compiled by no one", parents.join(" or "));
            findings.push(Finding::file(&file.path, message));
        }
    }
    findings
}

/// A module file's name and the files that may declare it; `None` for a crate's root and for what is not under `src`.
fn declared_by(path: &str) -> Option<(&str, Vec<String>)> {
    let (before, inside) = path.split_once("/src/")?;
    let src = format!("{before}/src");
    if matches!(inside, "lib.rs" | "main.rs") || inside.starts_with("bin/") {
        return None;
    }
    let module = inside.strip_suffix("/mod.rs").or_else(|| inside.strip_suffix(".rs"))?;
    Some(match module.rsplit_once('/') {
        None => (module, vec![format!("{src}/lib.rs"), format!("{src}/main.rs")]),
        Some((parent, name)) => (name, vec![format!("{src}/{parent}/mod.rs"), format!("{src}/{parent}.rs")]),
    })
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_file_that_no_one_declares_is_found() {
        let tree = Tree::of(&[
            ("crates/x/src/lib.rs", "pub mod rules;\nmod flat;\n"),
            ("crates/x/src/flat.rs", "mod deep;"),
            ("crates/x/src/flat/deep.rs", ""),
            ("crates/x/src/rules/mod.rs", "mod adam;\n// mod lost;\nmod sgd_extra;\n"),
            ("crates/x/src/rules/adam.rs", ""),
            ("crates/x/src/rules/lost.rs", ""),
            ("crates/x/src/rules/sgd.rs", ""),
            ("crates/x/src/rules/sgd_extra.rs", ""),
            ("crates/x/src/stray.rs", ""),
            ("crates/x/tests/all.rs", ""),
        ]);
        assert_eq!(
            places(&check(&tree)),
            ["crates/x/src/rules/lost.rs", "crates/x/src/rules/sgd.rs", "crates/x/src/stray.rs"]
        );
    }
}
