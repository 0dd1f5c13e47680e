//! Wrapped optimizers against the paths of PyTorch, Keras and optax in `goldens/*.json`.

#[allow(dead_code, reason = "each test file uses its part")]
mod golden;

use golden::{File, Run, files, largest_wrapped_error};
use thalweg_optim::{Dialect, Real, WrapSpec};

/// The wrapper of a row, or `None` where Thalweg has none.
fn wrapper(row: &Run) -> Option<WrapSpec> {
    let set = |name: &str| row.settings[name];
    let of_weights = |spec: WrapSpec| match row.settings.get("weights_only") {
        Some(&only) => spec.with("weights-only", only),
        None => spec,
    };
    Some(match row.wrapper.as_str() {
        "clip-norm" => WrapSpec::named("clip-norm").with("max-norm", set("max_norm")),
        "clip-value" => WrapSpec::named("clip-value").with("max-value", set("max_value")),
        "clip-adaptive" => {
            WrapSpec::named("clip-adaptive").with("clipping", set("clipping")).with("epsilon", set("epsilon"))
        }
        "decay-coupled" => of_weights(WrapSpec::named("weight-decay").with("decay", set("weight_decay"))),
        "decay-decoupled" => {
            of_weights(WrapSpec::named("decoupled-decay").with("decay", set("weight_decay")))
        }
        name @ ("l1" | "lasso-prox") => of_weights(WrapSpec::named(name).with("decay", set("decay"))),
        "elastic-net" => {
            of_weights(WrapSpec::named("elastic-net").with("decay", set("decay")).with("ratio", set("ratio")))
        }
        "max-norm" => WrapSpec::named("max-norm").with("radius", set("radius")),
        "ema" => WrapSpec::named("ema").with("decay", set("decay")),
        "ema-debiased" => WrapSpec::named("ema").with("decay", set("decay")).with("debias", 1.0),
        "swa" => WrapSpec::named("swa"),
        "accumulate" => WrapSpec::named("accumulate").with("steps", set("steps")),
        "lookahead" => {
            WrapSpec::named("lookahead").with("steps", set("period")).with("alpha", set("slow_step"))
        }
        "sam" => WrapSpec::named("sam").with("rho", set("rho")),
        // Clipping each tensor on its own, and averaging the gradient: no wrappers of Thalweg.
        "clip-norm-each" | "gradient-ema" => return None,
        other => panic!("{other} is new: map it"),
    })
}

/// Keras and optax divide by ‖g‖, Thalweg and PyTorch by ‖g‖ + 1e-6.
fn divides_by_the_bare_norm(dialect: Dialect, row: &Run) -> bool {
    row.wrapper == "clip-norm" && dialect != Dialect::Torch
}

#[test]
fn wrapped_rules_follow_the_packages() {
    let (mut played, mut off) = (0, String::new());
    for file in files() {
        for row in &file.golden.wrapped {
            let Some(wrapper) = wrapper(row) else { continue };
            let title = format!("{} {:?} around {}", row.wrapper, row.settings, file.title(row));
            let (error, _) = largest_wrapped_error::<f64>(&file, row, wrapper.clone());
            if divides_by_the_bare_norm(file.dialect, row) {
                // The 1e-6 shows, and no more than it.
                assert!((1e-10..2e-5).contains(&error), "{error:.1e}  {title}");
                continue;
            }
            played += 1;
            if !within::<f64>(&file, row, &wrapper, 1e-10) || !within::<f32>(&file, row, &wrapper, 6e-6) {
                off.push_str(&format!("\n  {error:.1e}  {title}"));
            }
        }
    }
    assert!(played >= 94, "only {played} rows are played");
    assert!(off.is_empty(), "of {played} rows, these are off:{off}");
}

/// Whether a row is as near as `tolerance`. SAM's direction g/‖g‖ turns on the last digit where g is almost zero, so that
/// a path which comes to rest there carries a rounding far: as far as one of its own start, times some.
fn within<T: Real>(file: &File, row: &Run, wrapper: &WrapSpec, tolerance: f64) -> bool {
    let (error, moved) = largest_wrapped_error::<T>(file, row, wrapper.clone());
    error <= if row.wrapper == "sam" { tolerance.max(100.0 * moved) } else { tolerance }
}
