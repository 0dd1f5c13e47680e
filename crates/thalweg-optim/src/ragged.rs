//! What kernels are tested with: lengths around their blocks, and numbers that break formulas.

use crate::real::Real;

/// Nothing, one, and below, at and above lanes, blocks and stretches.
pub(crate) const LENGTHS: [usize; 11] = [0, 1, 2, 3, 7, 8, 63, 64, 65, 1000, 4097];

/// Sound numbers of all sizes: zeros of both signs, the smallest, denormals, and waves.
pub(crate) fn sound<T: Real>(n: usize, step: f64) -> Vec<T> {
    let odd = [0.0, -0.0, 1e-310, -1e-40, 1e-45, T::MIN_POSITIVE.to_f64(), 1e15, -1e-15];
    let at = |i: usize| if i % 5 == 3 { odd[i / 5 % odd.len()] } else { (i as f64 * step + 0.2).sin() };
    (0..n).map(|i| T::from_f64(at(i))).collect()
}

/// The same with one of them replaced.
pub(crate) fn spoiled<T: Real>(n: usize, step: f64, at: usize, by: f64) -> Vec<T> {
    let mut values = sound(n, step);
    values[at] = T::from_f64(by);
    values
}

/// Every length, sound; and each but 0 with NaN, ∞ and −∞ at the first place, the last, and one within.
pub(crate) fn every<T: Real>(step: f64) -> impl Iterator<Item = Vec<T>> {
    LENGTHS.into_iter().flat_map(move |n| {
        let places = if n == 0 { vec![] } else { vec![0, n / 2, n - 1] };
        let bad = places.into_iter().flat_map(move |at| {
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(move |by| spoiled(n, step, at, by))
        });
        std::iter::once(sound(n, step)).chain(bad)
    })
}

/// Comparable to the last bit; every NaN is one.
pub(crate) fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    let one = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    values.iter().map(|x| one(x.to_f64())).collect()
}

/// Whether a sum is that of a plain loop: the same if that is not finite, else up to what the order of adding changes of
/// the sum of the sizes.
pub(crate) fn adds_up(sum: f64, terms: impl Iterator<Item = f64> + Clone) -> bool {
    let plain: f64 = terms.clone().sum();
    if plain.is_finite() {
        (sum - plain).abs() <= 1e-13 * terms.map(f64::abs).sum::<f64>()
    } else {
        sum == plain || (sum.is_nan() && plain.is_nan())
    }
}
