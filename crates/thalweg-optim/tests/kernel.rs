//! The vectorized step of every rule against its scalar twin: the formula, element by element.

use thalweg_optim::kernel::step::{Pass, Ride, Step, Work};
use thalweg_optim::kernel::{Level, levels, run_on};
use thalweg_optim::rules::*;
use thalweg_optim::slots::Slots;
use thalweg_optim::{Dialect, Optimizer, Penalties, Real, Riders, Role, Rule, Span};

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

/// Everything that may ride along, or nothing.
fn riders(ride: bool) -> Riders {
    let all = Riders {
        scale: 0.75,
        clip_value: Some(0.5),
        penalties: Penalties { l1: 0.03, l2: 0.01, decay: 0.02, soft: 0.4 },
        weight_penalties: Penalties { l1: 0.01, l2: 0.02, decay: 0.03, soft: 0.2 },
        average_weight: 0.125,
        ..Riders::default()
    };
    if ride { all } else { Riders::default() }
}

/// The memory of a step.
#[derive(Clone)]
struct Memory<T> {
    w: Vec<T>,
    grad: Vec<T>,
    average: Vec<T>,
    /// Slot `s` of element `i` lies at `s·n + i`.
    state: Vec<T>,
}

/// The twin: element by element, its state taken apart and together by hand, its riders one after the other. Returns the
/// sums of a rule that measures.
fn scalar<R: Rule, T: Real>(c: &R::Coefficients<T>, memory: &mut Memory<T>, ride: bool) -> [f64; 2] {
    let mut sums = [0.0; 2];
    let (n, riders, number) = (memory.w.len(), riders(ride), T::from_f64);
    for i in 0..n {
        let mut own: Vec<T> = (0..R::STATES.len()).map(|slot| memory.state[slot * n + i]).collect();
        let mut element = R::State::<T>::load(&R::State::<T>::split(&mut own, 1), 0);
        let (mut w, mut g) = (memory.w[i], memory.grad[i]);
        if ride {
            let limit = number(riders.clip_value.expect("it rides"));
            let (all, weights) = (riders.penalties, riders.weight_penalties);
            g = (g * number(riders.scale)).min(limit).max(-limit) + number(all.l2 + weights.l2) * w;
            g += number(all.l1 + weights.l1)
                * number(if w.to_f64() == 0.0 { 0.0 } else { w.to_f64().signum() });
            w *= number(1.0 - 0.05 * (all.decay + weights.decay));
        }
        let terms = R::measure(c, w, g, &element);
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term.to_f64());
        w = R::update(c, w, g, &mut element);
        if ride {
            let threshold = number(0.05 * (riders.penalties.soft + riders.weight_penalties.soft));
            w = match w {
                _ if w > threshold => w - threshold,
                _ if w < -threshold => w + threshold,
                _ if w.to_f64().is_nan() => w,
                _ => T::ZERO,
            };
        }
        memory.w[i] = w;
        if ride {
            memory.grad[i] = T::ZERO;
            let average = memory.average[i];
            memory.average[i] = average + number(riders.average_weight) * (w - average);
        }
        element.store(&mut R::State::<T>::split(&mut own, 1), 0);
        for (slot, &value) in own.iter().enumerate() {
            memory.state[slot * n + i] = value;
        }
    }
    sums
}

fn vector<R: Rule, T: Real>(
    level: Level,
    coefficients: R::Coefficients<T>,
    memory: &mut Memory<T>,
    ride: bool,
    pass: Pass,
) -> [f64; 2] {
    let Memory { w, grad, average, state } = memory;
    let slots = R::State::<T>::split(state, w.len());
    let span =
        if ride { Span { average: Some(average), ..Span::clearing(w, grad) } } else { Span::new(w, grad) };
    let mut work = Work::new(span, slots);
    run_on(
        level,
        Step::<R, T> {
            coefficients,
            riders: Ride::new(riders(ride), Role::Weight, 0.05),
            pass,
            far: true,
            work: &mut work,
        },
    );
    work.sums
}

/// Up to what the order of adding changes.
fn same_sums(a: [f64; 2], b: [f64; 2]) -> bool {
    a.iter().zip(b).all(|(&a, b)| (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= 1e-10)
}

fn check<R: Rule, T: Real>(rule: R, n: usize, ride: bool) {
    for &level in levels() {
        let mut state = Vec::new();
        for &value in rule.initial::<T>().as_slice() {
            state.resize(state.len() + n, value);
        }
        let mut scalars = vec![0.0; R::SCALARS.len()];
        rule.initial_scalars(&mut scalars);
        let mut fast = Memory { w: wave::<T>(n, 0.9), grad: vec![T::ZERO; n], average: wave(n, 0.4), state };
        let mut twin = fast.clone();
        for step in 1..=5 {
            let mut grad = wave::<T>(n, 0.37 * step as f64);
            // Numbers that break a formula, and one that is smaller than the smallest normal one.
            let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e-310, 1e-40, 1e30];
            for (g, odd) in grad.iter_mut().skip(16).zip(odd).filter(|_| step > 2) {
                *g = T::from_f64(odd);
            }
            (fast.grad, twin.grad) = (grad.clone(), grad);
            let coefficients = rule.coefficients::<T>(step, 0.05, &mut scalars);
            let both = if R::MEASURES { Pass::Both } else { Pass::Move };
            let before = fast.clone();
            let only =
                R::MEASURES.then(|| vector::<R, T>(level, coefficients, &mut fast, ride, Pass::Measure));
            assert!(
                same(&fast.w, &before.w) && same(&fast.grad, &before.grad),
                "{rule:?} moves as it measures"
            );
            let sums = vector::<R, T>(level, coefficients, &mut fast, ride, both);
            let twins = scalar::<R, T>(&coefficients, &mut twin, ride);
            let at = format!("{rule:?}, {n} elements, {level:?}, step {step}, riders: {ride}");
            assert!(same(&fast.w, &twin.w), "{at}: W");
            assert!(same(&fast.state, &twin.state), "{at}: the state");
            assert!(same(&fast.average, &twin.average), "{at}: the average");
            assert!(same(&fast.grad, &twin.grad), "{at}: the gradient");
            if let Some(only) = only {
                assert!(
                    same_sums(sums, twins) && same_sums(only, twins),
                    "{at}: {sums:?}, {only:?}, {twins:?}"
                );
                assert!(n == 0 || step == 1 || twins[0] != 0.0, "{at}: nothing was measured");
            }
        }
        assert!(n == 0 || fast.w != wave::<T>(n, 0.9), "{rule:?} must have moved");
    }
}

fn twin_of<R: Rule>() {
    for dialect in Dialect::ALL {
        for n in LENGTHS {
            for ride in [false, true] {
                check::<R, f32>(R::preset(dialect), n, ride);
                check::<R, f64>(R::preset(dialect), n, ride);
            }
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
