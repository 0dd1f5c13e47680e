//! The vectorized step of every rule against its scalar twin: the formula, element by element.

use thalweg_optim::kernel::step::{Map, Ride, Step, Work};
use thalweg_optim::kernel::{levels, run_on};
use thalweg_optim::rules::*;
use thalweg_optim::slots::Slots;
use thalweg_optim::{Dialect, Optimizer, Real, Riders, Rule, Span};

/// Below, at and above one and two blocks of the kernel, and long.
const LENGTHS: [usize; 8] = [0, 1, 15, 63, 64, 65, 129, 1000];

fn wave<T: Real>(len: usize, step: f64) -> Vec<T> {
    (0..len).map(|i| T::from_f64((i as f64 * step + 0.2).sin())).collect()
}

/// Exact, and equal for NaN and NaN.
fn same<T: Real>(a: &[T], b: &[T]) -> bool {
    let bits = |x: T| if x.to_f64().is_nan() { u64::MAX } else { x.to_f64().to_bits() };
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| bits(a) == bits(b))
}

/// Slot `s` of element `i` lies at `s·n + i`: the twin takes an element's state apart and together by hand.
fn scalar<R: Rule, T: Real>(
    c: &R::Coefficients<T>,
    w: &mut [T],
    grad: &[T],
    state: &mut [T],
    probe: &mut [T],
) {
    let n = w.len();
    for i in 0..n {
        let mut own: Vec<T> = (0..R::STATES.len()).map(|slot| state[slot * n + i]).collect();
        let mut element = R::State::<T>::load(&R::State::<T>::split(&mut own, 1), 0);
        probe[i] = R::probe(c, w[i], &element);
        w[i] = R::update(c, w[i], grad[i], &mut element);
        {
            let mut slots = R::State::<T>::split(&mut own, 1);
            element.store(&mut slots, 0);
        }
        for (slot, &value) in own.iter().enumerate() {
            state[slot * n + i] = value;
        }
    }
}

fn check<R: Rule, T: Real>(rule: R, n: usize) {
    for &level in levels() {
        let (mut w, mut state) = (wave::<T>(n, 0.9), Vec::new());
        for &value in rule.initial::<T>().as_slice() {
            state.resize(state.len() + n, value);
        }
        let mut scalars = vec![0.0; R::SCALARS.len()];
        rule.initial_scalars(&mut scalars);
        let (mut twin, mut twin_state) = (w.clone(), state.clone());
        for step in 1..=5 {
            let mut grad = wave::<T>(n, 0.37 * step as f64);
            if let Some(g) = grad.get_mut(16) {
                *g = T::from_f64(f64::NAN);
            }
            let coefficients = rule.coefficients::<T>(step, 0.05, &mut scalars);
            let (mut probe, mut twin_probe) = (vec![T::ZERO; n], vec![T::ZERO; n]);
            let slots = R::State::<T>::split(&mut state, n);
            let f = |w, state: &R::State<T>| R::probe(&coefficients, w, state);
            run_on(level, Map::<R, T, _> { w: &w, slots, out: &mut probe, f });
            let slots = R::State::<T>::split(&mut state, n);
            let mut work = Work { span: Span::new(&mut w, &grad), slots };
            let riders = Ride::new(Riders::default(), 0.05);
            run_on(level, Step::<R, T> { coefficients, riders, work: &mut work });
            drop(work);
            scalar::<R, T>(&coefficients, &mut twin, &grad, &mut twin_state, &mut twin_probe);
            assert!(same(&w, &twin), "{rule:?}, {n} elements, {level:?}, step {step}: W");
            assert!(same(&state, &twin_state), "{rule:?}, {n} elements, {level:?}, step {step}: the state");
            assert!(same(&probe, &twin_probe), "{rule:?}, {n} elements, {level:?}, step {step}: the probe");
        }
        assert!(n == 0 || w != wave::<T>(n, 0.9), "{rule:?} must have moved");
    }
}

fn twin_of<R: Rule>() {
    for dialect in Dialect::ALL {
        for n in LENGTHS {
            check::<R, f32>(R::preset(dialect), n);
            check::<R, f64>(R::preset(dialect), n);
        }
    }
}

#[test]
fn every_level_and_length_gives_the_bits_of_the_scalar_formula() {
    macro_rules! twins {
        ($($rule:ident),*) => { $(twin_of::<$rule>();)* };
    }
    thalweg_optim::every_rule!(twins);
}

#[test]
#[should_panic(expected = "the gradient is not as long as the parameters")]
fn a_short_gradient_is_a_shape_bug() {
    let mut sgd = Sgd.optimizer::<f32>(2).expect("in range");
    let _ = sgd.step_with(&mut [1.0, 2.0], &[1.0], 0.1);
}
