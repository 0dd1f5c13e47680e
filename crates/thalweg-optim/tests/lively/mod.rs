//! Wrappers as the tests of several files use them.

use thalweg_optim::WrapSpec;

/// Settings that make a wrapper do something in a few steps.
pub(crate) fn lively(name: &str) -> WrapSpec {
    let text = match name {
        "clip-norm" => "clip-norm=0.5",
        "clip-value" => "clip-value=0.2",
        "clip-adaptive" => "clip-adaptive=0.05",
        "guard" => "guard",
        "weight-decay" => "weight-decay=0.03",
        "decoupled-decay" => "decoupled-decay=0.04",
        "l1" => "l1=0.03",
        "lasso-prox" => "lasso-prox=0.04",
        "elastic-net" => "elastic-net=0.05:0.4",
        "max-norm" => "max-norm=0.8",
        "gradient-noise" => "gradient-noise=0.02:0.3:5",
        "accumulate" => "accumulate=3",
        "lookahead" => "lookahead=4:0.6",
        "ema" => "ema=0.9",
        "swa" => "swa=3:2",
        "sam" => "sam=0.1",
        "asam" => "asam=0.2",
        other => panic!("give {other} settings that do something"),
    };
    text.parse().expect("a wrapper of the registry")
}
