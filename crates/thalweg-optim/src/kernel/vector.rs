//! Vector registers, for the few loops in which the compiler's vectorizer cannot be trusted with register tiles.
#![allow(
    unsafe_code,
    reason = "registers are read and written through pointers, by instructions the CPU must have"
)]

use crate::real::Real;

/// The most numbers that a register of any level holds.
pub const WIDEST: usize = 16;

/// A register of `LANES` numbers.
///
/// # Safety
/// `LANES` must be at most [`WIDEST`], and `load` and `store` must touch exactly `LANES` numbers.
///
/// # Safety of its methods
/// All are `unsafe` for one reason: the CPU must support the level that the register belongs to. A kernel that takes the
/// type from its [`Isa`](super::Isa) is only ever run where it does.
#[allow(clippy::missing_safety_doc, reason = "the same for all: stated above")]
pub unsafe trait Vector<T>: Copy {
    /// Numbers in the register; at most [`WIDEST`].
    const LANES: usize;
    /// `value` in every lane.
    unsafe fn splat(value: T) -> Self;
    /// The numbers behind `from`, which needs no alignment but must be readable for `LANES` numbers.
    unsafe fn load(from: *const T) -> Self;
    /// Writes the numbers behind `to`, which needs no alignment but must be writable for `LANES` numbers.
    unsafe fn store(self, to: *mut T);
    /// self + a in every lane.
    unsafe fn add(self, a: Self) -> Self;
    /// self − a in every lane.
    unsafe fn sub(self, a: Self) -> Self;
    /// self·a + b in every lane.
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    /// A bit for each lane that is not zero, the first lane's lowest; NaN is not zero.
    unsafe fn non_zeros(self) -> u16;
    /// The lanes of both by turns, this one's first: the first half of them, and the second.
    unsafe fn zip(self, other: Self) -> (Self, Self);
}

/// Numbers in plain memory, for platforms without a register type here; the compiler vectorizes what it can.
#[derive(Debug, Clone, Copy)]
pub struct Portable<T, const L: usize, const FMA: bool>([T; L]);

// SAFETY: an array of L numbers is read and written whole; L is 4 wherever it is named.
unsafe impl<T: Real, const L: usize, const FMA: bool> Vector<T> for Portable<T, L, FMA> {
    const LANES: usize = L;

    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Self([value; L])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: promised by the caller.
        Self(unsafe { from.cast::<[T; L]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: promised by the caller.
        unsafe { to.cast::<[T; L]>().write_unaligned(self.0) };
    }
    #[inline(always)]
    unsafe fn add(self, a: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] + a.0[lane]))
    }
    #[inline(always)]
    unsafe fn sub(self, a: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] - a.0[lane]))
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            let (x, a, b) = (self.0[lane], a.0[lane], b.0[lane]);
            if FMA { x.mul_add(a, b) } else { x * a + b }
        }))
    }
    #[inline(always)]
    unsafe fn non_zeros(self) -> u16 {
        self.0.iter().rev().fold(0, |bits, &value| bits << 1 | u16::from(value != T::ZERO))
    }
    #[inline(always)]
    unsafe fn zip(self, other: Self) -> (Self, Self) {
        let lane = |at: usize| if at.is_multiple_of(2) { self.0[at / 2] } else { other.0[at / 2] };
        (Self(std::array::from_fn(lane)), Self(std::array::from_fn(|at| lane(L + at))))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Vector;

    macro_rules! register {
        ($register:ty, $number:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $fma:ident, $non_zeros:ident, $zip:ident) => {
            // SAFETY: the instructions read and write one register of that many numbers.
            unsafe impl Vector<$number> for $register {
                const LANES: usize = $lanes;

                #[inline(always)]
                unsafe fn splat(value: $number) -> Self {
                    // SAFETY: the caller promises the CPU level.
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $number) -> Self {
                    // SAFETY: the caller promises the CPU level and the memory.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $number) {
                    // SAFETY: the caller promises the CPU level and the memory.
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn add(self, a: Self) -> Self {
                    // SAFETY: the caller promises the CPU level.
                    unsafe { $add(self, a) }
                }
                #[inline(always)]
                unsafe fn sub(self, a: Self) -> Self {
                    // SAFETY: the caller promises the CPU level.
                    unsafe { $sub(self, a) }
                }
                #[inline(always)]
                unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                    // SAFETY: the caller promises the CPU level.
                    unsafe { $fma(self, a, b) }
                }
                #[inline(always)]
                unsafe fn non_zeros(self) -> u16 {
                    // SAFETY: the caller promises the CPU level.
                    unsafe { $non_zeros(self) }
                }
                #[inline(always)]
                unsafe fn zip(self, other: Self) -> (Self, Self) {
                    // SAFETY: the caller promises the CPU level.
                    unsafe { $zip(self, other) }
                }
            }
        };
    }

    /// # Safety
    /// The CPU must have the instructions of the register; so it is for all of these.
    #[inline(always)]
    unsafe fn non_zeros_512_f32(a: __m512) -> u16 {
        // SAFETY: promised by the caller.
        unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, _mm512_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn non_zeros_512_f64(a: __m512d) -> u16 {
        // SAFETY: promised by the caller.
        u16::from(unsafe { _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(a, _mm512_setzero_pd()) })
    }
    #[inline(always)]
    unsafe fn non_zeros_256_f32(a: __m256) -> u16 {
        // SAFETY: promised by the caller.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(a, _mm256_setzero_ps())) as u16 }
    }
    #[inline(always)]
    unsafe fn non_zeros_256_f64(a: __m256d) -> u16 {
        // SAFETY: promised by the caller.
        unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_NEQ_UQ>(a, _mm256_setzero_pd())) as u16 }
    }
    #[inline(always)]
    unsafe fn zip_512_f32(a: __m512, b: __m512) -> (__m512, __m512) {
        // SAFETY: promised by the caller.
        unsafe {
            let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            (_mm512_permutex2var_ps(a, first, b), _mm512_permutex2var_ps(a, second, b))
        }
    }
    #[inline(always)]
    unsafe fn zip_512_f64(a: __m512d, b: __m512d) -> (__m512d, __m512d) {
        // SAFETY: promised by the caller.
        unsafe {
            let first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            (_mm512_permutex2var_pd(a, first, b), _mm512_permutex2var_pd(a, second, b))
        }
    }
    #[inline(always)]
    unsafe fn zip_256_f32(a: __m256, b: __m256) -> (__m256, __m256) {
        // SAFETY: promised by the caller.
        unsafe {
            let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
        }
    }
    #[inline(always)]
    unsafe fn zip_256_f64(a: __m256d, b: __m256d) -> (__m256d, __m256d) {
        // SAFETY: promised by the caller.
        unsafe {
            let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            (_mm256_permute2f128_pd::<0x20>(low, high), _mm256_permute2f128_pd::<0x31>(low, high))
        }
    }

    register!(
        __m512,
        f32,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_fmadd_ps,
        non_zeros_512_f32,
        zip_512_f32
    );
    register!(
        __m512d,
        f64,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_fmadd_pd,
        non_zeros_512_f64,
        zip_512_f64
    );
    register!(
        __m256,
        f32,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_fmadd_ps,
        non_zeros_256_f32,
        zip_256_f32
    );
    register!(
        __m256d,
        f64,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_fmadd_pd,
        non_zeros_256_f64,
        zip_256_f64
    );
}
