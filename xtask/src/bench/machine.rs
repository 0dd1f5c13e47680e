//! What a benchmark ran on: without it a time means nothing.

use std::fs;

use serde_json::{Value, json};

use crate::process::{command, stdout_of};

/// CPU, cores, system, versions, date (UTC), commit and the load that others put on the machine just before.
pub(crate) fn describe() -> Value {
    json!({
        "cpu": cpu_model(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "system": system(),
        "rust": said(&["rustc", "--version"]),
        "commit": said(&["git", "describe", "--always", "--dirty"]),
        "date": said(&["date", "-u", "+%Y-%m-%d"]),
        "load_before": fs::read_to_string("/proc/loadavg").ok().and_then(|t| first_number(&t)),
    })
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
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
        assert_eq!(first_number("0.52 0.58 0.59 1/467 12345"), Some(0.52));
    }

    #[test]
    fn a_missing_tool_is_unknown() {
        assert_eq!(said(&["no-such-program-here"]), "unknown");
    }
}
