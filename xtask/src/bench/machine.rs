//! What a benchmark ran on: without it a time means nothing.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::ChoreError;
use crate::process::{command, root, stdout_of};

/// CPU, cores, system, versions, date (UTC), commit, and the share of the cores that others used just before.
pub(crate) fn describe() -> Value {
    json!({
        "cpu": cpu_model(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "system": system(),
        "rust": said(&["rustc", "--version"]),
        "commit": said(&["git", "describe", "--always"]),
        "date": said(&["date", "-u", "+%Y-%m-%d"]),
        "busy_before": busy_share(),
    })
}

/// Refuses to measure what no commit holds: a figure names the commit that it is of. Earlier results may have changed.
///
/// # Errors
/// If a file differs from the commit.
pub(crate) fn clean_tree() -> Result<(), ChoreError> {
    let mut git = command("git");
    git.current_dir(root()).args([
        "status",
        "--porcelain",
        "--",
        ".",
        ":!benchmarks/*.json",
        ":!benchmarks/*.md",
    ]);
    let changed = stdout_of(&mut git)?;
    if changed.is_empty() {
        return Ok(());
    }
    Err(ChoreError::failed(format!(
        "the working tree differs from its commit, which the figures would name:\n{changed}Commit first"
    )))
}

/// The share of all cores' time, 0 to 1, that was not idle during one second in which we did nothing. Not the load
/// average: that still remembers our own build. `None` where the system does not tell.
fn busy_share() -> Option<f64> {
    let now = || idle_and_total(&fs::read_to_string("/proc/stat").ok()?);
    let before = now()?;
    std::thread::sleep(Duration::from_secs(1));
    let after = now()?;
    let total = (after.1 - before.1) as f64;
    (total > 0.0).then(|| (100.0 * (1.0 - (after.0 - before.0) as f64 / total)).round() / 100.0)
}

/// Ticks since the start of the machine, from the first line of `/proc/stat`: user, nice, system, idle, iowait, …
fn idle_and_total(stat: &str) -> Option<(u64, u64)> {
    let ticks: Vec<u64> =
        stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().map_while(|t| t.parse().ok()).collect();
    Some((ticks.get(3)? + ticks.get(4)?, ticks.iter().sum()))
}

fn cpu_model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':').map(|(_, v)| v.trim()));
    model.map_or_else(|| said(&["sysctl", "-n", "machdep.cpu.brand_string"]), str::to_string)
}

fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).unwrap_or("").trim_matches('"');
    format!("{name} {}", said(&["uname", "-srm"])).trim().to_string()
}

/// What a program says on one line, or «unknown»: a missing tool must not stop a measurement.
fn said(line: &[&str]) -> String {
    stdout_of(command(line[0]).args(&line[1..]))
        .map_or_else(|_| "unknown".into(), |text| text.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_a_value() {
        let machine = describe();
        for key in ["cpu", "system", "rust", "commit", "date"] {
            assert!(machine[key].as_str().is_some_and(|v| !v.is_empty()), "{key}: {machine}");
        }
        assert!(machine["cores"].as_u64().is_some_and(|n| n >= 1));
        if cfg!(target_os = "linux") {
            assert!(
                machine["busy_before"].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)),
                "{machine}"
            );
        }
        assert_eq!(idle_and_total("cpu  10 1 5 100 4 0 0 0\ncpu0 1 1 1 1 1\n"), Some((104, 120)));
    }

    #[test]
    fn a_missing_tool_is_unknown() {
        assert_eq!(said(&["no-such-program-here"]), "unknown");
    }
}
