//! AdamW for the blocks that are no matrices.

use super::block_rule::{At, Slot};
use super::lamb::shrink;
use super::pass::pass;
use crate::params::Block;
use crate::real::Real;
use crate::rule::Rule;
use crate::rules::{Adam, correction};
use crate::threads::Threads;

/// Adam's states of a block.
pub(super) fn slots(block: &Block) -> Vec<Slot> {
    Adam::STATES.iter().map(|name| Slot::zeros(name, &block.shape)).collect()
}

/// W ← (1 − ηλ)W, and Adam.
pub(super) fn adamw<T: Real>(
    adam: &Adam,
    weight_decay: f64,
    at: At,
    w: &mut [T],
    grad: &[T],
    [m, v]: [&mut [T]; 2],
    threads: &Threads,
) {
    shrink(w, at.learning_rate * weight_decay, threads);
    let c = adam.coefficients::<T>(at.step, at.learning_rate, &mut []);
    pass(threads, [grad], [w, m, v], |[g], [w, m, v]| {
        let mut state = [*m, *v];
        *w = Adam::update(&c, *w, g, &mut state);
        [*m, *v] = state;
        []
    });
}

/// W ← (1 − ηλ)W, and Adam with Nesterov's look ahead as optax has it: m̂ = β₁m/(1−β₁ᵗ⁺¹) + (1−β₁)g/(1−β₁ᵗ);
/// W ← W − η·m̂/(√(v/(1−β₂ᵗ)) + ε).
pub(super) fn nadamw<T: Real>(
    adam: &Adam,
    weight_decay: f64,
    at: At,
    w: &mut [T],
    grad: &[T],
    [m, v]: [&mut [T]; 2],
    threads: &Threads,
) {
    shrink(w, at.learning_rate * weight_decay, threads);
    let (beta1, rest1) = (T::from_f64(adam.beta1), T::from_f64(1.0 - adam.beta1));
    let (beta2, rest2) = (T::from_f64(adam.beta2), T::from_f64(1.0 - adam.beta2));
    let of_average = T::from_f64(at.learning_rate * adam.beta1 / correction(adam.beta1, at.step + 1));
    let of_gradient = T::from_f64(at.learning_rate * (1.0 - adam.beta1) / correction(adam.beta1, at.step));
    let scale = T::from_f64(1.0 / correction(adam.beta2, at.step).sqrt());
    let epsilon = T::from_f64(adam.epsilon);
    pass(threads, [grad], [w, m, v], |[g], [w, m, v]| {
        *m = beta1 * *m + rest1 * g;
        *v = beta2 * *v + rest2 * g * g;
        *w = *w - (of_average * *m + of_gradient * g) / (v.sqrt() * scale + epsilon);
        []
    });
}
