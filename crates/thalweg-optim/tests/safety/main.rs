//! What must stay as it was when a step is refused, and what must go on where it was.

mod goes_on;
#[path = "../lively/mod.rs"]
mod lively;
mod refused;
mod too_large;

use thalweg_optim::{Layout, Optimizer, OptimizerSpec, Real, Role, Span, StateDict, WrapSpec};

fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.push("weight", &[3, 2], Role::Weight);
    layout.push("bias", &[3], Role::Bias);
    layout
}

fn wave(step: u32) -> Vec<f64> {
    (0..9).map(|i| (f64::from(i) * 0.9 + 0.3 + f64::from(step)).sin()).collect()
}

fn bits(w: &[f64]) -> Vec<u64> {
    w.iter().map(|w| w.to_bits()).collect()
}

/// ½ Σ λᵢ (wᵢ − cᵢ)².
fn quadratic<T: Real>(w: &[T], grad: &mut [T]) -> T {
    let mut value = 0.0;
    for (i, (g, w)) in grad.iter_mut().zip(w).enumerate() {
        let (curvature, error) = (0.1 + (i % 5) as f64 * 0.5, w.to_f64() - (1.3 * i as f64).cos());
        *g = T::from_f64(curvature * error);
        value += 0.5 * curvature * error * error;
    }
    T::from_f64(value)
}

fn wrapped(name: &str, wrappers: &[&str]) -> OptimizerSpec {
    let parsed = wrappers.iter().map(|text| text.parse::<WrapSpec>().expect("valid"));
    parsed.fold(OptimizerSpec::named(name), OptimizerSpec::wrapped)
}

fn build<T: Real>(spec: &OptimizerSpec) -> Box<dyn Optimizer<T>> {
    spec.build(&layout()).expect("valid")
}

fn average(optimizer: &mut dyn Optimizer<f64>, w: &[f64]) -> Option<Vec<f64>> {
    let mut point = Vec::new();
    optimizer.average(w, &mut point).then_some(point)
}

/// The state but for what the guards counted.
fn uncounted(optimizer: &dyn Optimizer<f64>) -> StateDict {
    let mut state = optimizer.save();
    let counts: Vec<_> =
        state.entries().keys().filter(|name| name.ends_with("guard/skipped")).cloned().collect();
    assert!(!counts.is_empty(), "there is a guard");
    counts.iter().for_each(|name| drop(state.remove(name)));
    state
}

/// A step that clears its gradients, as one span or one per block; what is left of the gradient.
fn clearing_step(
    optimizer: &mut dyn Optimizer<f64>,
    w: &mut [f64],
    grad: &[f64],
    blocks: bool,
) -> (bool, Vec<f64>) {
    let mut grad = grad.to_vec();
    let outcome = if blocks {
        let ((weight, bias), (of_weight, of_bias)) = (w.split_at_mut(6), grad.split_at_mut(6));
        let spans = &mut [Span::clearing(weight, of_weight), Span::clearing(bias, of_bias)];
        optimizer.step_spans(spans, 0.01)
    } else {
        optimizer.step_spans(&mut [Span::clearing(w, &mut grad)], 0.01)
    };
    (outcome.expect("given gradients").skipped, grad)
}
