//! Presets of parameter groups against `torch.optim` with one group per tensor (`goldens/groups.json`, made by the script
//! beside it).

use std::collections::BTreeMap;

use serde::Deserialize;
use thalweg_optim::{GroupSpec, Layout, OptimizerSpec, Preset, Role, WrapSpec};

#[derive(Deserialize)]
struct Golden {
    torch_version: String,
    factor: f64,
    blocks: Vec<(String, Vec<usize>, String)>,
    w0: Vec<f64>,
    curvature: Vec<f64>,
    centre: Vec<f64>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    optimizer: String,
    learning_rate: f64,
    decay: f64,
    /// By the number of steps.
    w: BTreeMap<u64, Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../goldens/groups.json")).expect("the golden file is readable")
}

impl Golden {
    fn layout(&self) -> Layout {
        let mut layout = Layout::default();
        for (name, shape, role) in &self.blocks {
            let role = match role.as_str() {
                "weight" => Role::Weight,
                "bias" => Role::Bias,
                "scale" => Role::Scale,
                other => panic!("the role {other} is new"),
            };
            layout.push(name, shape, role);
        }
        layout
    }

    /// The largest error of `spec` on the path of a row, relative to the largest |w| there.
    fn error(&self, run: &Run, spec: &OptimizerSpec) -> f64 {
        let mut optimizer = spec.build::<f64>(&self.layout()).expect("it fits");
        let (mut w, mut worst) = (self.w0.clone(), 0.0_f64);
        for step in 1..=100 {
            let of = w.iter().zip(&self.centre).zip(&self.curvature);
            let gradient: Vec<f64> = of.map(|((w, centre), curvature)| curvature * (w - centre)).collect();
            optimizer.step_with(&mut w, &gradient, run.learning_rate).expect("no look-ahead");
            if let Some(expected) = run.w.get(&step) {
                let size = expected.iter().fold(0.0_f64, |size, w| size.max(w.abs()));
                let far = w.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                worst = worst.max(far / size);
            }
        }
        worst
    }
}

/// The row's rule with its decay: AdamW's own, or coupled as PyTorch's SGD and Adam have it.
fn rule(run: &Run) -> OptimizerSpec {
    let spec = OptimizerSpec::named(&run.optimizer);
    match run.optimizer.as_str() {
        "adamw" => spec.with("weight_decay", run.decay),
        _ => spec.wrapped(WrapSpec::named("weight-decay").with("decay", run.decay)),
    }
}

#[test]
fn presets_follow_pytorch_s_param_groups() {
    let golden = golden();
    assert_eq!((golden.torch_version.as_str(), golden.runs.len()), ("2.15.0", 6));
    let presets = [Preset::NoBiasDecay, Preset::LayerwiseDecay(golden.factor)];
    for run in &golden.runs {
        assert_eq!(run.w.keys().copied().collect::<Vec<_>>(), [1, 2, 10, 100]);
        // The decay around all groups, and inside of the one that brings its own rule.
        let outside = rule(run);
        let inside = OptimizerSpec::named("sgd").group(GroupSpec::rest().optimizer(rule(run)));
        for plain in [outside, inside] {
            let with = |presets: &[Preset]| OptimizerSpec { presets: presets.to_vec(), ..plain.clone() };
            let error = golden.error(run, &with(&presets));
            assert!(error < 1e-12, "{plain:?}: {error:e}");
            // Each preset is needed, and so is the factor.
            let other = [Preset::NoBiasDecay, Preset::LayerwiseDecay(0.75)];
            for presets in [&presets[..1], &presets[1..], &other[..]] {
                let error = golden.error(run, &with(presets));
                assert!(error > 1e-4, "{plain:?} with {presets:?}: {error:e}");
            }
        }
    }
}
