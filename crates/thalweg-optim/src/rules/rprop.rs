//! Rprop.

use crate::hyper::{ByDialect, Dialect, Hyper, OptimError, Range, check_order};
use crate::method::{Info, Method};
use crate::real::Real;
use crate::rule::Rule;
use crate::sign::sign;
use crate::state::torch::TorchState;

/// s = g·p; Δ ← η₊Δ where s > 0, η₋Δ where s < 0, within [Δ₋, Δ₊]; W ← W − sign(g)·Δ where s ≥ 0; p ← g, or 0 where
/// s < 0. (p: the gradient before. The learning rate is the first Δ.)
///
/// Every parameter has a step size of its own, Δ, which grows while the gradient keeps its sign. Where the sign changed,
/// the textbook (and `keras`, which does not have it) takes the last move back (W ← W + sign(p)·Δ before Δ shrinks: «Rprop⁺»); `torch` and `optax` stay
/// where they are («Rprop⁻»), and in either case the next step changes no Δ. `torch` keeps Δ within its bounds where
/// s = 0, too.
///
/// The learning rate counts in the first step only; later ones see whether it is zero: then W stays (PyTorch would move
/// by Δ₋ all the same). So a schedule scales nothing, and a warm-up does harm: its low first rate is the first Δ, as in
/// PyTorch, which then grows by η₊ a step at most; after a first rate of 0, Δ grows from Δ₋ (and never where Δ₋ is 0).
/// Give a constant rate. It is a full-batch method: the noise of small batches changes signs.
///
/// Deviation from optax 0.2.8: it applies the move that it computed in the step before, so that its first step moves
/// nothing and its path lags behind; that reads as an oversight and is not followed. With each move made in the step that
/// computed it, its path is this dialect's, and is tested to be; the dialect `torch` is tested against `torch.optim.Rprop`.
///
/// Sources: Riedmiller & Braun, *A direct adaptive method for faster backpropagation learning: the RPROP algorithm*
/// (1993); Igel & Hüsken, *Improving the Rprop learning algorithm* (2000) for the forms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rprop {
    /// η₋.
    pub eta_minus: f64,
    /// η₊.
    pub eta_plus: f64,
    /// Δ₋.
    pub step_min: f64,
    /// Δ₊.
    pub step_max: f64,
    /// What happens where the sign changed.
    pub turn: Turn,
    /// Whether Δ is kept within its bounds where it neither grows nor shrinks.
    pub bounds_all: bool,
}

/// What [`Rprop`] does where a gradient changed its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// W stays.
    Stay,
    /// The last move is taken back.
    Back,
}

impl Default for Rprop {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// The first Δ, the factors and bounds, and what is done of a move.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    /// Δ ← kept·Δ + first: the learning rate in the first step, Δ itself later.
    kept: T,
    first: T,
    /// η₋−1 and η₊−1: added in parts, as f32 would round η₊ alike in every step.
    shrink: T,
    grow: T,
    low: T,
    high: T,
    /// The bounds where s = 0.
    still_low: T,
    still_high: T,
    /// 1, or 0 where the learning rate is: then nothing is remembered either, as no move can be taken back.
    ahead: T,
    /// `ahead` where a move is taken back; else 0.
    back: T,
}

const FORWARD: &str =
    "s = g·p; Δ ← Δ·(η₊ if s > 0, η₋ if s < 0); if s < 0: p ← 0; else: W ← W − sign(g)·Δ, p ← g";
const BACK: &str = "s = g·p; if s < 0: W ← W + sign(p)·Δ, Δ ← η₋Δ, p ← 0; else: Δ ← Δ·(η₊ if s > 0), W ← W − sign(g)·Δ, p ← g";

