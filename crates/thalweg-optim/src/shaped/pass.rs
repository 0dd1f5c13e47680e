//! A pass over slices of one length, with sums whose bits do not depend on the threads.
//!
//! ```text
//! for every index:  read…, write… ← f(read…, write…);  sums ← sums + (what f returns)²
//! ```
//! The slices are halved down to stretches of a fixed size, and the sums of the halves added: a tree that depends on the
//! length alone, whoever works on its branches. So sums need no memory, and lose fewer digits than a running sum.

use crate::kernel::sums::STRETCH;
use crate::kernel::{Isa, Kernel, dispatch};
use crate::real::Real;
use crate::threads::Threads;

/// Elements that are copied into local arrays at a time, as in the elementwise pass.
const BLOCK: usize = 64;

/// Elements from which on a second thread pays for its waking.
pub(super) const PARALLEL_FROM: usize = 1 << 15;

/// Does `f` at every index: it sees the values that are read and may change those that are written. Returns the sum of the
/// squares, in f64, of each number that `f` returns. `f` must be `#[inline(always)]` or a closure.
pub(super) fn pass<T: Real, const R: usize, const W: usize, const S: usize>(
    threads: &Threads,
    read: [&[T]; R],
    write: [&mut [T]; W],
    f: impl Fn([T; R], &mut [T; W]) -> [T; S] + Sync,
) -> [f64; S] {
    let n = read.first().map_or_else(|| write.first().map_or(0, |slice| slice.len()), |slice| slice.len());
    assert!(read.iter().all(|slice| slice.len() == n), "the slices of a pass have one length");
    assert!(write.iter().all(|slice| slice.len() == n), "the slices of a pass have one length");
    halve(threads, n, Slices { read, write }, &f)
}

struct Slices<'a, T, const R: usize, const W: usize> {
    read: [&'a [T]; R],
    write: [&'a mut [T]; W],
}

fn halve<T: Real, const R: usize, const W: usize, const S: usize>(
    threads: &Threads,
    n: usize,
    mut slices: Slices<'_, T, R, W>,
    f: &(impl Fn([T; R], &mut [T; W]) -> [T; S] + Sync),
) -> [f64; S] {
    if n <= STRETCH {
        return dispatch(Stretch { n, slices, f });
    }
    let half = (n / 2).next_multiple_of(STRETCH);
    let first = Slices {
        read: slices.read.each_mut().map(|slice| slice.split_off(..half).unwrap_or_default()),
        write: slices.write.each_mut().map(|slice| slice.split_off_mut(..half).unwrap_or_default()),
    };
    let mut parts = [(half, first, [0.0; S]), (n - half, slices, [0.0; S])];
    let work = |(n, part, sums): &mut (usize, Slices<'_, T, R, W>, [f64; S])| {
        let part = Slices { read: part.read, write: part.write.each_mut().map(|slice| &mut **slice) };
        *sums = halve(threads, *n, part, f);
    };
    if n >= PARALLEL_FROM {
        threads.run(&mut parts, work);
    } else {
        parts.iter_mut().for_each(work);
    }
    std::array::from_fn(|k| parts[0].2[k] + parts[1].2[k])
}

struct Stretch<'a, 'f, T, F, const R: usize, const W: usize> {
    n: usize,
    slices: Slices<'a, T, R, W>,
    f: &'f F,
}

impl<T: Real, F, const R: usize, const W: usize, const S: usize> Kernel for Stretch<'_, '_, T, F, R, W>
where
    F: Fn([T; R], &mut [T; W]) -> [T; S],
{
    type Output = [f64; S];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; S] {
        let Self { n, slices: Slices { read, mut write }, f } = self;
        let mut sums = [[0.0; BLOCK]; S];
        let whole = n - n % BLOCK;
        for start in (0..whole).step_by(BLOCK) {
            let mut given = [[T::ZERO; BLOCK]; R];
            let mut moved = [[T::ZERO; BLOCK]; W];
            for (values, slice) in given.iter_mut().zip(&read) {
                values.copy_from_slice(&slice[start..start + BLOCK]);
            }
            for (values, slice) in moved.iter_mut().zip(&write) {
                values.copy_from_slice(&slice[start..start + BLOCK]);
            }
            for lane in 0..BLOCK {
                let mut own: [T; W] = std::array::from_fn(|k| moved[k][lane]);
                let terms = f(std::array::from_fn(|k| given[k][lane]), &mut own);
                for (values, own) in moved.iter_mut().zip(own) {
                    values[lane] = own;
                }
                for (sums, term) in sums.iter_mut().zip(terms) {
                    sums[lane] += term.to_f64() * term.to_f64();
                }
            }
            for (values, slice) in moved.iter().zip(&mut write) {
                slice[start..start + BLOCK].copy_from_slice(values);
            }
        }
        for index in whole..n {
            let mut own: [T; W] = std::array::from_fn(|k| write[k][index]);
            let terms = f(std::array::from_fn(|k| read[k][index]), &mut own);
            for (slice, own) in write.iter_mut().zip(own) {
                slice[index] = own;
            }
            for (sums, term) in sums.iter_mut().zip(terms) {
                sums[index % BLOCK] += term.to_f64() * term.to_f64();
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, run_on};
    use crate::ragged::{adds_up, bits, every, sound};

    /// Two slices are read, two are written, two sums are taken.
    fn formula<T: Real>([g, decay]: [T; 2], [w, m]: &mut [T; 2]) -> [T; 2] {
        *m += T::from_f64(0.1) * (g - *m);
        let step = *m / (g.abs().sqrt() + T::from_f64(0.5)) + decay * *w;
        *w += -step;
        [g, step]
    }

    fn twin<T: Real>() {
        for g in every::<T>(0.37) {
            let n = g.len();
            let [decay, start, moment] = [0.53, 0.91, 0.11].map(|step| sound::<T>(n, step));
            let (mut w, mut m, mut terms) = (start.clone(), moment.clone(), [Vec::new(), Vec::new()]);
            for i in 0..n {
                let mut own = [w[i], m[i]];
                let found = formula([g[i], decay[i]], &mut own);
                [w[i], m[i]] = own;
                for (terms, found) in terms.iter_mut().zip(found) {
                    terms.push(found.to_f64() * found.to_f64());
                }
            }
            let mut first: Option<[f64; 2]> = None;
            for &level in levels() {
                let (mut own_w, mut own_m) = (start.clone(), moment.clone());
                let slices = Slices { read: [&g[..], &decay], write: [&mut own_w[..], &mut own_m] };
                let sums = run_on(level, Stretch { n, slices, f: &formula::<T> });
                let at = format!("{level:?}, {n} numbers");
                assert_eq!((bits(&own_w), bits(&own_m)), (bits(&w), bits(&m)), "{at}");
                for (sum, terms) in sums.into_iter().zip(&terms) {
                    assert!(adds_up(sum, terms.iter().copied()), "{at}: {sum}");
                }
                let first = first.get_or_insert(sums);
                assert_eq!(bits(&sums), bits(&first[..]), "{at}: another order of adding");
            }
        }
    }

    #[test]
    fn a_stretch_is_that_of_a_plain_loop_on_every_level() {
        twin::<f32>();
        twin::<f64>();
    }
}
