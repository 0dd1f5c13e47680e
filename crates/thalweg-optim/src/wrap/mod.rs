//! Wrappers: what goes around any optimizer. One file and one row of [`WRAPPERS`] each.
//!
//! A wrapper that changes the gradient before the rule or W after it (clipping, decay, a guard, an average) costs no pass
//! of its own: it fills in [`Riders`] and hands the step inwards, and whatever was wrapped does all of it in its one pass
//! over memory. What rides is done in the riders' fixed order, whatever the order of the wrappers. The others do what no
//! rider can: collect gradients, interpolate towards slow weights, or change where the gradient is taken.
//!
//! ```
//! use thalweg_optim::{Adam, Optimizer, Rule, Wrap};
//! let mut optimizer = Adam::default().optimizer::<f32>(3)?.clip_norm(1.0)?.decoupled_decay(0.01)?.ema(0.999)?;
//! let mut w = [1.0, 2.0, 3.0];
//! optimizer.step_with(&mut w, &[0.3, -0.2, 0.1], 1e-3)?;
//! let mut judged = Vec::new();
//! assert!(optimizer.average(&w, &mut judged));
//! assert_eq!(judged, w); // the average starts as W after the first step
//! # Ok::<(), thalweg_optim::OptimError>(())
//! ```
//!
//! Where several averages are kept (EMA, SWA, Lookahead's slow weights, a schedule-free rule), the outermost decides
//! where the model is judged; and each follows W as it is at its own level of the tower.

mod accumulate;
mod asam;
mod averaging;
mod climb;
mod clip_adaptive;
mod clip_norm;
mod clip_value;
mod decoupled_decay;
mod elastic_net;
mod ema;
mod gradient_noise;
mod guard;
mod l1;
mod lasso_prox;
mod lookahead;
mod max_norm;
mod passes;
mod registry;
mod sam;
mod spec;
mod swa;
mod weight_decay;
mod wrapped;

use std::fmt::Debug;

pub use accumulate::Accumulate;
pub use asam::Asam;
pub use clip_adaptive::ClipAdaptive;
pub use clip_norm::ClipNorm;
pub use clip_value::ClipValue;
pub use decoupled_decay::DecoupledDecay;
pub use elastic_net::ElasticNet;
pub use ema::Ema;
pub use gradient_noise::GradientNoise;
pub use guard::Guard;
pub use l1::L1;
pub use lasso_prox::LassoProx;
pub use lookahead::Lookahead;
pub use max_norm::MaxNorm;
pub(crate) use passes::follow;
pub use registry::{SettingRow, WRAPPERS, WrapperEntry, find};
pub use sam::Sam;
pub use spec::WrapSpec;
pub use swa::Swa;
pub use weight_decay::WeightDecay;
pub(crate) use wrapped::tower;
pub use wrapped::{Memory, Wrapped};

use crate::hyper::{OptimError, Range};
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Outcome, StepReport};
use crate::real::Real;
use crate::riders::Riders;
use crate::span::Span;

/// What a table of wrappers shows.
#[derive(Debug)]
pub struct WrapperInfo {
    /// The name in recipes and on the command line.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// The formula.
    pub formula: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
}

/// One setting of the wrapper `W`.
pub struct Setting<W> {
    /// The name within the wrapper, in recipes; the first setting's is what a bare number sets.
    pub key: &'static str,
    /// The name among all hyperparameters of a tower.
    pub name: &'static str,
    /// The letter in the formula.
    pub symbol: &'static str,
    /// What it may be.
    pub range: Range,
    /// Where it lives in the wrapper.
    pub field: fn(&mut W) -> &mut f64,
}

/// What goes around an optimizer.
pub trait Wrapper: Clone + Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// What the tables show.
    const INFO: WrapperInfo;
    /// The settings, each with its range and a way to reach it.
    const SETTINGS: &'static [Setting<Self>];
    /// The name of the number that it keeps per parameter, if it does.
    const SLOT: Option<&'static str> = None;
    /// The name of what it counts, if it does.
    const COUNT: Option<&'static str> = None;
    /// Whether its first setting is a weight decay, which parameter groups multiply.
    const DECAYS: bool = false;
    /// Whether it asks the objective more than once a step.
    const DRIVES: bool = false;
    /// Whether it must see each gradient itself, so that what is inside may not ask the objective on its own.
    const TAKES_GRADIENT: bool = false;

    /// Whether it does nothing but [`Wrapper::ride`], and may count the steps that a guard refused.
    const ONLY_RIDES: bool = false;

    /// Adds what rides along.
    fn ride(&self, riders: Riders) -> Riders {
        riders
    }

    /// A step with given gradients: see [`Optimizer::apply`].
    fn apply<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        _memory: &mut Memory<T>,
        spans: &mut [Span<'_, T>],
        learning_rate: f64,
        riders: Riders,
    ) -> Outcome {
        inner.apply(spans, learning_rate, self.ride(riders))
    }

    /// A step with an objective: see [`Optimizer::drive`]. Not called where `TAKES_GRADIENT`.
    #[expect(clippy::too_many_arguments, reason = "those of Optimizer::drive and two more")]
    fn drive<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        _memory: &mut Memory<T>,
        w: &mut [T],
        average: Option<&mut [T]>,
        f: &mut dyn Objective<T>,
        learning_rate: f64,
        riders: Riders,
    ) -> StepReport<T> {
        inner.drive(w, average, f, learning_rate, self.ride(riders))
    }

    /// Where the model should be judged: see [`Optimizer::average`].
    fn average<T: Real>(
        &self,
        inner: &mut dyn Optimizer<T>,
        _memory: &Memory<T>,
        w: &[T],
        point: &mut Vec<T>,
    ) -> bool {
        inner.average(w, point)
    }
}

