//! The dialects `torch`, `keras` and `optax` against the paths of the real packages in `goldens/*.json` (made by the
//! scripts beside them).

#[allow(dead_code, reason = "each test file uses its part")]
mod golden;

use golden::{
    File, Run, Start, cost_of_f32, files, largest_error, largest_error_from, largest_error_turned,
    moved_by_a_rounding,
};
use thalweg_optim::registry::REGISTRY;
use thalweg_optim::{Dialect, Orientation, Real};

/// What a package gets wrong, and its dialect does not copy.
struct Deviation {
    dialect: Dialect,
    optimizer: &'static str,
    why: &'static str,
    /// The rows that it does not reach: these must be followed as any others.
    agrees: fn(&Run) -> bool,
    /// The package's start, if that is all that it gets wrong: from there, the dialect must follow it.
    start: Option<Start>,
}

const DEVIATIONS: &[Deviation] = &[
    Deviation {
        dialect: Dialect::Optax,
        optimizer: "yogi",
        why: "optax starts m, too, at what v starts with, so that W moves without a gradient",
        agrees: |_| false,
        start: Some(|run, name| {
            name.starts_with("gradient_average").then(|| run.hyperparameters["initial_accumulator"])
        }),
    },
    Deviation {
        dialect: Dialect::Optax,
        optimizer: "adan",
        why: "optax weighs the change of the gradient by 1-β₂ where its β₂ is the paper's 1-β₂: by 0.08 instead of 0.92; \
              at β₂ = ½ they are one, and pytorch_optimizer, which the other dialects follow, weighs by 1-β₂ of its own",
        agrees: |run| run.hyperparameters["beta2"] == 0.5,
        start: None,
    },
    Deviation {
        dialect: Dialect::Optax,
        optimizer: "rprop",
        why: "optax applies the move of the step before, so that its first step moves nothing; made at once, its moves are \
              the dialect's, as PyTorch's are those of the dialect torch",
        agrees: |run| run.mended,
        start: None,
    },
];

fn deviation(file: &File, run: &Run) -> Option<&'static Deviation> {
    let of_row = |known: &&Deviation| known.dialect == file.dialect && known.optimizer == run.optimizer;
    DEVIATIONS.iter().find(of_row).filter(|known| !(known.agrees)(run))
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

/// Plays every row that the registry can play as its package does; the message lists those that are too far off, worst first.
fn all_within<T: Real>(tolerance: f64, cost: impl Fn(&File, &Run) -> f64) {
    let (mut too_far, mut played) = (Vec::new(), 0);
    for file in files() {
        let follows = |run: &&Run| file.spec(run).is_ok() && deviation(&file, run).is_none();
        for run in file.golden.runs.iter().filter(follows) {
            played += 1;
            let error = largest_error::<T>(&file, run) - slack::<T>(&file, run);
            let allowed = run.tolerance.unwrap_or(0.0).max(tolerance);
            if error > allowed && error > cost(&file, run) {
                too_far.push((error, file.title(run)));
            }
        }
    }
    too_far.sort_by(|a, b| b.0.total_cmp(&a.0));
    let lines: String = too_far.iter().map(|(error, title)| format!("\n  {error:.1e}  {title}")).collect();
    assert!(
        played > 0 && lines.is_empty(),
        "of {played} paths, these are further off than {tolerance:e}:{lines}"
    );
}

#[test]
fn f64_follows_the_packages() {
    all_within::<f64>(1e-10, |_, _| 0.0);
}

/// Muon knows outputs from inputs: PyTorch's `[out, in]` stored as `[in, out]`, and optax's the other way, are the same
/// path where the layout says so, and another where it says the opposite.
#[test]
fn muon_follows_its_package_on_transposed_weights_that_say_so() {
    for file in files() {
        let (turned, wrong) = match file.dialect {
            Dialect::Optax => (Orientation::OutIn, Orientation::InOut),
            _ => (Orientation::InOut, Orientation::OutIn),
        };
        let (rows, mut differ) = (file.of("muon"), 0);
        assert!(rows.len() >= 6, "{:?} has no paths", file.dialect);
        for run in rows {
            let error = largest_error_turned(&file, run, turned);
            assert!(error <= run.tolerance.unwrap_or(0.0).max(1e-10), "{}: {error:e}", file.title(run));
            differ += usize::from(largest_error_turned(&file, run, wrong) > 1e-3);
        }
        // Keras's σ has no sides.
        assert_eq!(differ == 0, file.dialect == Dialect::Keras, "{:?}: {differ} paths differ", file.dialect);
    }
}

