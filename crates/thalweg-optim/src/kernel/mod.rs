//! Hot loops, compiled once per CPU level from one plain source.
//!
//! A [`Kernel`] is ordinary Rust over slices and fixed-size arrays. [`dispatch`] compiles it for each level that the
//! platform has (AVX-512, AVX2, NEON, baseline) and calls the best one that the running CPU supports; the compiler's
//! vectorizer does the rest. So a formula is written once, needs no compiler flags, and [`run_on`] can run any level's
//! twin for tests.

pub mod denormal;
pub mod matmul;
pub mod pack;
pub mod step;
pub mod sums;
pub mod transpose;
pub mod vector;

use std::sync::LazyLock;

use self::vector::{Portable, Vector};
use crate::real::Real;

/// What a CPU level offers.
///
/// # Safety
/// A kernel may only be run for it on a CPU that has the instructions of its `Vector`. [`dispatch`] and [`run_on`] see to
/// that; who implements it anew must.
#[allow(unsafe_code, reason = "kernels rely on it to use registers")]
pub unsafe trait Isa {
    /// Bytes in a vector register.
    const BYTES: usize;
    /// A register of numbers.
    type Vector<T: Real>: Vector<T>;
    /// Whether a·b + c is one instruction. Without it, `mul_add` would call a slow library function.
    const FMA: bool;
}

/// A hot loop with its arguments.
pub trait Kernel {
    /// What it returns.
    type Output;

    /// Runs the loop. Must be marked `#[inline(always)]`, or it is not compiled for the level.
    fn run<I: Isa>(self) -> Self::Output;
}

/// A CPU level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What every CPU of the platform has.
    Baseline,
    /// AVX2 and FMA (x86-64).
    Avx2,
    /// AVX-512 F, VL, BW, DQ (x86-64).
    Avx512,
    /// NEON with FMA (AArch64).
    Neon,
}

struct Baseline;
// SAFETY: plain memory, which every CPU has.
#[allow(unsafe_code, reason = "see the trait")]
unsafe impl Isa for Baseline {
    const BYTES: usize = 16;
    type Vector<T: Real> = Portable<T, 4, false>;
    const FMA: bool = false;
}

/// The levels that the running CPU supports, best first.
pub fn levels() -> &'static [Level] {
    #[cfg(target_arch = "x86_64")]
    return x86::levels();
    #[cfg(target_arch = "aarch64")]
    return &[Level::Neon, Level::Baseline];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return &[Level::Baseline];
}

/// Runs `kernel` on the best level of this CPU.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    // Asked once: a small kernel runs for less time than the detection takes.
    static BEST: LazyLock<Level> = LazyLock::new(|| levels()[0]);
    run_supported(*BEST, kernel)
}

/// Runs `kernel` on one level.
///
/// # Panics
/// If the CPU does not support it.
#[inline]
pub fn run_on<K: Kernel>(level: Level, kernel: K) -> K::Output {
    assert!(levels().contains(&level), "this CPU does not support {level:?}");
    run_supported(level, kernel)
}

#[inline]
fn run_supported<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level {
        Level::Baseline => kernel.run::<Baseline>(),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => x86::run(level, kernel),
        #[cfg(target_arch = "aarch64")]
        Level::Neon => kernel.run::<arm::Neon>(),
        #[allow(unreachable_patterns, reason = "the levels of other platforms")]
        _ => unreachable!("this platform has no such level"),
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    /// NEON is in every AArch64 CPU: the compiler's default already uses it.
    pub(super) struct Neon;
    // SAFETY: plain memory, which every CPU has.
    #[allow(unsafe_code, reason = "see the trait")]
    unsafe impl super::Isa for Neon {
        const BYTES: usize = 16;
        type Vector<T: super::Real> = super::Portable<T, 4, true>;
        const FMA: bool = true;
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "calling code that is compiled for a CPU feature")]
mod x86 {
    use super::{Isa, Kernel, Level, Real};

    struct Avx2;
    // SAFETY: private to this module, whose `run` checks nothing but is called for supported levels only.
    unsafe impl Isa for Avx2 {
        const BYTES: usize = 32;
        type Vector<T: Real> = T::Avx2;
        const FMA: bool = true;
    }

    struct Avx512;
    // SAFETY: as above.
    unsafe impl Isa for Avx512 {
        const BYTES: usize = 64;
        type Vector<T: Real> = T::Avx512;
        const FMA: bool = true;
    }

    pub(super) fn levels() -> &'static [Level] {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        match (avx512, avx2) {
            (true, _) => &[Level::Avx512, Level::Avx2, Level::Baseline],
            (false, true) => &[Level::Avx2, Level::Baseline],
            (false, false) => &[Level::Baseline],
        }
    }

    #[inline]
    pub(super) fn run<K: Kernel>(level: Level, kernel: K) -> K::Output {
        match level {
            // SAFETY: the caller has checked that `levels()` contains this level.
            Level::Avx512 => unsafe { avx512(kernel) },
            // SAFETY: as above.
            _ => unsafe { avx2(kernel) },
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx2>()
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx512>()
    }
}

/// Asks the memory for the cache line of element `index`, which may lie behind the end. The CPU does so by itself, but only
/// within a page of 4 KiB, and a loop with many streams and much arithmetic feels it at each border.
#[inline(always)]
#[allow(unsafe_code, reason = "the instruction is only to be had so")]
pub fn prefetch<T>(values: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing; the instruction allows any address, and every CPU of the platform has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(index).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, index);
}

/// [`prefetch`] of all lines of a block of `B` elements.
#[inline(always)]
pub(crate) fn call_ahead<T, const B: usize>(values: &[T], start: usize) {
    for line in (start..start + B).step_by(LINE / size_of::<T>()) {
        prefetch(values, line);
    }
}

/// Bytes of a cache line.
pub const LINE: usize = 64;
/// How far a loop calls ahead for its memory, in elements: 2 KiB of single-precision numbers.
pub(crate) const AHEAD: usize = 512;
/// The shortest stretch for which it is done: a call behind the end is of no use, and of shorter ones an eighth would be.
pub(crate) const LONG: usize = 4096;

/// a·b + c, fused where the level has it.
#[inline(always)]
pub fn mul_add<I: Isa, T: Real>(a: T, b: T, c: T) -> T {
    if I::FMA { a.mul_add(b, c) } else { a * b + c }
}
