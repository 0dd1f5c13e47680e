//! The dialects `torch`, `keras` and `optax` against the paths of the real packages in `goldens/*.json` (made by the
//! scripts beside them). A row whose optimizer or hyperparameter is not in the registry is counted, never dropped.

#[allow(dead_code, reason = "each test file uses its part")]
mod golden;

use golden::{File, Run, files, largest_error, moved_by_a_rounding};
use thalweg_optim::Real;
use thalweg_optim::registry::REGISTRY;

/// The largest errors of all rows that the registry can play, with what they are of, worst first.
fn errors<T: Real>(file: &File) -> Vec<(f64, String)> {
    let mut errors: Vec<_> = file
        .golden
        .runs
        .iter()
        .filter(|run| file.spec(run).is_ok())
        .map(|run| (largest_error::<T>(file, run) - slack::<T>(file, run), file.title(run)))
        .collect();
    errors.sort_by(|a, b| b.0.total_cmp(&a.0));
    errors
}

/// A search turns on the last digit of f once W is near its rest, and carries a rounding far from there: as far as one of
/// its own start, times some; and in f32 that last digit hides what is within √ε of the minimum. The first steps are held
/// to the digits in `tests/search.rs`.
fn slack<T: Real>(file: &File, run: &Run) -> f64 {
    if run.optimizer != "lbfgs" {
        return 0.0;
    }
    let hidden = if T::ONE + T::from_f64(1e-10) == T::ONE { f64::from(f32::EPSILON).sqrt() } else { 0.0 };
    100.0 * moved_by_a_rounding::<T>(file, run) + hidden
}

fn all_within<T: Real>(tolerance: f64) {
    let mut too_large = String::new();
    let mut played = 0;
    for file in files() {
        let errors = errors::<T>(&file);
        played += errors.len();
        for (error, title) in errors.into_iter().filter(|(error, _)| *error > tolerance) {
            too_large.push_str(&format!("\n  {error:.1e}  {title}"));
        }
    }
    assert!(played > 0);
    assert!(
        too_large.is_empty(),
        "of {played} golden paths, these are further off than {tolerance:e}:{too_large}"
    );
}

#[test]
fn f64_follows_the_packages() {
    all_within::<f64>(1e-10);
}

/// A step rounds to about 6e-8 of W, and an ill-conditioned path carries that on: what 100 steps may add up to is 100
/// such roundings.
#[test]
fn f32_follows_the_packages_as_closely_as_its_digits_allow() {
    all_within::<f32>(6e-6);
}

#[test]
fn every_rule_has_golden_paths_of_100_steps() {
    let files = files();
    for entry in REGISTRY {
        let name = entry.info.name;
        if name == "gradient-descent" {
            continue; // no package has it; tests/search.rs holds it to its formula
        }
        let most = files.iter().map(|file| file.of(name).len()).max().unwrap_or(0);
        assert!(most >= 6, "{name} has {most} golden paths: add it to one of goldens/*_optim.py");
    }
    for file in &files {
        for run in &file.golden.runs {
            let title = file.title(run);
            assert_eq!(run.w.keys().copied().collect::<Vec<_>>(), [1, 2, 10, 100], "{title}");
            assert!(file.of(&run.optimizer).len() >= 6, "{title}: three sets on two problems are expected");
            assert!(file.golden.defaults.contains_key(&run.optimizer), "{title}: no defaults");
        }
    }
}

#[test]
fn every_golden_row_sets_every_hyperparameter_that_its_package_has() {
    for file in files() {
        for run in &file.golden.runs {
            let mut given: Vec<_> = run.hyperparameters.keys().collect();
            let mut known: Vec<_> = file.golden.defaults[&run.optimizer].keys().collect();
            if !file.golden.defaults[&run.optimizer].contains_key("learning_rate") {
                given.retain(|name| *name != "learning_rate"); // optax has none by default
            }
            given.sort_unstable();
            known.sort_unstable();
            assert_eq!(given, known, "{}", file.title(run));
        }
    }
}

#[test]
fn the_dialects_have_the_defaults_of_the_packages_signatures() {
    for file in files() {
        for entry in REGISTRY {
            let name = entry.info.name;
            let Some(defaults) = file.golden.defaults.get(name) else { continue };
            if let Some(&rate) = defaults.get("learning_rate") {
                assert_eq!(
                    entry.info.learning_rate.get(file.dialect),
                    rate,
                    "{}: {name}",
                    file.dialect.name()
                );
            }
            let resolved = file.named(name).resolved().expect("a row of the registry");
            for (hyper, value) in resolved {
                // What a package does not name (Keras's NAdam has no ψ), it does not give a default of.
                if let Some(&default) = defaults.get(hyper) {
                    assert_eq!(value, default, "{}: {name}: {hyper}", file.dialect.name());
                }
            }
        }
    }
}

#[test]
fn the_files_are_of_the_packages_that_the_tables_name() {
    let versions: Vec<_> = files().into_iter().map(|file| file.golden.version(file.dialect)).collect();
    assert_eq!(versions, ["2.15.0", "3.15.1", "0.2.8"]);
}

/// The rows that no method of the registry can play yet, by what is missing.
fn pending() -> Vec<String> {
    let mut missing: Vec<_> = files()
        .iter()
        .flat_map(|file| {
            file.golden.runs.iter().filter_map(|run: &Run| file.spec(run).err()).collect::<Vec<_>>()
        })
        .collect();
    missing.sort_unstable();
    missing
}

#[test]
fn what_cannot_be_played_is_counted() {
    let all: usize = files().iter().map(|file| file.golden.runs.len()).sum();
    let played: usize =
        files().iter().map(|file| file.golden.runs.iter().filter(|run| file.spec(run).is_ok()).count()).sum();
    assert_eq!(all, played + pending().len());
    assert!(played >= 150, "only {played} of {all} golden paths are played");
}
