//! How a step's rows are mixed: drawn from the step's key, the same for every layer and for the targets.

use rand::Rng;
use thalweg_optim::random::{Stream, stream};

/// How a batch is mixed: row i becomes λ·(row i) + (1 − λ)·(row (i + shift) mod batch).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixing {
    /// λ, in [0, 1].
    pub share: f64,
    /// How far off the other row is; 0 only in a batch of one row.
    pub shift: usize,
    /// At which of the places rows are mixed, from 0.
    pub point: usize,
}

/// The mixing of a step's batch: λ ~ Beta(α, α), and the shift and the place evenly from those possible. With α = 0, λ is 1:
/// nothing is mixed (the limit of Beta is a coin, which mixes as little).
///
/// # Panics
/// If α is negative or not finite.
pub fn mixing(step: u64, alpha: f64, batch: usize, points: usize) -> Mixing {
    let random = &mut stream(step, "mixing", 0);
    // Always the same draws in the same order: the place does not depend on α, nor the shift on the place.
    let point = random.random_range(0..points.max(1) as u64) as usize;
    let shift = if batch < 2 { 0 } else { random.random_range(1..batch as u64) as usize };
    Mixing { share: beta(alpha, random), shift, point }
}

/// A draw from Beta(α, α); 1 for α = 0.
///
/// X/(X + Y) of two draws from Gamma(α), by their logarithms, which stay finite for any α: with α = 0.01 the draws
/// themselves would often both be 0.
///
/// # Panics
/// If α is negative or not finite.
pub fn beta(alpha: f64, random: &mut Stream) -> f64 {
    assert!(alpha >= 0.0 && alpha.is_finite(), "the shares of a mixing want α in [0, ∞), not {alpha}");
    if alpha == 0.0 {
        return 1.0;
    }
    let (first, second) = (ln_gamma(alpha, random), ln_gamma(alpha, random));
    1.0 / (1.0 + (second - first).exp())
}

/// The logarithm of a draw from Gamma(α, 1) (Marsaglia & Tsang 2000): for α < 1 a draw for α + 1 times U^(1/α).
fn ln_gamma(alpha: f64, random: &mut Stream) -> f64 {
    if alpha < 1.0 {
        return ln_gamma(alpha + 1.0, random) + unit(random).ln() / alpha;
    }
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && unit(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return (d * v).ln();
        }
    }
}

/// A draw from the normal distribution (Box & Muller 1958).
fn normal(random: &mut Stream) -> f64 {
    let radius = (-2.0 * unit(random).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(random)).cos()
}

/// Uniform in (0, 1].
fn unit(random: &mut Stream) -> f64 {
    1.0 - random.random::<f64>()
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Beta, ContinuousCDF};

    use super::*;

    const DRAWS: usize = 20_000;

    #[test]
    fn shares_follow_the_beta_distribution() {
        for alpha in [0.05, 0.2, 0.5, 1.0, 2.0, 7.5] {
            let mut shares: Vec<f64> =
                (0..DRAWS).map(|step| mixing(step as u64, alpha, 8, 1).share).collect();
            let n = DRAWS as f64;
            let mean = shares.iter().sum::<f64>() / n;
            let variance = shares.iter().map(|share| (share - 0.5).powi(2)).sum::<f64>() / n;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 5.0 * (expected / n).sqrt(), "α = {alpha}: mean {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "α = {alpha}: variance {variance}");
            shares.sort_by(f64::total_cmp);
            let law = Beta::new(alpha, alpha).unwrap();
            // At α = 0.05, one share in twelve rounds to 1 or to a neighbour that statrs takes for 1.
            let distance = shares.iter().enumerate().filter(|(_, share)| **share < 1.0 - 1e-12);
            let distance = distance.map(|(i, &share)| {
                let cdf = law.cdf(share);
                (cdf - i as f64 / n).abs().max(((i + 1) as f64 / n - cdf).abs())
            });
            let distance = distance.fold(0.0, f64::max);
            // Kolmogorov and Smirnov's bound for one chance in a million.
            assert!(distance > 0.0 && distance < 2.7 / n.sqrt(), "α = {alpha}: {distance}");
        }
    }

    #[test]
    fn every_shift_and_point_comes_equally_often() {
        let (mut shifts, mut points) = ([0_u32; 5], [0_u32; 3]);
        for step in 0..DRAWS as u64 {
            let Mixing { shift, point, .. } = mixing(step, 1.0, 5, 3);
            shifts[shift] += 1;
            points[point] += 1;
        }
        assert_eq!(shifts[0], 0, "a row mixed with itself");
        let even = |counts: &[u32]| {
            let share = 1.0 / counts.len() as f64;
            let sigma = (DRAWS as f64 * share * (1.0 - share)).sqrt();
            counts.iter().all(|&count| (f64::from(count) - DRAWS as f64 * share).abs() < 5.0 * sigma)
        };
        assert!(even(&shifts[1..]) && even(&points), "{shifts:?} {points:?}");
    }

    #[test]
    fn one_row_and_no_alpha_are_left_alone() {
        assert_eq!(mixing(3, 0.0, 4, 1).share, 1.0);
        assert_eq!(mixing(3, 1.0, 1, 1).shift, 0);
        assert_eq!(mixing(3, 1.0, 0, 0), Mixing { share: mixing(3, 1.0, 0, 0).share, shift: 0, point: 0 });
        assert!(
            (0..2000).map(|step| mixing(step, 1e-4, 2, 1).share).all(|share| (0.0..=1.0).contains(&share))
        );
    }
}
