//! Adafactor.

use super::block_rule::{At, BlockRule, Memory, Slot, Work};
use super::factors::{Axes, Factors};
use super::lamb::shrink;
use super::pass::pass;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::method::{Info, Method};
use crate::params::Block;
use crate::real::Real;
use crate::state::torch::{TorchKind, TorchState, TorchStates};
use crate::threads::Threads;

/// R ← (1−q)R + q·mean over columns of (g²+ε₁); C ← (1−q)C + q·mean over rows of (g²+ε₁), with q = t^γ; V = R·C/mean(R);
/// u = g/√V; W ← W − α·u/max(1, RMS(u)/d), with α = max(ε₂, RMS(W))·min(η, 1/√t).
///
/// Adam's second average of a matrix kept as one number per row and per column, and no first average. A vector keeps V
/// itself: V ← (1−q)V + q(g²+ε₁). The paper sums where the mean is taken here: V is the same. V is taken to
/// be at least the smallest normal number of its type.
///
/// Of a block with more than two dimensions, the last two are the matrix, each other index one matrix of its own; `optax`
/// takes the two largest: by place, as in the packages, whatever the layout says of outputs and inputs (of a matrix, it
/// does not matter which is which). The textbook is algorithm 5 of the paper without its optional momentum.
///
/// - `torch` puts ε₁ under the fraction and the root instead of into g²: V = R·C/max(mean(R), ε₁), u = g/√max(V, ε₁²).
///   Its ε₁ is None by default, «the machine epsilon of the number type»: 0 here. W decays after RMS(W) is taken:
///   W ← (1−ηλ)W.
/// - `keras` decays first.
/// - `optax` has no min(η, 1/√t); it factors only where both dimensions are at least 128; its λ is not multiplied by η:
///   W ← (1−λ)W. It computes t^γ in single precision, which is not copied.
///
/// State: per matrix of r × c, r + c numbers instead of r·c; per vector, one number per parameter.
///
/// Source: Shazeer & Stern, *Adafactor: adaptive learning rates with sublinear memory cost* (2018).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adafactor {
    /// γ: the new square's share in step t is t^γ.
    pub beta2_decay: f64,
    /// ε₁; in the dialect `torch`, 0 stands for the machine epsilon of the number type.
    pub epsilon1: f64,
    /// ε₂: the least length that a block is taken to have, as RMS.
    pub epsilon2: f64,
    /// d: the largest RMS of u.
    pub clip_threshold: f64,
    /// λ.
    pub weight_decay: f64,
    /// The least size of both dimensions from which on a matrix is factored; it cannot be changed where that would change the states.
    pub min_dim_size_to_factor: f64,
    /// Whether α has the factor max(ε₂, RMS(W)): 1 is yes, 0 no.
    pub parameter_scale: f64,
    /// Whether η is held below 1/√t: 1 is yes, 0 no.
    pub relative_step: f64,
    /// Whose form.
    pub form: Dialect,
}

impl Default for Adafactor {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

impl Method for Adafactor {
    const INFO: Info = Info {
        name: "adafactor",
        title: "Adafactor",
        summary: "Adam's second average in a row and a column, steps relative to each block's length",
        paper: "Shazeer & Stern 2018",
        formula: ByDialect {
            torch: "R, C: averages of g² (q = t^γ); V = R·C/max(mean(R), ε₁); u = g/√max(V, ε₁²); W ← (1−ηλ)W − max(ε₂, RMS(W))·min(η, 1/√t)·u/max(1, RMS(u)/d)",
            keras: "W ← (1−ηλ)W; R, C: averages of g²+ε₁ (q = t^γ); u = g/√(R·C/mean(R)); W ← W − max(ε₂, RMS(W))·min(η, 1/√t)·u/max(1, RMS(u)/d)",
            optax: "R, C: averages of g²+ε₁ (q = t^γ); u = g/√(R·C/mean(R)); W ← (1−λ)W − max(ε₂, RMS(W))·η·u/max(1, RMS(u)/d)",
            textbook: "R, C: averages of g²+ε₁ (q = t^γ); u = g/√(R·C/mean(R)); W ← W − max(ε₂, RMS(W))·min(η, 1/√t)·u/max(1, RMS(u)/d)",
        },
        learning_rate: ByDialect { torch: 1e-2, keras: 1e-3, optax: 1e-2, textbook: 1e-2 },
        calls: ByDialect {
            torch: Some("torch.optim.Adafactor(model.parameters(), lr={lr})"),
            keras: Some("keras.optimizers.Adafactor({lr})"),
            optax: Some("optax.adafactor({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper {
            name: "beta2_decay",
            symbol: "γ",
            range: Range::between(-1.0, 0.0),
            field: |rule| &mut rule.beta2_decay,
        },
        Hyper {
            name: "epsilon1",
            symbol: "ε₁",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.epsilon1,
        },
        Hyper {
            name: "epsilon2",
            symbol: "ε₂",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.epsilon2,
        },
        Hyper {
            name: "clip_threshold",
            symbol: "d",
            range: Range::POSITIVE,
            field: |rule| &mut rule.clip_threshold,
        },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
        Hyper {
            name: "min_dim_size_to_factor",
            symbol: "n",
            range: Range::NON_NEGATIVE.whole(),
            field: |rule| &mut rule.min_dim_size_to_factor,
        },
        Hyper {
            name: "parameter_scale",
            symbol: "RMS(W)",
            range: Range::SWITCH,
            field: |rule| &mut rule.parameter_scale,
        },
        Hyper {
            name: "relative_step",
            symbol: "1/√t",
            range: Range::SWITCH,
            field: |rule| &mut rule.relative_step,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let plain = Self {
            beta2_decay: -0.8,
            epsilon1: 1e-30,
            epsilon2: 1e-3,
            clip_threshold: 1.0,
            weight_decay: 0.0,
            min_dim_size_to_factor: 0.0,
            parameter_scale: 1.0,
            relative_step: 1.0,
            form: dialect,
        };
        match dialect {
            Dialect::Torch => Self { epsilon1: 0.0, ..plain },
            Dialect::Optax => Self { min_dim_size_to_factor: 128.0, relative_step: 0.0, ..plain },
            Dialect::Keras | Dialect::Textbook => plain,
        }
    }
}

/// Where ε₁ is, and what the new square's share is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Square {
    /// q.
    pub(super) share: f64,
    /// Added to g².
    pub(super) added: f64,
    /// The least that mean(R) is taken to be.
    pub(super) least_mean: f64,
    /// The least that V is taken to be.
    pub(super) least: f64,
}

impl Adafactor {
    fn square<T: Real>(&self, step: u64) -> Square {
        let share = (step as f64).powf(self.beta2_decay);
        // Where g² is lost and g is not, g/√V would be ∞.
        let smallest = T::MIN_POSITIVE.to_f64();
        if self.form != Dialect::Torch {
            return Square { share, added: self.epsilon1, least_mean: 0.0, least: smallest };
        }
        let epsilon = if self.epsilon1 == 0.0 { T::EPSILON.to_f64() } else { self.epsilon1 };
        Square { share, added: 0.0, least_mean: epsilon, least: (epsilon * epsilon).max(smallest) }
    }

