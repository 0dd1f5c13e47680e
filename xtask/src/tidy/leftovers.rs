//! Nothing left for later: no stand-in macros in code, no reminders in any text.

use super::Finding;
use super::rust_text::{line_of, words};
use super::tree::Tree;

// Split, so that this file does not find itself.
const REMINDERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const STAND_INS: &[&str] = &["todo!", "unimplemented!"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for token in STAND_INS {
            for at in words(&file.code, token) {
                findings.push(Finding::line(
                    &file.path,
                    line_of(&file.code, at),
                    format!("`{token}` stands in for code"),
                ));
            }
        }
    }
    for (path, text) in tree.texts().filter(|(path, _)| !path.ends_with(".lock")) {
        for token in REMINDERS {
            for at in words(text, token) {
                findings.push(Finding::line(
                    path,
                    line_of(text, at),
                    format!("`{token}`: do it, or open an issue"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn stand_ins_and_reminders_are_found() {
        let reminder = format!("// {}: later\n", REMINDERS[0]);
        let tree = Tree::of(&[
            ("a.rs", "fn f() {\n    todo!()\n}\nconst S: &str = \"todo!\";\n"),
            ("b.rs", &reminder),
            ("c.md", &format!("fine\n{}\n", REMINDERS[1])),
            ("d.md", "todos and mastodons"),
        ]);
        assert_eq!(places(&check(&tree)), ["a.rs:2", "b.rs:1", "c.md:2"]);
    }
}
