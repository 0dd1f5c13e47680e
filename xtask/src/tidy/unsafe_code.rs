//! No `unsafe` outside `kernel` modules, the Python boundary and tests (a counting allocator needs it).

use super::Finding;
use super::rust_text::{line_of, words};
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().iter().filter(|f| !is_allowed(&f.path)) {
        for at in words(&file.live, "unsafe") {
            let message = "`unsafe` outside a `kernel` module and thalweg-py";
            findings.push(Finding::line(&file.path, line_of(&file.live, at), message));
        }
    }
    findings
}

fn is_allowed(path: &str) -> bool {
    path.starts_with("crates/thalweg-py/")
        || path.split('/').any(|part| part == "kernel" || part == "kernel.rs")
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn unsafe_is_found_outside_its_places() {
        let text = "#![deny(unsafe_code)]\nfn f() { unsafe { g() } }\n";
        let tree = Tree::of(&[
            ("crates/thalweg-optim/src/kernel/simd.rs", text),
            ("crates/thalweg-learn/src/nn/kernel.rs", text),
            ("crates/thalweg-py/src/lib.rs", text),
            ("crates/thalweg-learn/tests/allocations.rs", text),
            ("crates/thalweg-learn/src/nn/dense.rs", text),
            ("crates/thalweg-learn/src/nn/words.rs", "// unsafe\nconst A: &str = \"unsafe\";\n"),
        ]);
        assert_eq!(places(&check(&tree)), ["crates/thalweg-learn/src/nn/dense.rs:2"]);
    }
}
