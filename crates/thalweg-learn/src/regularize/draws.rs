//! Draws with an address, for what is decided row by row: no memory, and the same bits for any number of threads.

use crate::kernel::normal::normal;
use crate::nn::layer::mix;

/// SplitMix64 (Steele et al. 2014) from a key.
#[derive(Debug, Clone)]
pub struct Draws {
    state: u64,
}

const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;

impl Draws {
    /// The draws of a key; keys are those of [`Draws::key`].
    pub fn new(key: u64) -> Self {
        Self { state: key }
    }

    /// A key of the `index`-th part of what `key` stands for: a step of a training, a row of a batch.
    pub fn key(key: u64, index: u64) -> u64 {
        mix(key ^ mix(index.wrapping_add(1)))
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number from [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * UNIT
    }

    /// A number from [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A whole number below `count`, which is at least 1; each as often to within 2⁻³².
    pub fn below(&mut self, count: usize) -> usize {
        // The high half of a product: no division, and no loop whose length is random.
        (((self.bits() >> 32) * count as u64) >> 32) as usize
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A normal number of mean 0 and variance 1.
    pub fn normal(&mut self) -> f32 {
        normal((self.bits() >> 32) as u32)
    }

    /// A number of Beta(α, α): the share of one of two gamma numbers in their sum, by logarithms, so that a small α gives
    /// shares near 0 and 1 and not 0/0.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (one, other) = (self.ln_gamma(alpha), self.ln_gamma(alpha));
        1.0 / (1.0 + libm::exp(other - one))
    }

    /// The logarithm of a number of Gamma(α, 1) (Marsaglia & Tsang 2000; α is raised by 1 and U^(1/α) multiplied).
    fn ln_gamma(&mut self, alpha: f64) -> f64 {
        let d = alpha + 1.0 - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        let lift = libm::log(1.0 - self.uniform()) / alpha;
        loop {
            let z = f64::from(self.normal());
            let v = 1.0 + c * z;
            if v <= 0.0 {
                continue;
            }
            let ln_v = 3.0 * libm::log(v);
            let u = 1.0 - self.uniform();
            if libm::log(u) < 0.5 * z * z + d - d * v * v * v + d * ln_v {
                return libm::log(d) + ln_v + lift;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: usize = 40_000;

    fn mean(draw: impl FnMut() -> f64) -> f64 {
        std::iter::repeat_with(draw).take(COUNT).sum::<f64>() / COUNT as f64
    }

    #[test]
    fn numbers_are_spread_as_they_should_be() {
        let mut draws = Draws::new(1);
        // Five standard deviations of a mean of uniform numbers: 5·√(1/12/40,000) = 0.0072.
        assert!((mean(|| draws.uniform()) - 0.5).abs() < 0.0072);
        assert!((mean(|| draws.between(-3.0, 1.0)) + 1.0).abs() < 0.029);
        assert!((mean(|| f64::from(u8::from(draws.chance(0.1)))) - 0.1).abs() < 0.0075);
        let mut seen = [0; 7];
        (0..COUNT).for_each(|_| seen[draws.below(7)] += 1);
        assert!(
            seen.iter().all(|&count| (count as f64 / COUNT as f64 - 1.0 / 7.0).abs() < 0.009),
            "{seen:?}"
        );
    }

    #[test]
    fn beta_has_its_moments() {
        for alpha in [0.01, 0.2, 1.0, 4.0] {
            let mut draws = Draws::new(3);
            let shares: Vec<f64> = (0..COUNT).map(|_| draws.beta(alpha)).collect();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = shares.iter().sum::<f64>() / COUNT as f64;
            let variance = shares.iter().map(|share| (share - 0.5).powi(2)).sum::<f64>() / COUNT as f64;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 5.0 * (expected / COUNT as f64).sqrt(), "α = {alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.04, "α = {alpha}: {variance} for {expected}");
        }
    }

    #[test]
    fn parts_have_keys_of_their_own() {
        assert_ne!(Draws::key(1, 0), Draws::key(1, 1));
        assert_ne!(Draws::key(1, 0), Draws::key(2, 0));
        assert_eq!(Draws::new(5).bits(), Draws::new(5).bits());
    }
}
