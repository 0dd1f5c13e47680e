//! Activations: one elementwise function a file.

mod elu;
mod gelu;
mod leaky_relu;
mod relu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::{Isa, Kernel, dispatch};

use super::layer::{Backward, Forward, Layer, Pace};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site};
use crate::kernel::math::Math;

/// An elementwise function and its derivative.
pub(crate) trait Pointwise: Copy + Send + Sync {
    /// The formula, for tables.
    const FORMULA: &'static str;
    /// Whether [`Pointwise::slope`] is one of y = f(x): then the output may take the place of the input.
    const BY_OUTPUT: bool;
    /// f(x). Must be `#[inline(always)]`.
    fn value<T: Math>(x: T) -> T;
    /// f′(x), given x or y, whichever is cheaper. Must be `#[inline(always)]`.
    fn slope<T: Math>(at: T) -> T;
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
    /// x above 0, x/100 below (Maas et al. 2013).
    LeakyRelu,
    /// x above 0, eˣ − 1 below (Clevert et al. 2016).
    Elu,
    /// ln(1 + eˣ) (Dugas et al. 2001).
    Softplus,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 8] = [
        Self::Relu,
        Self::Gelu,
        Self::Tanh,
        Self::Sigmoid,
        Self::Silu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Softplus,
    ];

    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Gelu => "gelu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::LeakyRelu => "leaky-relu",
            Self::Elu => "elu",
            Self::Softplus => "softplus",
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
            Self::LeakyRelu => leaky_relu::LeakyRelu::FORMULA,
            Self::Elu => elu::Elu::FORMULA,
            Self::Softplus => softplus::Softplus::FORMULA,
        }
    }

    /// Whether it passes about half of its input, so that He's start keeps the variance.
    pub fn is_rectifier(self) -> bool {
        matches!(self, Self::Relu | Self::Gelu | Self::Silu | Self::LeakyRelu | Self::Elu | Self::Softplus)
    }

    /// The layer of this activation over samples of a shape.
    pub fn layer<T: Math>(self, shape: Shape) -> Box<dyn Layer<T>> {
        match self {
            Self::Relu => boxed(relu::Relu, self, shape),
            Self::Gelu => boxed(gelu::Gelu, self, shape),
            Self::Tanh => boxed(tanh::Tanh, self, shape),
            Self::Sigmoid => boxed(sigmoid::Sigmoid, self, shape),
            Self::Silu => boxed(silu::Silu, self, shape),
            Self::LeakyRelu => boxed(leaky_relu::LeakyRelu, self, shape),
            Self::Elu => boxed(elu::Elu, self, shape),
            Self::Softplus => boxed(softplus::Softplus, self, shape),
        }
    }
}

fn boxed<P: Pointwise + std::fmt::Debug + 'static, T: Math>(
    function: P,
    activation: Activation,
    shape: Shape,
) -> Box<dyn Layer<T>> {
    Box::new(PointwiseLayer { name: activation.name(), function, shape })
}

/// An activation as a layer of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ActivationSpec {
    /// Which.
    pub function: Activation,
}

impl Kind for ActivationSpec {
    const SUMMARY: &'static str = "an elementwise function; its bare name will do: \"relu\"";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        Ok(self.function.layer(site.input))
    }
}

/// A [`Pointwise`] function as a layer.
#[derive(Debug)]
struct PointwiseLayer<P> {
    name: &'static str,
    function: P,
    shape: Shape,
}

impl<P: Pointwise + std::fmt::Debug, T: Math> Layer<T> for PointwiseLayer<P> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn in_place(&self) -> bool {
        P::BY_OUTPUT
    }

    fn reads_input(&self) -> bool {
        !P::BY_OUTPUT
    }

    fn reads_output(&self) -> bool {
        P::BY_OUTPUT
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Either]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { x, y, .. } = pass;
        if x.is_empty() {
            dispatch(ValuesInPlace(self.function, y));
        } else {
            dispatch(Values(self.function, x, y));
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { x, y, dy, dx, .. } = pass;
        let Some(dx) = dx else { return };
        let at = if P::BY_OUTPUT { y } else { x };
        if dx.is_empty() {
            dispatch(SlopesInPlace(self.function, at, dy));
        } else {
            dispatch(Slopes(self.function, at, dy, dx));
        }
    }
}

struct ValuesInPlace<'a, P, T>(P, &'a mut [T]);

impl<P: Pointwise, T: Math> Kernel for ValuesInPlace<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for y in self.1 {
            *y = P::value(*y);
        }
    }
}

struct SlopesInPlace<'a, P, T>(P, &'a [T], &'a mut [T]);

impl<P: Pointwise, T: Math> Kernel for SlopesInPlace<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (dy, &at) in self.2.iter_mut().zip(self.1) {
            *dy *= P::slope(at);
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

struct Slopes<'a, P, T>(P, &'a [T], &'a [T], &'a mut [T]);

impl<P: Pointwise, T: Math> Kernel for Slopes<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for ((dx, &dy), &at) in self.3.iter_mut().zip(self.2).zip(self.1) {
            *dx = dy * P::slope(at);
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
                let at = if P::BY_OUTPUT { &y } else { &x };
                run_on(level, Slopes(function, at, &dy, &mut dx));
                if P::BY_OUTPUT {
                    let (mut values, mut slopes) = (x.clone(), dy.clone());
                    run_on(level, ValuesInPlace(function, &mut values));
                    run_on(level, SlopesInPlace(function, &values, &mut slopes));
                    let same = |a: &[T], b: &[T]| {
                        a.iter().zip(b).all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits())
                    };
                    assert!(same(&values, &y) && same(&slopes, &dx), "{function:?} in place, {level:?}");
                }
                let bits = |v: T| if v.to_f64().is_nan() { u64::MAX } else { v.to_f64().to_bits() };
                for i in 0..x.len() {
                    let (value, slope) =
                        (P::value(x[i]), dy[i] * P::slope(if P::BY_OUTPUT { P::value(x[i]) } else { x[i] }));
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
        check_both(leaky_relu::LeakyRelu);
        check_both(elu::Elu);
        check_both(softplus::Softplus);
        assert_eq!(Activation::ALL.len(), 8, "a new activation wants a line above");
    }
}
