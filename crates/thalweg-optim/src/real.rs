//! The two number types that parameters come in.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::hyper::OptimError;
#[cfg(target_arch = "x86_64")]
use crate::kernel::vector::Vector;
use crate::optimizer::Optimizer;
use crate::params::Layout;
use crate::registry::Entry;
use crate::span::Span;
use crate::spec::OptimizerSpec;
use crate::state::Values;
use crate::wrap::{WrapSpec, WrapperEntry};

/// A real number: `f32` for training, `f64` for checking.
pub trait Real:
    Copy
    + Debug
    + Default
    + Display
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + SubAssign
    + Mul<Output = Self>
    + MulAssign
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// A 256-bit register of them.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx2: Vector<Self>;
    /// A 512-bit register of them.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx512: Vector<Self>;

    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive number with all its digits: below it, they go one by one, or at once where denormals are
    /// flushed.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// What Rust calls the type.
    const NAME: &'static str;

    /// The nearest representable number.
    fn from_f64(value: f64) -> Self;
    /// The same number, exactly.
    fn to_f64(self) -> f64;
    /// √self.
    fn sqrt(self) -> Self;
    /// |self|.
    fn abs(self) -> Self;
    /// self·a + b, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Neither NaN nor ±∞.
    fn is_finite(self) -> bool;
    /// The larger of the two; NaN if `self` is NaN (so that a NaN is never hidden).
    fn max(self, other: Self) -> Self;

    /// The smaller of the two; NaN if `self` is NaN.
    fn min(self, other: Self) -> Self;
    /// `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;

    /// Numbers of this type as part of a saved state.
    fn values(values: Vec<Self>) -> Values;
    /// The numbers of a saved state, if they are of this type.
    fn from_values(values: &Values) -> Option<&[Self]>;

    /// The same memory, if it is of single precision.
    #[doc(hidden)]
    fn singles(values: &mut [Self]) -> Option<&mut [f32]>;
    /// The same spans, if they are of single precision.
    #[doc(hidden)]
    fn single_spans<'s, 'a>(spans: &'s mut [Span<'a, Self>]) -> Option<&'s mut [Span<'a, f32>]>;

    /// The optimizer of a registry row for this number type.
    #[doc(hidden)]
    fn build(
        entry: &Entry,
        spec: &OptimizerSpec,
        layout: &Layout,
    ) -> Result<Box<dyn Optimizer<Self>>, OptimError>;

    /// The wrapper of a registry row around an optimizer of this number type.
    #[doc(hidden)]
    fn put(
        entry: &WrapperEntry,
        spec: &WrapSpec,
        inner: Box<dyn Optimizer<Self>>,
    ) -> Result<Box<dyn Optimizer<Self>>, OptimError>;
}

macro_rules! real {
    ($float:ident, $variant:ident, $avx2:ident, $avx512:ident, $single:expr) => {
        impl Real for $float {
            #[cfg(target_arch = "x86_64")]
            type Avx2 = std::arch::x86_64::$avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = std::arch::x86_64::$avx512;

            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $float::EPSILON;
            const MIN_POSITIVE: Self = $float::MIN_POSITIVE;
            const MAX: Self = $float::MAX;
            const NAME: &'static str = stringify!($float);

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $float::mul_add(self, a, b)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if other > self { other } else { self }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if other < self { other } else { self }
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $float::copysign(self, sign)
            }
            fn values(values: Vec<Self>) -> Values {
                Values::$variant(values)
            }
            fn from_values(values: &Values) -> Option<&[Self]> {
                match values {
                    Values::$variant(values) => Some(values),
                    _ => None,
                }
            }
            fn singles(values: &mut [Self]) -> Option<&mut [f32]> {
                $single(values)
            }
            fn single_spans<'s, 'a>(spans: &'s mut [Span<'a, Self>]) -> Option<&'s mut [Span<'a, f32>]> {
                $single(spans)
            }
            fn build(
                entry: &Entry,
                spec: &OptimizerSpec,
                layout: &Layout,
            ) -> Result<Box<dyn Optimizer<Self>>, OptimError> {
                (entry.$float)(spec, layout)
            }
            fn put(
                entry: &WrapperEntry,
                spec: &WrapSpec,
                inner: Box<dyn Optimizer<Self>>,
            ) -> Result<Box<dyn Optimizer<Self>>, OptimError> {
                (entry.$float)(spec, inner)
            }
        }
    };
}

real!(f32, F32, __m256, __m512, Some);
real!(f64, F64, __m256d, __m512d, |_| None);
