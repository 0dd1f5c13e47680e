//! The norm of a whole gradient, with the same bits on any number of threads.

use crate::half::HalfGrad;
use crate::kernel::dispatch;
use crate::kernel::sums::{STRETCH, SquareSum};
use crate::real::Real;
use crate::span::Span;
use crate::threads::Threads;

/// The L2 norm of all spans' gradients together; NaN or ∞ only if one of their numbers is.
pub fn gradient_norm<T: Real>(spans: &[Span<'_, T>], threads: &Threads) -> f64 {
    let sum = if threads.count() > 1 { parallel(spans, threads) } else { spans.iter().map(plain).sum() };
    if f64::is_finite(sum) { sum.sqrt() } else { scaled(spans) }
}

fn plain<T: Real>(span: &Span<'_, T>) -> f64 {
    span.grad.values().chunks(STRETCH).map(|values| dispatch(SquareSum { values })).sum()
}

/// The same sums, added in the same order.
fn parallel<T: Real>(spans: &[Span<'_, T>], threads: &Threads) -> f64 {
    let mut parts = Vec::new();
    for span in spans {
        let values = span.grad.values();
        let mut stretches: Vec<(&[T], f64)> = values.chunks(STRETCH).map(|values| (values, 0.0)).collect();
        parts.append(&mut stretches);
        // Marks the end of the span, whose sum is taken on its own.
        parts.push((&[], 0.0));
    }
    threads.share(&mut parts, |(values, sum)| *sum = dispatch(SquareSum { values }));
    parts.split(|(values, _)| values.is_empty()).map(|own| own.iter().map(|(_, sum)| sum).sum::<f64>()).sum()
}

/// The same of gradients of at most 32 bits, whose squares f64 can hold.
pub(crate) fn half_norm<'a>(grads: impl Iterator<Item = HalfGrad<'a>>, threads: &Threads) -> f64 {
    let stretches = |mut grad: HalfGrad<'a>| {
        std::iter::from_fn(move || (grad.len() > 0).then(|| grad.take_front(STRETCH.min(grad.len()))))
    };
    let mut parts: Vec<_> = grads.flat_map(stretches).map(|grad| (grad, 0.0)).collect();
    threads.share(&mut parts, |(grad, sum)| *sum = grad.square_sum());
    let sum: f64 = parts.iter().map(|(_, sum)| sum).sum();
    if sum.is_finite() { sum.sqrt() } else { f64::NAN }
}

/// Where squares overflow f64, or a number is not finite.
fn scaled<T: Real>(spans: &[Span<'_, T>]) -> f64 {
    let values = || spans.iter().flat_map(|span| span.grad.values()).map(|g| g.to_f64().abs());
    if values().any(|g| !g.is_finite()) {
        return f64::NAN;
    }
    let largest = values().fold(0.0, f64::max);
    largest * values().map(|g| (g / largest).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(grads: &[Vec<f64>], threads: usize) -> f64 {
        let mut ws = grads.to_vec();
        let spans: Vec<_> = ws.iter_mut().zip(grads).map(|(w, g)| Span::new(w, g)).collect();
        gradient_norm(&spans, &Threads::new(threads).expect("two threads"))
    }

    #[test]
    fn it_is_the_norm_with_the_same_bits_on_any_number_of_threads() {
        let wave = |n: usize| (0..n).map(|i| (i as f64 * 0.37).sin()).collect::<Vec<_>>();
        let grads = [wave(3), wave(0), wave(10_000), wave(STRETCH), wave(1)];
        let exact = grads.iter().flatten().map(|g| g * g).sum::<f64>().sqrt();
        assert!((norm(&grads, 1) - exact).abs() < 1e-12 * exact);
        assert_eq!(norm(&grads, 1).to_bits(), norm(&grads, 2).to_bits());
        assert_eq!(norm(&grads, 1).to_bits(), norm(&grads, 3).to_bits());
    }

    #[test]
    fn large_numbers_do_not_look_infinite() {
        assert!((norm(&[vec![3e200, 4e200]], 1) / 5e200 - 1.0).abs() < 1e-15);
        assert!(norm(&[vec![3e200, f64::INFINITY]], 1).is_nan());
        assert!(norm(&[vec![f64::NAN, 1.0]], 1).is_nan());
        assert_eq!(norm(&[vec![]], 1), 0.0);
    }
}