/// Methods that an f32 has not the digits for, and what their worst path is held to: half as much again as was measured.
const ROUNDED: &[(&str, f64, &str)] = &[
    (
        "prodigy",
        5.4e-2,
        "it measures how far it came by sums that nearly cancel, and that is the length of its steps",
    ),
    ("soap", 7.6e-3, "it divides what is nearly zero in the eigenbasis by its own size"),
    ("rmsprop-centered", 1.7e-4, "its variance is a difference of two averages"),
    (
        "adafactor",
        9.4e-5,
        "steps of 0.3 of W's size overshoot, and a rounding grows 300 to 1100 times on the way",
    ),
    ("lion", 6.9e-6, "steps of equal size round the same way, so that 100 roundings add up"),
    ("sign-sgd", 6.9e-6, "steps of equal size round the same way, so that 100 roundings add up"),
    ("lars", 6.3e-6, "a rounding grows 10 to 60 times on the way"),
    ("lamb", 5.4e-6, "a rounding grows 100 times on the way"),
    ("momentum", 5.2e-6, "with a momentum of 0.99 a rounding grows 8 times on the way"),
    ("muon", 4.1e-6, "five products of matrices after another"),
];

/// A step rounds to about 6e-8 of W, and 100 steps add that up. A path of a method in the table may be further off: by 16
/// times what keeping W and the state in f32 costs on it (the arithmetic rounds, too), but never by more than its bound.
#[test]
fn f32_follows_the_packages_as_closely_as_its_digits_allow() {
    all_within::<f32>(2e-6, |file, run| {
        let known = ROUNDED.iter().find(|(name, ..)| *name == run.optimizer);
        known.map_or(0.0, |&(_, bound, _)| bound.min(16.0 * cost_of_f32(file, run)))
    });
    let files = files();
    for (name, _, why) in ROUNDED {
        let rows = files.iter().flat_map(|file| file.of(name).into_iter().map(move |run| (file, run)));
        let worst = rows.map(|(file, run)| largest_error::<f32>(file, run)).fold(0.0, f64::max);
        assert!(worst > 2e-6, "{name} needs no bound of its own ({why}): {worst:e}");
    }
}

#[test]
fn a_known_deviation_is_one_and_its_cause_is_all_of_it() {
    let files = files();
    for known in DEVIATIONS {
        let file = files.iter().find(|file| file.dialect == known.dialect).expect("a file of the dialect");
        let rows = file.of(known.optimizer).into_iter().filter(|run| deviation(file, run).is_some());
        let rows: Vec<_> = rows.collect();
        assert!(rows.len() >= 6, "{}: only {} rows deviate", known.optimizer, rows.len());
        for run in rows {
            let title = file.title(run);
            assert!(largest_error::<f64>(file, run) > 1e-8, "{title} does not deviate: {}", known.why);
            if let Some(start) = known.start {
                let (wide, narrow) = (
                    largest_error_from::<f64>(file, run, start),
                    largest_error_from::<f32>(file, run, start),
                );
                assert!(wide <= 1e-10 && narrow <= 2e-6, "{title}: {wide:e} and {narrow:e}; {}", known.why);
            }
        }
    }
}

#[test]
fn every_rule_follows_golden_paths_of_100_steps() {
    let files = files();
    for entry in REGISTRY {
        let name = entry.info.name;
        if name == "gradient-descent" {
            continue; // no package has it; tests/search.rs holds it to its formula
        }
        // A path that shows what a package gets wrong proves nothing of the rule, but one followed from the package's start does.
        let follows = |file: &File, run: &Run| deviation(file, run).is_none_or(|known| known.start.is_some());
        let followed = |file: &File| file.of(name).into_iter().filter(|run| follows(file, run)).count();
        let most = files.iter().map(followed).max().unwrap_or(0);
        assert!(most >= 6, "{name} follows {most} golden paths: add it to one of goldens/*_optim.py");
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
            let mut defaults = file.translated(name, defaults);
            if let ("adafactor", Dialect::Torch) = (name, file.dialect) {
                // PyTorch's None stands for the machine epsilon of the number type, as 0 does here.
                assert_eq!(defaults.insert("epsilon1".to_owned(), 0.0), Some(f64::EPSILON));
            }
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

#[test]
fn every_golden_path_can_be_played() {
    let files = files();
    let rows = files.iter().flat_map(|file| file.golden.runs.iter().map(move |run| (file, run)));
    let missing: Vec<_> = rows.filter_map(|(file, run)| file.spec(run).err()).collect();
    assert!(missing.is_empty(), "{} paths cannot be played:\n  {}", missing.len(), missing.join("\n  "));
}

#[test]
fn a_rule_that_a_package_has_has_paths_of_that_package() {
    for file in files() {
        for entry in REGISTRY {
            let (name, call) = (entry.info.name, entry.info.calls.get(file.dialect));
            let rows = file.of(name).len();
            assert!(
                call.is_none() || rows >= 6,
                "{}: {name} is its {call:?}, with {rows} paths",
                file.dialect.name()
            );
        }
    }
}