    /// α, with W decayed before or after its length is taken.
    fn rate<T: Real>(&self, at: At, w: &mut [T], threads: &Threads) -> f64 {
        let eta = at.learning_rate;
        let rho = if self.relative_step == 0.0 { eta } else { eta.min(1.0 / (at.step as f64).sqrt()) };
        if self.form == Dialect::Keras {
            shrink(w, eta * self.weight_decay, threads);
        }
        let scale = if self.parameter_scale == 0.0 {
            1.0
        } else {
            let [squares] = pass(threads, [&*w], [], |[w], []| [w]);
            Real::max((squares / w.len() as f64).sqrt(), self.epsilon2)
        };
        match self.form {
            Dialect::Keras => {}
            Dialect::Optax => shrink(w, self.weight_decay, threads),
            Dialect::Torch | Dialect::Textbook => shrink(w, eta * self.weight_decay, threads),
        }
        scale * rho
    }

    /// α/max(1, RMS(u)/d), from the sum of u².
    fn clipped(&self, rate: f64, squares: f64, count: usize) -> f64 {
        let rms = (squares / count as f64).sqrt();
        if rms == 0.0 { rate } else { rate / Real::max(rms / self.clip_threshold, 1.0) }
    }
}

/// g/√V, V at least `least`, which must be more than 0.
#[inline(always)]
pub(super) fn direction<T: Real>(g: T, v: T, least: T) -> T {
    g / v.max(least).sqrt()
}

impl BlockRule for Adafactor {
    const STATES: &'static [&'static str] = &["row_average", "column_average", "square_average"];
    const TORCH_STATES: Option<TorchStates> = Some(|block| {
        if block.shape.len() < 2 {
            const { &[TorchState::STEPS, TorchState::slot("variance", "square_average")] }
        } else {
            &[
                TorchState::STEPS,
                TorchState { torch: "row_var", own: "row_average", kind: TorchKind::Rows },
                TorchState { torch: "col_var", own: "column_average", kind: TorchKind::Columns },
            ]
        }
    });

    fn slots(&self, block: &Block) -> Vec<Slot> {
        match Axes::of(&block.shape, self.form == Dialect::Optax, self.min_dim_size_to_factor) {
            None => vec![Slot::zeros("square_average", &block.shape)],
            Some(axes) => {
                let without = |axis: usize| {
                    let mut shape = block.shape.clone();
                    shape.remove(axis);
                    shape
                };
                vec![
                    Slot::zeros("row_average", &without(axes.column_axis)),
                    Slot::zeros("column_average", &without(axes.row_axis)),
                ]
            }
        }
    }

    fn step<T: Real>(&self, at: At, work: Work<'_, T>) {
        let Work { block, w, grad, state, memory, threads } = work;
        let square = self.square::<T>(at.step);
        let rate = self.rate(at, w, threads);
        match state {
            [v] => {
                let squares = vector(square, grad, v, threads);
                let rate = T::from_f64(self.clipped(rate, squares, w.len()));
                let least = T::from_f64(square.least);
                pass(threads, [grad, v], [w], |[g, v], [w]| {
                    *w -= rate * direction(g, v, least);
                    []
                });
            }
            [rows, columns] => {
                // That it is large enough was seen when the slots were made, and is not changed later.
                let axes = Axes::of(&block.shape, self.form == Dialect::Optax, 0.0);
                let Some(axes) = axes else { unreachable!("only a matrix has two slots") };
                let Memory { values, sums, .. } = memory;
                let mut factors = Factors { axes, square, grad, rows, columns, values, sums };
                factors.renew();
                let squares = factors.squares();
                factors.walk(w, T::from_f64(self.clipped(rate, squares, grad.len())));
            }
            _ => unreachable!("it has one or two slots"),
        }
    }
}

/// V ← (1−q)V + q(g²+ε₁); returns the sum of u².
fn vector<T: Real>(square: Square, grad: &[T], v: &mut [T], threads: &Threads) -> f64 {
    let (kept, share) = (T::from_f64(1.0 - square.share), T::from_f64(square.share));
    let (added, least) = (T::from_f64(square.added), T::from_f64(square.least));
    let [squares] = pass(threads, [grad], [v], |[g], [v]| {
        *v = kept * *v + share * (g * g + added);
        [direction(g, *v, least)]
    });
    squares
}
