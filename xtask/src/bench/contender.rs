//! One contender of a benchmark, run once: its seconds, and per method its steps and mean outer score.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::error::ChoreError;
use crate::process::{command, line_of, root, stdout_of};

/// Who runs, and how.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) how: How,
    pub(super) methods: &'static [&'static str],
}

/// The ways to run one.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// The release binary, this many trials at a time.
    Thalweg { jobs: usize },
    /// A script of `benchmarks/peers`, its work dealt to this many processes, each with this many threads
    /// (`None`: the package's own default).
    Peer { script: &'static str, processes: usize, threads: Option<usize> },
}

/// What is equal for all.
pub(super) struct Protocol {
    pub(super) epochs: usize,
    pub(super) seed: u64,
}

/// What one run gave.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Thalweg: the whole process. Peers: training and scoring inside the slowest process, imports left out.
    pub(super) seconds: f64,
    pub(super) version: String,
    pub(super) methods: BTreeMap<String, Method>,
}

/// One method's part of a run.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Method {
    /// Gradient steps, of all trials and refits.
    pub(super) steps: u64,
    /// Outer test accuracy of each fold, or their mean alone.
    pub(super) scores: Vec<f64>,
}

impl Method {
    pub(super) fn mean_score(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }
}

/// Runs a contender once. `out` is a folder that does not exist yet, for Thalweg's store.
///
/// # Errors
/// A program that fails, or prints something else than the JSON that is expected.
pub(super) fn run(
    contender: &Contender,
    protocol: &Protocol,
    binary: &Path,
    python: &Path,
    out: &Path,
) -> Result<Run, ChoreError> {
    let methods = contender.methods.join(",");
    let (epochs, seed) = (protocol.epochs.to_string(), protocol.seed.to_string());
    match contender.how {
        How::Thalweg { jobs } => {
            let flags = [
                ["--optimizers", &methods],
                ["--epochs", &epochs],
                ["--patience", "0"],
                ["--seed", &seed],
                ["--jobs", &jobs.to_string()],
                ["--batch-size", "32"],
                ["--hidden", "64"],
                ["--activation", "relu"],
                ["--folds", "5"],
                ["--learning-rates", "1e-4..1:9"],
            ];
            run_thalweg(binary, flags.as_flattened(), out)
        }
        How::Peer { script, processes, threads } => {
            let mut flags =
                vec!["--optimizers".into(), methods, "--epochs".into(), epochs, "--seed".into(), seed];
            flags.extend(threads.into_iter().flat_map(|n| ["--threads".into(), n.to_string()]));
            run_peer(python, &root().join("benchmarks").join("peers").join(script), &flags, processes)
        }
    }
}

/// `thalweg compare digits` with these flags besides; the seconds are the whole process's.
///
/// # Errors
/// As [`run`].
pub(super) fn run_thalweg(binary: &Path, flags: &[&str], out: &Path) -> Result<Run, ChoreError> {
    if out.exists() {
        fs::remove_dir_all(out)
            .map_err(|e| ChoreError::failed(format!("cannot empty {}: {e}", out.display())))?;
    }
    let mut command_line = command(binary);
    command_line.args(["compare", "digits", "--quiet", "--format", "json", "--out"]).arg(out).args(flags);
    let started = Instant::now();
    let text = stdout_of(&mut command_line)?;
    let seconds = started.elapsed().as_secs_f64();
    let version = stdout_of(command(binary).arg("--version"))?.trim().to_string();
    let methods = thalweg_methods(&parse(&text, &line_of(&command_line))?)?;
    Ok(Run { seconds, version, methods })
}

/// Per method, from the object's `ranking`.
fn thalweg_methods(json: &Value) -> Result<BTreeMap<String, Method>, ChoreError> {
    let rows = json["ranking"].as_array().ok_or_else(|| missing("thalweg", "ranking"))?;
    rows.iter()
        .map(|row| {
            let name = row["method"].as_str().ok_or_else(|| missing("thalweg", "ranking[].method"))?;
            let steps = row["steps"].as_u64().ok_or_else(|| missing("thalweg", "ranking[].steps"))?;
            let mean =
                row["score"]["mean"].as_f64().ok_or_else(|| missing("thalweg", "ranking[].score.mean"))?;
            Ok((name.to_string(), Method { steps, scores: vec![mean] }))
        })
        .collect()
}

