//! The sign of a number: all that some rules see of a gradient, and an L1 penalty of W.

use crate::real::Real;

/// 1, −1, or for 0 and NaN the number itself: a NaN is not hidden.
#[inline(always)]
pub(crate) fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn it_is_one_of_three_and_keeps_nan() {
        let found = [3e-320, f64::INFINITY, 0.0, -1e-300, f64::NEG_INFINITY].map(sign);
        assert_eq!(found, [1.0, 1.0, 0.0, -1.0, -1.0]);
        assert!(sign(f64::NAN).is_nan());
    }
}
