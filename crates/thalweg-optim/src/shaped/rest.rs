//! An elementwise rule for the blocks that are no matrices.

use super::block_rule::{At, Slot};
use super::pass::pass;
use crate::params::Block;
use crate::real::Real;
use crate::rule::Rule;
use crate::rules::Adam;
use crate::threads::Threads;

/// Adam's states of a block.
pub(super) fn slots(block: &Block) -> Vec<Slot> {
    Adam::STATES.iter().map(|name| Slot::zeros(name, &block.shape)).collect()
}

/// One step of a rule with Adam's two states.
pub(super) fn step<T: Real, R: Rule<State<T> = [T; 2]>>(
    rule: &R,
    at: At,
    scalars: &mut [f64],
    (w, grad): (&mut [T], &[T]),
    [m, v]: [&mut [T]; 2],
    threads: &Threads,
) {
    let c = rule.coefficients::<T>(at.step, at.learning_rate, scalars);
    pass(threads, [grad], [w, m, v], |[g], [w, m, v]| {
        let mut state = [*m, *v];
        *w = R::update(&c, *w, g, &mut state);
        [*m, *v] = state;
        []
    });
}
