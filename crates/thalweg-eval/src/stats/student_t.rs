//! Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::beta::beta_reg;

/// P(|T| ≥ |t|) for Student's t with ν = `degrees_of_freedom`: the regularized incomplete beta function I_x(ν/2, ½) at
/// x = ν/(ν + t²), to about 12 digits, however far in the tail. 0 for an infinite `t`.
///
/// # Panics
/// If `degrees_of_freedom` is not positive or `t` is NaN.
pub fn two_sided_p(t: f64, degrees_of_freedom: f64) -> f64 {
    assert!(degrees_of_freedom > 0.0 && !t.is_nan(), "t = {t}, {degrees_of_freedom} degrees of freedom");
    if t.is_infinite() {
        return 0.0;
    }
    // For a small t, x is so close to 1 that 1 − x loses digits: take it from the other end.
    let (half, square) = (0.5 * degrees_of_freedom, t * t);
    let p = if square < 1.0 {
        1.0 - beta_reg(0.5, half, square / (degrees_of_freedom + square))
    } else {
        beta_reg(half, 0.5, degrees_of_freedom / (degrees_of_freedom + square))
    };
    p.clamp(0.0, 1.0)
}

/// The t with P(T ≤ t) = `probability` for Student's t with `degrees_of_freedom`, to about 12 digits.
///
/// # Panics
/// If `degrees_of_freedom` is not positive or `probability` is not strictly between 0 and 1.
pub fn quantile(probability: f64, degrees_of_freedom: f64) -> f64 {
    assert!(probability > 0.0 && probability < 1.0, "a probability of {probability}");
    let t = StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("positive degrees of freedom");
    t.inverse_cdf(probability)
}