fn run_peer(python: &Path, script: &Path, flags: &[String], processes: usize) -> Result<Run, ChoreError> {
    let mut children = Vec::new();
    for shard in 0..processes {
        let mut line = command(python);
        line.arg("-B").arg(script).args(flags).args(["--shard", &format!("{shard}/{processes}")]);
        line.stdout(Stdio::piped());
        let child = line
            .spawn()
            .map_err(|e| ChoreError::failed(format!("cannot start `{}`: {e}", line_of(&line))))?;
        children.push((line_of(&line), child));
    }
    // All are waited for before any failure is told, so that none is left running.
    let outputs: Vec<_> =
        children.into_iter().map(|(line, child)| (line, child.wait_with_output())).collect();
    let mut merged = Run::default();
    for (line, output) in outputs {
        let output = output.map_err(|e| ChoreError::failed(format!("`{line}`: {e}")))?;
        if !output.status.success() {
            return Err(ChoreError::failed(format!("`{line}` ended with {}", output.status)));
        }
        merge(&mut merged, peer_run(&parse(&String::from_utf8_lossy(&output.stdout), &line)?)?);
    }
    Ok(merged)
}

fn peer_run(json: &Value) -> Result<Run, ChoreError> {
    let seconds = json["seconds"].as_f64().ok_or_else(|| missing("the peer", "seconds"))?;
    let version = json["version"].as_str().ok_or_else(|| missing("the peer", "version"))?.to_string();
    let rows = json["methods"].as_object().ok_or_else(|| missing("the peer", "methods"))?;
    let methods = rows
        .iter()
        .map(|(name, row)| {
            let steps = row["steps"].as_u64().ok_or_else(|| missing("the peer", "methods.*.steps"))?;
            let scores = row["scores"].as_array().ok_or_else(|| missing("the peer", "methods.*.scores"))?;
            Ok((name.clone(), Method { steps, scores: scores.iter().filter_map(Value::as_f64).collect() }))
        })
        .collect::<Result<_, ChoreError>>()?;
    Ok(Run { seconds, version, methods })
}

/// Adds a shard: work adds up, time is the slowest one's.
fn merge(whole: &mut Run, shard: Run) {
    whole.seconds = whole.seconds.max(shard.seconds);
    whole.version = shard.version;
    for (name, part) in shard.methods {
        let method = whole.methods.entry(name).or_default();
        method.steps += part.steps;
        method.scores.extend(part.scores);
    }
}

fn parse(text: &str, line: &str) -> Result<Value, ChoreError> {
    serde_json::from_str(text)
        .map_err(|e| ChoreError::failed(format!("`{line}` printed no JSON object: {e}")))
}

fn missing(who: &str, key: &str) -> ChoreError {
    ChoreError::failed(format!(
        "the JSON of {who} has no `{key}`: it and xtask/src/bench/contender.rs disagree"
    ))
}

/// The scratch folder of the benchmarks' stores.
pub(super) fn scratch() -> PathBuf {
    root().join("target").join("bench")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn thalwegs_ranking_is_read() {
        let json = json!({"ranking": [
            {"method": "adam", "steps": 120, "score": {"mean": 0.97, "low": 0.9, "high": 1.0}},
            {"method": "sgd", "steps": 118, "score": {"mean": 0.95}},
        ]});
        let methods = thalweg_methods(&json).expect("well formed");
        assert_eq!(methods["sgd"], Method { steps: 118, scores: vec![0.95] });
        let error =
            thalweg_methods(&json!({"ranking": [{"method": "adam"}]})).expect_err("no steps").to_string();
        assert!(error.contains("ranking[].steps"), "{error}");
    }

    #[test]
    fn shards_add_their_work_and_the_slowest_counts() {
        let shard = |seconds: f64, score: f64| {
            let json = json!({"seconds": seconds, "version": "1", "methods": {"sgd": {"steps": 10, "scores": [score]}}});
            peer_run(&json).expect("well formed")
        };
        let mut whole = Run::default();
        merge(&mut whole, shard(2.0, 0.5));
        merge(&mut whole, shard(3.0, 1.0));
        assert_eq!(whole.seconds, 3.0);
        assert_eq!(whole.methods["sgd"], Method { steps: 20, scores: vec![0.5, 1.0] });
        assert_eq!(whole.methods["sgd"].mean_score(), 0.75);
    }
}
