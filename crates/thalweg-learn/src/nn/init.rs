//! Start values of weights.

use rand::Rng;
use serde::{Deserialize, Serialize};
use thalweg_optim::Real;
use thalweg_optim::random::Stream;

use super::activation::Activation;

/// How weights start; biases start at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// He before a ReLU-like activation, Glorot elsewhere.
    #[default]
    Auto,
    /// Uniform in ±√(6/inputs): keeps the variance through rectifiers (He et al. 2015).
    He,
    /// Uniform in ±√(6/(inputs + outputs)): keeps the variance both ways through odd activations (Glorot & Bengio 2010).
    Glorot,
}

impl Init {
    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::He => "he",
            Self::Glorot => "glorot",
        }
    }

    /// The half-width of the uniform distribution for a layer that is followed by `next` (`None`: the output layer).
    pub fn bound(self, inputs: usize, outputs: usize, next: Option<Activation>) -> f64 {
        let he = match self {
            Self::Auto => next.is_some_and(Activation::is_rectifier),
            Self::He => true,
            Self::Glorot => false,
        };
        let fan = if he { inputs } else { inputs + outputs };
        (6.0 / fan.max(1) as f64).sqrt()
    }
}

/// Fills `w` uniformly in ±`bound`. The draws are f32 for both number types, so that an f64 check starts where the f32
/// training does.
pub(crate) fn uniform<T: Real>(w: &mut [T], bound: f64, random: &mut Stream) {
    for w in w {
        let unit: f32 = random.random();
        *w = T::from_f64(bound * f64::from(2.0 * unit - 1.0));
    }
}
