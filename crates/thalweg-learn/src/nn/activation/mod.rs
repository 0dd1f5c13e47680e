//! Activations: one elementwise function a file.

mod gelu;
mod relu;
mod sigmoid;
mod silu;
mod tanh;

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::layer::{Backward, Layer};
use crate::kernel::math::Math;

/// An elementwise function and its derivative.
pub(crate) trait Pointwise: Copy + Send + Sync {
    /// The formula, for tables.
    const FORMULA: &'static str;
    /// f(x). Must be `#[inline(always)]`.
    fn value<T: Math>(x: T) -> T;
    /// f′(x), given x and y = f(x), whichever is cheaper. Must be `#[inline(always)]`.
    fn slope<T: Math>(x: T, y: T) -> T;
}

/// The activations that a recipe can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(0, x).
    #[default]
    Relu,
    /// x·Φ(x), with the exact normal distribution function (Hendrycks & Gimpel 2016).
    Gelu,
    /// tanh x.
    Tanh,
    /// 1/(1 + e⁻ˣ).
    Sigmoid,
    /// x·sigmoid(x) (Elfwing et al. 2017; also called swish).
    Silu,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 5] = [Self::Relu, Self::Gelu, Self::Tanh, Self::Sigmoid, Self::Silu];

    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Gelu => "gelu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
        }
    }

    /// The formula, for tables.
    pub fn formula(self) -> &'static str {
        match self {
            Self::Relu => relu::Relu::FORMULA,
            Self::Gelu => gelu::Gelu::FORMULA,
            Self::Tanh => tanh::Tanh::FORMULA,
            Self::Sigmoid => sigmoid::Sigmoid::FORMULA,
            Self::Silu => silu::Silu::FORMULA,
        }
    }

    /// Whether it passes about half of its input, so that He's start keeps the variance.
    pub fn is_rectifier(self) -> bool {
        matches!(self, Self::Relu | Self::Gelu | Self::Silu)
    }

    /// The layer of this activation over rows of `width`.
    pub fn layer<T: Math>(self, width: usize) -> Box<dyn Layer<T>> {
        match self {
            Self::Relu => boxed(relu::Relu, self, width),
            Self::Gelu => boxed(gelu::Gelu, self, width),
            Self::Tanh => boxed(tanh::Tanh, self, width),
            Self::Sigmoid => boxed(sigmoid::Sigmoid, self, width),
            Self::Silu => boxed(silu::Silu, self, width),
        }
    }
}

fn boxed<P: Pointwise + std::fmt::Debug + 'static, T: Math>(
    function: P,
    activation: Activation,
    width: usize,
) -> Box<dyn Layer<T>> {
    Box::new(PointwiseLayer { name: activation.name(), function, width })
}

/// A [`Pointwise`] function as a layer.
#[derive(Debug)]
struct PointwiseLayer<P> {
    name: &'static str,
    function: P,
    width: usize,
}

impl<P: Pointwise + std::fmt::Debug, T: Math> Layer<T> for PointwiseLayer<P> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn outputs(&self) -> usize {
        self.width
    }

    fn forward(&self, _w: &[T], x: &[T], y: &mut [T], _scratch: &mut [T], _batch: usize) {
        dispatch(Values(self.function, x, y));
    }

    fn backward(&self, pass: Backward<'_, T>) {
        if let Some(dx) = pass.dx {
            dispatch(Slopes(self.function, pass.x, pass.y, pass.dy, dx));
        }
    }
}

struct Values<'a, P, T>(P, &'a [T], &'a mut [T]);

impl<P: Pointwise, T: Math> Kernel for Values<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (y, &x) in self.2.iter_mut().zip(self.1) {
            *y = P::value(x);
        }
    }
}

struct Slopes<'a, P, T>(P, &'a [T], &'a [T], &'a [T], &'a mut [T]);

impl<P: Pointwise, T: Math> Kernel for Slopes<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (((dx, &dy), &x), &y) in self.4.iter_mut().zip(self.3).zip(self.1).zip(self.2) {
            *dx = dy * P::slope(x, y);
        }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_optim::kernel::{levels, run_on};

    use super::*;

    /// Values and slopes at every level, bit for bit as one by one.
    fn check<P: Pointwise + std::fmt::Debug, T: Math>(function: P) {
        for n in [0, 1, 7, 15, 16, 17, 33, 100] {
            let mut x: Vec<T> = (0..n).map(|i| T::from_f64(f64::from(i) * 0.9 - 12.0)).collect();
            if let Some(x) = x.get_mut(16) {
                *x = T::from_f64(f64::NAN);
            }
            let dy: Vec<T> = (0..n).map(|i| T::from_f64(f64::from(i) - 3.0)).collect();
            for &level in levels() {
                let (mut y, mut dx) = (vec![T::ZERO; x.len()], vec![T::ZERO; x.len()]);
                run_on(level, Values(function, &x, &mut y));
                run_on(level, Slopes(function, &x, &y, &dy, &mut dx));
                let bits = |v: T| if v.to_f64().is_nan() { u64::MAX } else { v.to_f64().to_bits() };
                for i in 0..x.len() {
                    let (value, slope) = (P::value(x[i]), dy[i] * P::slope(x[i], P::value(x[i])));
                    let (found, expected) = ((bits(y[i]), bits(dx[i])), (bits(value), bits(slope)));
                    assert_eq!(found, expected, "{function:?} at {}, {n} numbers, {level:?}", x[i]);
                }
                assert!(n <= 16 || y[16].to_f64().is_nan(), "{function:?} hides a NaN");
            }
        }
    }

    fn check_both<P: Pointwise + std::fmt::Debug>(function: P) {
        check::<P, f32>(function);
        check::<P, f64>(function);
    }

    #[test]
    fn every_level_gives_the_bits_of_the_scalar_function() {
        check_both(relu::Relu);
        check_both(gelu::Gelu);
        check_both(tanh::Tanh);
        check_both(sigmoid::Sigmoid);
        check_both(silu::Silu);
        assert_eq!(Activation::ALL.len(), 5, "a new activation wants a line above");
    }
}
