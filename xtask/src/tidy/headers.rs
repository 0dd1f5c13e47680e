//! Every Rust file begins with a `//!` header that says what it is.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let has_header = |text: &str| {
        text.strip_prefix("//!").is_some_and(|rest| rest.lines().next().is_some_and(|l| !l.trim().is_empty()))
    };
    tree.rust()
        .iter()
        .filter(|file| !has_header(&file.text))
        .map(|file| Finding::file(&file.path, "begins without a `//!` line that says what the file is"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_file_without_a_header_is_found() {
        let tree =
            Tree::of(&[("a.rs", "//! A file.\n"), ("b.rs", "use x;\n"), ("c.rs", "//!\n"), ("d.rs", "")]);
        assert_eq!(places(&check(&tree)), ["b.rs", "c.rs", "d.rs"]);
    }
}