impl Method for Rprop {
    const INFO: Info = Info {
        name: "rprop",
        title: "Rprop",
        summary: "a step size for each parameter, which grows while the gradient keeps its sign",
        paper: "Riedmiller & Braun 1993",
        formula: ByDialect { torch: FORWARD, keras: BACK, optax: FORWARD, textbook: BACK },
        learning_rate: ByDialect { torch: 1e-2, keras: 0.1, optax: 1e-2, textbook: 0.1 },
        calls: ByDialect {
            torch: Some("torch.optim.Rprop(model.parameters(), lr={lr})"),
            keras: None,
            optax: Some("optax.rprop({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "eta_minus", symbol: "η₋", range: Range::INSIDE, field: |rule| &mut rule.eta_minus },
        Hyper { name: "eta_plus", symbol: "η₊", range: GROWTH, field: |rule| &mut rule.eta_plus },
        Hyper {
            name: "step_min",
            symbol: "Δ₋",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.step_min,
        },
        Hyper { name: "step_max", symbol: "Δ₊", range: Range::POSITIVE, field: |rule| &mut rule.step_max },
    ];

    fn preset(dialect: Dialect) -> Self {
        let turn = match dialect {
            Dialect::Torch | Dialect::Optax => Turn::Stay,
            Dialect::Keras | Dialect::Textbook => Turn::Back,
        };
        let bounds_all = dialect == Dialect::Torch;
        Self { eta_minus: 0.5, eta_plus: 1.2, step_min: 1e-6, step_max: 50.0, turn, bounds_all }
    }

    fn check(&self) -> Result<(), OptimError> {
        check_order::<Self>(("step_min", self.step_min), ("step_max", self.step_max), true)
    }
}

/// `[1, 10]`: steps that grow faster than tenfold overflow before a sign can change.
const GROWTH: Range = Range::between(1.0, 10.0);

impl Rule for Rprop {
    const STATES: &'static [&'static str] = &["previous_gradient", "step_size"];
    const TORCH_STATES: Option<&'static [TorchState]> = Some(&[
        TorchState::STEPS,
        TorchState::slot("prev", "previous_gradient"),
        TorchState::slot("step_size", "step_size"),
    ]);

    type State<T: Real> = [T; 2];
    type Coefficients<T: Real> = Coefficients<T>;

    fn initial<T: Real>(&self) -> [T; 2] {
        [T::ZERO; 2]
    }

    fn coefficients<T: Real>(&self, step: u64, learning_rate: f64, _: &mut [f64]) -> Coefficients<T> {
        let (kept, first) = if step == 1 { (0.0, learning_rate) } else { (1.0, 0.0) };
        let (still_low, still_high) =
            if self.bounds_all { (self.step_min, self.step_max) } else { (0.0, f64::INFINITY) };
        let ahead = if learning_rate == 0.0 { 0.0 } else { 1.0 };
        Coefficients {
            kept: T::from_f64(kept),
            first: T::from_f64(first),
            shrink: T::from_f64(self.eta_minus - 1.0),
            grow: T::from_f64(self.eta_plus - 1.0),
            low: T::from_f64(self.step_min),
            high: T::from_f64(self.step_max),
            still_low: T::from_f64(still_low),
            still_high: T::from_f64(still_high),
            ahead: T::from_f64(ahead),
            back: T::from_f64(if self.turn == Turn::Back { ahead } else { 0.0 }),
        }
    }

    #[inline(always)]
    fn update<T: Real>(c: &Coefficients<T>, w: T, g: T, [previous, size]: &mut [T; 2]) -> T {
        let s = g * *previous;
        let old = c.kept * *size + c.first;
        // Selections, not branches: the compiler computes all and picks.
        let turned = s < T::ZERO;
        let still = s == T::ZERO;
        let scaled = old + old * if turned { c.shrink } else { c.grow };
        let bounded = scaled.max(c.low).min(c.high);
        *size = if still { old.max(c.still_low).min(c.still_high) } else { bounded };
        // Where the sign changed, the last move was sign(p)·Δ, and sign(p) = −sign(g).
        let length = if turned { c.back * old } else { c.ahead * *size };
        *previous = if turned { T::ZERO } else { c.ahead * g };
        w - sign(g) * length
    }
}
