//! `cargo xtask tidy`: the house rules that can be read off the source tree, a row and a file each.
//!
//! A check reads the tree and gives findings; it never runs the code. A finding is a failure or only a warning sign.

mod direction;
mod headers;
mod invariants;
mod leftovers;
mod length;
mod links;
mod machine_paths;
mod orphans;
mod purity;
mod rust_text;
mod tree;
mod unsafe_code;
mod unwraps;

use crate::error::{ChoreError, pick};
use crate::process::root;
use tree::Tree;

/// One check: a row of the table below.
struct Check {
    name: &'static str,
    run: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: &[Check] = &[
    Check { name: "direction", run: direction::check },
    Check { name: "purity", run: purity::check },
    Check { name: "unsafe", run: unsafe_code::check },
    Check { name: "unwraps", run: unwraps::check },
    Check { name: "headers", run: headers::check },
    Check { name: "length", run: length::check },
    Check { name: "leftovers", run: leftovers::check },
    Check { name: "orphans", run: orphans::check },
    Check { name: "invariants", run: invariants::check },
    Check { name: "links", run: links::check },
    Check { name: "machine-paths", run: machine_paths::check },
];

/// Something that a check found, and where.
#[derive(Debug, PartialEq)]
struct Finding {
    /// Path from the root; with the line where there is one.
    place: String,
    message: String,
    is_warning: bool,
}

impl Finding {
    /// A failure in a file as a whole.
    fn file(path: &str, message: impl Into<String>) -> Self {
        Self { place: path.into(), message: message.into(), is_warning: false }
    }

    /// A failure on a line, counted from 1.
    fn line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self::file(&format!("{path}:{line}"), message)
    }

    /// The same finding, as a warning sign only.
    fn into_warning(self) -> Self {
        Self { is_warning: true, ..self }
    }
}

/// Prints the findings of all checks, or of those named.
///
/// # Errors
/// An unknown check (exit 2), or a failure found (exit 1).
pub(crate) fn run(args: &[String]) -> Result<(), ChoreError> {
    println!("{}", check_all(args)?);
    Ok(())
}

/// As [`run`], for a chore that has tidy as a step: warnings are printed, the note counts them.
///
/// # Errors
/// As [`run`].
pub(crate) fn check_all(wanted: &[String]) -> Result<String, ChoreError> {
    for name in wanted {
        pick(CHECKS, |c| c.name, "check of `cargo xtask tidy`", name)?;
    }
    let tree =
        Tree::read(&root()).map_err(|e| ChoreError::failed(format!("cannot read the source tree: {e}")))?;
    let chosen = CHECKS.iter().filter(|c| wanted.is_empty() || wanted.iter().any(|w| w == c.name));
    let (mut warnings, mut failures, mut checks) = (Vec::new(), Vec::new(), 0);
    for check in chosen {
        checks += 1;
        for finding in (check.run)(&tree) {
            let list = if finding.is_warning { &mut warnings } else { &mut failures };
            list.push(format!("{}: {} [{}]", finding.place, finding.message, check.name));
        }
    }
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    if failures.is_empty() {
        return Ok(format!("{checks} checks over {} files, {} warnings", tree.len(), warnings.len()));
    }
    Err(ChoreError::failed(format!("{}\n{} tidy failures", failures.join("\n"), failures.len())))
}

/// The places of the findings, for the checks' own tests.
#[cfg(test)]
fn places(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|f| f.place.as_str()).collect()
}
