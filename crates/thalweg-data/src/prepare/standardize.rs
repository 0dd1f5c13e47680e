//! Standardization: mean 0, standard deviation 1.

use serde::{Deserialize, Serialize};

/// x ↦ (x − mean) / std.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// The training rows' mean.
    pub mean: f64,
    /// Their population standard deviation √(Σ(x − mean)² / n), as scikit-learn's `StandardScaler` has it.
    pub std: f64,
}

impl Standard {
    /// The mean and deviation of finite values; `None` if they are constant: all equal, or spread no wider than
    /// rounding (std ≤ n · ε · |mean|, where scikit-learn too leaves a column unscaled).
    pub fn fit(values: &[f64]) -> Option<Self> {
        Self::of(values.iter().copied())
    }

    /// As [`Standard::fit`], of values that are nowhere in a row; they are walked over several times.
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let first = values.clone().next()?;
        if values.clone().all(|value| value == first) {
            return None;
        }
        let unit = unit(values.clone().fold(0.0_f64, |largest, value| largest.max(value.abs())));
        let n = values.clone().count() as f64;
        let mean = values.clone().map(|value| value / unit).sum::<f64>() / n;
        let squares = values.map(|value| (value / unit - mean) * (value / unit - mean)).sum::<f64>();
        let std = (squares / n).sqrt();
        (std > n * f64::EPSILON * mean.abs()).then_some(Self { mean: mean * unit, std: std * unit })
    }

    /// (x − mean) / std, held within the finite `f32` numbers.
    pub fn apply(&self, x: f64) -> f32 {
        ((x - self.mean) / self.std).clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
    }

    /// x · std + mean.
    pub fn restore(&self, x: f32) -> f64 {
        f64::from(x) * self.std + self.mean
    }
}

/// What to divide by so that squares of huge or tiny numbers stay within range: the power of two below `largest`.
/// Dividing by a power of two is exact, so usual data, divided by 1, would give the same bits.
fn unit(largest: f64) -> f64 {
    if (1e-100..1e100).contains(&largest) {
        return 1.0;
    }
    let exponent_bits = largest.to_bits() & f64::INFINITY.to_bits();
    f64::from_bits(exponent_bits).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::Standard;

    #[test]
    fn mean_and_population_deviation() {
        let standard = Standard::fit(&[1.0, 2.0, 3.0, 6.0]).expect("not constant");
        assert_eq!(standard, Standard { mean: 3.0, std: 3.5_f64.sqrt() });
        assert_eq!(standard.apply(3.0), 0.0);
        assert!((standard.restore(standard.apply(6.0)) - 6.0).abs() < 1e-6);
    }

    #[test]
    fn constants_have_no_scale() {
        assert_eq!(Standard::fit(&[]), None);
        assert_eq!(Standard::fit(&[0.1; 7]), None);
        assert_eq!(Standard::fit(&[1e16, 1e16 + 2.0]), None);
    }

    #[test]
    fn huge_and_tiny_numbers_stay_finite() {
        for scale in [1e300, f64::MAX / 4.0, 1e-300, 5e-324] {
            let standard = Standard::fit(&[-scale, 0.0, 2.0 * scale, scale]).expect("not constant");
            assert!(standard.mean.is_finite() && standard.std.is_finite() && standard.std > 0.0, "{scale}");
            assert!(standard.apply(2.0 * scale).abs() < 4.0, "{scale}");
            assert!(standard.apply(f64::MAX).is_finite() && standard.apply(f64::MIN).is_finite(), "{scale}");
        }
    }
}
