//! Passes over memory that no rider can do: what a wrapper does before or after the step it wraps.

use crate::kernel::{Isa, Kernel, dispatch};
use crate::real::Real;
use crate::threads::Threads;

/// Elements from which on a second thread pays for its waking.
const PARALLEL_FROM: usize = 1 << 15;

/// `f(a, b)` for each pair of elements.
struct Pairs<'a, T, F> {
    a: &'a mut [T],
    b: &'a [T],
    f: F,
}

impl<T: Real, F: Fn(&mut T, T)> Kernel for Pairs<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (a, &b) in self.a.iter_mut().zip(self.b) {
            (self.f)(a, b);
        }
    }
}

/// `f(a, b)` for each pair of elements; `f` must be inlined.
#[inline]
pub(super) fn pairs<T: Real>(
    a: &mut [T],
    b: &[T],
    threads: &Threads,
    f: impl Fn(&mut T, T) + Copy + Send + Sync,
) {
    assert_eq!(a.len(), b.len(), "the slices are of one length");
    if threads.count() == 1 || a.len() < PARALLEL_FROM {
        return dispatch(Pairs { a, b, f });
    }
    let piece = a.len().div_ceil(4 * threads.count());
    let mut parts: Vec<_> = a.chunks_mut(piece).zip(b.chunks(piece)).collect();
    threads.share(&mut parts, |(a, b)| dispatch(Pairs { a, b, f }));
}

/// average ← average + weight·(w − average): the same operations as the rider's.
pub(crate) fn follow<T: Real>(average: &mut [T], w: &[T], weight: f64, threads: &Threads) {
    let weight = T::from_f64(weight);
    pairs(average, w, threads, move |average, w| *average += weight * (w - *average));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};
    use crate::ragged::{bits, every, sound};

    /// The formulas of an accumulation, of an average and of a climb, whose operands are all of W's type.
    fn twin<T: Real>(f: impl Fn(&mut T, T) + Copy) {
        for b in every::<T>(0.37) {
            let start = sound::<T>(b.len(), 0.91);
            let mut plain = start.clone();
            for i in 0..b.len() {
                f(&mut plain[i], b[i]);
            }
            assert!(b.len() < 2 || bits(&plain) != bits(&start), "nothing changed");
            for &level in levels() {
                let mut a = start.clone();
                run_on(level, Pairs { a: &mut a, b: &b, f });
                assert_eq!(bits(&a), bits(&plain), "{level:?}, {} pairs", b.len());
            }
        }
    }

    fn twins<T: Real>() {
        let (half, tenth) = (T::from_f64(0.5), T::from_f64(0.1));
        twin::<T>(move |sum, g| *sum += (g * tenth).min(half).max(-half));
        twin::<T>(move |average, w| *average += tenth * (w - *average));
        twin::<T>(move |w, g| *w = *w / tenth - g.abs().sqrt());
    }

    #[test]
    fn pairs_are_those_of_a_plain_loop_on_every_level() {
        twins::<f32>();
        twins::<f64>();
    }
}
