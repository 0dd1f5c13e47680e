//! The small CNN on Fashion-MNIST to 90 % of the test images, in Thalweg and PyTorch.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Programs;
use super::plan::{CONTENDERS, Contender};
use crate::bench::contender::scratch;
use crate::bench::optim::median;
use crate::error::ChoreError;
use crate::process::{line_of, stdout_of};

/// Where Debian's package `dataset-fashion-mnist` has the images.
pub(crate) const FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";
const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];
const THREADS: [usize; 2] = [1, 2];

/// Unpacks the images once, for all contenders.
///
/// # Errors
/// If they are not there: what to install.
pub(super) fn unpacked() -> Result<PathBuf, ChoreError> {
    let to = scratch().join("fashion-mnist");
    let failed = |path: &Path, e: std::io::Error| ChoreError::failed(format!("{}: {e}", path.display()));
    fs::create_dir_all(&to).map_err(|e| failed(&to, e))?;
    for name in FILES {
        let packed = Path::new(FASHION_MNIST).join(format!("{name}.gz"));
        if !packed.exists() {
            return Err(ChoreError::failed(format!(
                "there is no {}; on Debian: apt-get install dataset-fashion-mnist. Without it: --fashion 0",
                packed.display()
            )));
        }
        let path = to.join(name);
        let file = File::create(&path).map_err(|e| failed(&path, e))?;
        let mut gzip = crate::process::command("gzip");
        let status = gzip.arg("-dc").arg(&packed).stdout(file).status().map_err(|e| failed(&packed, e))?;
        if !status.success() {
            return Err(ChoreError::failed(format!("`{}` ended with {status}", line_of(&gzip))));
        }
    }
    Ok(to)
}

/// Each contender in turn, with another seed in each repeat. `rival` is PyTorch in the layout that was faster.
///
/// # Errors
/// A contender that fails.
pub(super) fn run(
    programs: &Programs,
    rival: &'static Contender,
    repeats: u64,
) -> Result<Vec<Value>, ChoreError> {
    let folder = unpacked()?;
    let mut tables = Vec::new();
    for threads in THREADS {
        let contenders = [&CONTENDERS[0], rival];
        let mut runs: [Vec<Value>; 2] = Default::default();
        for seed in 1..=repeats {
            println!("Fashion-MNIST, {threads} threads: repeat {seed} of {repeats}");
            for (contender, runs) in contenders.iter().zip(&mut runs) {
                let mut command = programs.command(contender, threads);
                command.args(["--task", "fashion", "--seed", &seed.to_string(), "--folder"]).arg(&folder);
                let text = stdout_of(&mut command)?;
                runs.push(serde_json::from_str(&text).map_err(|e| {
                    ChoreError::failed(format!("`{}` printed no JSON: {e}", line_of(&command)))
                })?);
            }
        }
        let rows: Vec<Value> =
            contenders.iter().zip(&runs).map(|(contender, runs)| row(contender, runs)).collect();
        let [own, theirs] = [0, 1].map(|which| rows[which]["seconds"].as_f64());
        let times = own.zip(theirs).map(|(own, theirs)| theirs / own);
        tables.push(json!({"threads": threads, "rows": rows, "times_pytorch": times}));
    }
    Ok(tables)
}

/// Medians over the repeats; no seconds if one never came so far.
fn row(contender: &Contender, runs: &[Value]) -> Value {
    let all = runs.iter().all(|run| run["reached"] == true);
    let median_of = |key: &str| {
        let values = runs.iter().filter_map(|run| run[key].as_f64()).collect();
        all.then(|| median(values)).flatten()
    };
    json!({
        "contender": contender.name, "version": runs.first().map(|run| &run["version"]),
        "absent": runs.first().map(|run| &run["absent"]),
        "seconds": median_of("seconds"), "seconds_looking": median_of("seconds_looking"),
        "steps": median_of("steps"), "runs": runs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_that_never_came_so_far_leaves_no_median() {
        let run = |seconds: f64, reached: bool| json!({"version": "1", "seconds": seconds, "steps": 10, "reached": reached});
        let good = row(&CONTENDERS[0], &[run(1.0, true), run(3.0, true), run(2.0, true)]);
        assert_eq!(good["seconds"], 2.0);
        let bad = row(&CONTENDERS[0], &[run(1.0, true), run(3.0, false)]);
        assert!(bad["seconds"].is_null() && bad["runs"][1]["seconds"] == 3.0);
        let absent = row(&CONTENDERS[0], &[json!({"absent": "one thread"})]);
        assert!(absent["seconds"].is_null() && absent["absent"] == "one thread");
    }
}
