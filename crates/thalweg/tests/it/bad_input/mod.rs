//! Whatever is wrong with the input: one clear error with place and remedy, exit code 2, and nothing left behind.

mod data;
mod outputs;
mod race;
mod settings;

use crate::common::{Folder, csv};

/// A name, the files beside the command, its arguments, and words the error must have: what, where, what to do.
type Case = (&'static str, Vec<(&'static str, Vec<u8>)>, &'static str, &'static [&'static str]);

/// Forty rows that can be learned from: two numbers, a group, a day, a class and a number to predict.
fn good() -> String {
    csv("x,länge,g,t,y,price", 40, |i| {
        let class = if i * 7 % 3 == 0 { "high" } else { "low" };
        format!(
            "{}.5,{},g{},2024-01-{:02},{class},{}.25",
            i * i % 11,
            i * 5 % 13,
            i % 4,
            i % 28 + 1,
            i * 3 % 17
        )
    })
}

fn files<const N: usize>(files: [(&'static str, &[u8]); N]) -> Vec<(&'static str, Vec<u8>)> {
    files.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect()
}

fn file(text: impl AsRef<[u8]>) -> Vec<(&'static str, Vec<u8>)> {
    files([("t.csv", text.as_ref())])
}

fn check(group: &str, cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (name, files, arguments, words) in cases {
        let folder = Folder::new(&format!("bad-{group}"));
        for (path, bytes) in files {
            folder.write(path, bytes);
        }
        let before = folder.contents();
        let ran = folder.run(arguments);
        let mut fail = |what: &str| wrong.push(format!("{name} ({arguments}): {what}\n    {}", ran.err));
        if ran.code != Some(2) {
            fail(&format!("exit code {:?}", ran.code));
        }
        if !ran.out.is_empty() {
            fail("something on standard output");
        }
        let usage = name == "no verb";
        if !usage && !ran.err.starts_with("error: ") {
            fail("it does not start with «error: »");
        }
        // clap adds usage and a pointer to --help below its message; what is our own is one line.
        let ours =
            ran.err.lines().count() == 1 || ran.err.contains("For more information, try '--help'") || usage;
        if !ours {
            fail("more than one line");
        }
        for alien in ["panicked", "RUST_BACKTRACE", "Os {", "Some(", "Error {", "  |"] {
            if ran.err.contains(alien) {
                fail(&format!("«{alien}» is no language for users"));
            }
        }
        if doubled_stop(&ran.err) {
            fail("two marks at the end of a sentence");
        }
        for word in words.iter().filter(|word| !ran.err.contains(**word)) {
            fail(&format!("no «{word}»"));
        }
        if folder.contents() != before {
            fail("something was left behind or changed");
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether a sentence ends twice, as where a message that ends in a mark is put before another: «?.», «..», «.;».
/// (A range such as `1e-4..1` has no space behind it.)
pub(crate) fn doubled_stop(text: &str) -> bool {
    let ends_twice = |word: &str| {
        let text = word.trim_end_matches(['?', '.', ';', ':']);
        // What is nothing but marks is a path, such as «..» or «.:».
        !text.is_empty() && word.len() - text.len() > 1
    };
    text.split_whitespace().any(ends_twice)
}

#[test]
fn a_sentence_ends_once() {
    assert!(doubled_stop("did you mean «dense»?. There are") && doubled_stop("that is all..\n"));
    assert!(
        doubled_stop("nor this.; do that")
            && !doubled_stop("is it? 1e-4..1:9, or LO..HI. Yes. --out ..: no, .: no")
    );
}

#[test]
fn broken_files_are_refused() {
    check("files", data::broken_files());
}

#[test]
fn wrong_columns_are_refused() {
    check("columns", data::wrong_columns());
}

#[test]
fn impossible_splits_are_refused() {
    check("splits", data::impossible_splits());
}

#[test]
fn wrong_settings_are_refused() {
    check("settings", settings::wrong_settings());
}

#[test]
fn wrong_configs_are_refused() {
    check("configs", settings::wrong_configs());
}

#[test]
fn wrong_outputs_are_refused() {
    check("outputs", outputs::wrong_outputs());
}

#[test]
fn wrong_races_are_refused() {
    check("races", race::wrong_races());
}
