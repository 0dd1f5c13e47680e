//! No `unwrap()` outside tests: an input error is a message, an invariant is an `expect` that names it.

use super::Finding;
use super::rust_text::line_of;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (at, _) in file.live.match_indices(".unwrap()") {
            let message =
                "`unwrap()` outside tests: return an error, or `expect` with the reason why it cannot fail";
            findings.push(Finding::line(&file.path, line_of(&file.live, at), message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn unwraps_count_only_in_live_code() {
        let tree = Tree::of(&[
            (
                "a/src/x.rs",
                "/// `a.unwrap()`\nfn f() { a.unwrap_or(1);\n b.unwrap() }\n#[cfg(test)]\nmod tests { fn f() { c.unwrap() } }",
            ),
            ("a/tests/y.rs", "fn f() { a.unwrap() }"),
        ]);
        assert_eq!(places(&check(&tree)), ["a/src/x.rs:3"]);
    }
}