/// Wraps any optimizer, in one line: `adam.clip_norm(1.0)?.ema(0.999)?`. Each call goes around what was there before.
///
/// Every method fails if a setting is out of its range, or the wrapper cannot go around what is inside: see [`Wrapped::new`].
#[expect(clippy::missing_errors_doc, reason = "said once for all, above")]
pub trait Wrap<T: Real>: Optimizer<T> + Sized + 'static {
    /// With any wrapper.
    fn wrap<W: Wrapper>(self, wrapper: W) -> Result<Wrapped<W, T>, OptimError> {
        Wrapped::new(wrapper, Box::new(self))
    }

    /// See [`ClipNorm`].
    fn clip_norm(self, max_norm: f64) -> Result<Wrapped<ClipNorm, T>, OptimError> {
        self.wrap(ClipNorm { max_norm })
    }

    /// See [`ClipValue`].
    fn clip_value(self, max_value: f64) -> Result<Wrapped<ClipValue, T>, OptimError> {
        self.wrap(ClipValue { max_value })
    }

    /// See [`ClipAdaptive`].
    fn clip_adaptive(self, clipping: f64) -> Result<Wrapped<ClipAdaptive, T>, OptimError> {
        self.wrap(ClipAdaptive { clipping, ..ClipAdaptive::default() })
    }

    /// See [`Accumulate`].
    fn accumulate(self, steps: u32) -> Result<Wrapped<Accumulate, T>, OptimError> {
        self.wrap(Accumulate { steps: f64::from(steps) })
    }

    /// See [`WeightDecay`].
    fn weight_decay(self, decay: f64) -> Result<Wrapped<WeightDecay, T>, OptimError> {
        self.wrap(WeightDecay { decay, ..WeightDecay::default() })
    }

    /// See [`DecoupledDecay`].
    fn decoupled_decay(self, decay: f64) -> Result<Wrapped<DecoupledDecay, T>, OptimError> {
        self.wrap(DecoupledDecay { decay, ..DecoupledDecay::default() })
    }

    /// See [`L1`].
    fn l1(self, decay: f64) -> Result<Wrapped<L1, T>, OptimError> {
        self.wrap(L1 { decay, ..L1::default() })
    }

    /// See [`LassoProx`].
    fn lasso_prox(self, decay: f64) -> Result<Wrapped<LassoProx, T>, OptimError> {
        self.wrap(LassoProx { decay, ..LassoProx::default() })
    }

    /// See [`ElasticNet`].
    fn elastic_net(self, decay: f64, ratio: f64) -> Result<Wrapped<ElasticNet, T>, OptimError> {
        self.wrap(ElasticNet { decay, ratio, ..ElasticNet::default() })
    }

    /// See [`MaxNorm`].
    fn max_norm(self, radius: f64) -> Result<Wrapped<MaxNorm, T>, OptimError> {
        self.wrap(MaxNorm { radius })
    }

    /// See [`GradientNoise`].
    fn gradient_noise(self, eta: f64, seed: u32) -> Result<Wrapped<GradientNoise, T>, OptimError> {
        self.wrap(GradientNoise { eta, seed: f64::from(seed), ..GradientNoise::default() })
    }

    /// See [`Lookahead`].
    fn lookahead(self, steps: u32, alpha: f64) -> Result<Wrapped<Lookahead, T>, OptimError> {
        self.wrap(Lookahead { steps: f64::from(steps), alpha })
    }

    /// See [`Ema`].
    fn ema(self, decay: f64) -> Result<Wrapped<Ema, T>, OptimError> {
        self.wrap(Ema { decay, ..Ema::default() })
    }

    /// See [`Swa`].
    fn swa(self, start: u32, every: u32) -> Result<Wrapped<Swa, T>, OptimError> {
        self.wrap(Swa { start: f64::from(start), every: f64::from(every) })
    }

    /// See [`Guard`].
    fn guard(self) -> Result<Wrapped<Guard, T>, OptimError> {
        self.wrap(Guard)
    }

    /// See [`Sam`].
    fn sam(self, rho: f64) -> Result<Wrapped<Sam, T>, OptimError> {
        self.wrap(Sam { rho })
    }

    /// See [`Asam`].
    fn asam(self, rho: f64) -> Result<Wrapped<Asam, T>, OptimError> {
        self.wrap(Asam { rho, ..Asam::default() })
    }
}

impl<T: Real, O: Optimizer<T> + 'static> Wrap<T> for O {}
