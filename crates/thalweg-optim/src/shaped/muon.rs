//! Muon, with AdamW for what is no matrix.

use super::block_rule::{At, BlockRule, Slot, Work};
use super::lamb::shrink;
use super::newton_schulz::{orthogonalize, scratch_len};
use super::pass::pass;
use super::rest;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::kernel::transpose::transpose;
use crate::method::{Info, Method};
use crate::params::{Block, Orientation, Role};
use crate::real::Real;
use crate::rule::Rule;
use crate::rules::{AdamW, NAdam, Place, correction};
use crate::state::torch::{TorchState, TorchStates};
use crate::threads::Threads;

/// b ← μb + g; u = g + μb (u = b without Nesterov); O = u's nearest orthogonal matrix, nearly; W ← (1 − ηλ)W − ησO.
///
/// Momentum whose step has all its singular values near 1 (between 0.68 and 1.21 after five Newton–Schulz steps), so that
/// no direction of a matrix is neglected. It is for the matrices of hidden layers: blocks of the role weight with two
/// dimensions. All others (biases, scales, vectors) follow AdamW, with Muon's η times `adam_lr_ratio`. Which matrices
/// belong to the first and last layer or to an embedding, which its author leaves to AdamW, no shape tells: parameter
/// groups do.
///
/// σ weighs a weight's outputs against its inputs. Which axes those are, the layout says
/// ([`Layout::with_orientation`](crate::Layout::with_orientation)); where it does not, they are where the dialect's package
/// has them: `[out, in]` in `torch` and `textbook`, `[in, out]` in `optax`.
///
/// A block with more than two dimensions is `[out, the rest]` in the dialects `torch` and `textbook`, as the author
/// does with convolutions (PyTorch's own Muon refuses them), or `[the rest, out]` where the layout says so; it goes to
/// AdamW in `keras` and `optax`, as there.
///
/// - `torch`: b ← μb + (1−μ)g, u = (1−μ)g + μb; u/max(‖u‖, ε). σ = √max(1, out/in).
///   PyTorch iterates in bf16; here it is the parameters' own type. Its Muon takes matrices only: the rest is its AdamW.
/// - `keras`: σ = ϱ√max(rows, columns), ϱ = 0.2; σ = 1 where ϱ is 0. Its `epsilon` is the rest's: `adam_epsilon` here.
/// - `optax`: b ← μb + (1−μ)g, corrected for its start at zero; σ = √max(1, out/in).
///   With Nesterov, the rest follows NAdam. Its `eps` is both of ε and `adam_epsilon`.
/// - `textbook`: the author's form. σ as in `torch`, λ = 0; the rest as in his `MuonWithAuxAdam`: η' = 3e-4 where η is
///   0.02, β₂ = 0.95, ε' = 1e-10, λ' = 0. His b is (1−μ) times this one, which changes only what ε does. On a
///   convolution his σ takes the last two axes of the gradient as it is shaped, √max(1, height/width) of the kernel; here
///   it is that of the matrix `[out, the rest]` whose step it weighs.
///
/// With ϱ > 0 (`rms_rate`) every dialect has σ = ϱ√max(rows, columns), which gives O the RMS that Adam's steps have for
/// ϱ = 0.2 (Liu et al., *Muon is scalable for LLM training*, 2025): PyTorch's `match_rms_adamw`, optax's
/// `consistent_rms`.
///
/// State: one number per parameter of a matrix, two of the rest.
///
/// Source: Jordan et al., *Muon: an optimizer for hidden layers in neural networks* (2024).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Muon {
    /// μ.
    pub momentum: f64,
    /// λ of the matrices.
    pub weight_decay: f64,
    /// How many Newton–Schulz steps.
    pub ns_steps: f64,
    /// Whether u looks ahead: 1 is yes, 0 no.
    pub nesterov: f64,
    /// ε: what keeps the division by ‖u‖ harmless.
    pub epsilon: f64,
    /// ϱ; 0 stands for the dialect's own σ.
    pub rms_rate: f64,
    /// The rest's η as a multiple of Muon's.
    pub adam_lr_ratio: f64,
    /// β₁ of the rest.
    pub adam_beta1: f64,
    /// β₂ of the rest.
    pub adam_beta2: f64,
    /// ε of the rest.
    pub adam_epsilon: f64,
    /// λ of the rest.
    pub adam_weight_decay: f64,
    /// Whose form.
    pub form: Dialect,
}

impl Default for Muon {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

const fn hyper(
    name: &'static str,
    symbol: &'static str,
    range: Range,
    field: fn(&mut Muon) -> &mut f64,
) -> Hyper<Muon> {
    Hyper { name, symbol, range, field }
}

impl Method for Muon {
    const INFO: Info = Info {
        name: "muon",
        title: "Muon",
        summary: "momentum made orthogonal for matrices, AdamW for the rest",
        paper: "Jordan et al. 2024",
        formula: ByDialect {
            torch: "b ← μb + (1−μ)g; u = (1−μ)g + μb; O = NS(u/max(‖u‖, ε)); W ← (1−ηλ)W − η√max(1, out/in)·O",
            keras: "b ← μb + g; u = g + μb; O = NS(u/(‖u‖ + ε)); W ← (1−ηλ)W − ηϱ√max(rows, columns)·O",
            optax: "b ← μb + (1−μ)g; u = μb/(1−μᵗ⁺¹) + (1−μ)g/(1−μᵗ); O = NS(u/(‖u‖ + ε)); W ← (1−ηλ)W − η√max(1, out/in)·O",
            textbook: "b ← μb + g; u = g + μb; O = NS(u/(‖u‖ + ε)); W ← (1−ηλ)W − η√max(1, out/in)·O",
        },
        learning_rate: ByDialect { torch: 1e-3, keras: 1e-3, optax: 1e-3, textbook: 0.02 },
        calls: ByDialect {
            torch: Some("torch.optim.Muon(matrices, lr={lr}); torch.optim.AdamW(rest, lr={lr})"),
            keras: Some("keras.optimizers.Muon({lr})"),
            optax: Some("optax.contrib.muon({lr})"),
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        hyper("momentum", "μ", Range::DECAY, |rule| &mut rule.momentum),
        hyper("weight_decay", "λ", Range::NON_NEGATIVE, |rule| &mut rule.weight_decay),
        hyper("ns_steps", "k", Range::between(0.0, 100.0).whole(), |rule| &mut rule.ns_steps),
        hyper("nesterov", "u", Range::SWITCH, |rule| &mut rule.nesterov),
        hyper("epsilon", "ε", Range::NON_NEGATIVE, |rule| &mut rule.epsilon),
        hyper("rms_rate", "ϱ", Range::NON_NEGATIVE, |rule| &mut rule.rms_rate),
        hyper("adam_lr_ratio", "η'/η", Range::NON_NEGATIVE, |rule| &mut rule.adam_lr_ratio),
        hyper("adam_beta1", "β₁", Range::DECAY, |rule| &mut rule.adam_beta1),
        hyper("adam_beta2", "β₂", Range::DECAY, |rule| &mut rule.adam_beta2),
        hyper("adam_epsilon", "ε'", Range::NON_NEGATIVE, |rule| &mut rule.adam_epsilon),
        hyper("adam_weight_decay", "λ'", Range::NON_NEGATIVE, |rule| &mut rule.adam_weight_decay),
    ];

    fn preset(dialect: Dialect) -> Self {
        let plain = Self {
            momentum: 0.95,
            weight_decay: 0.0,
            ns_steps: 5.0,
            nesterov: 1.0,
            epsilon: 1e-7,
            rms_rate: 0.0,
            adam_lr_ratio: 1.0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            adam_weight_decay: 0.0,
            form: dialect,
        };
        match dialect {
            Dialect::Torch => Self { weight_decay: 0.1, adam_weight_decay: 0.01, ..plain },
            Dialect::Keras => Self {
                weight_decay: 0.004,
                adam_weight_decay: 0.004,
                rms_rate: 0.2,
                adam_epsilon: 1e-7,
                ..plain
            },
            Dialect::Optax => Self { epsilon: 1e-8, ..plain },
            // 3e-4 where Muon's own η is 0.02.
            Dialect::Textbook => {
                Self { adam_lr_ratio: 0.015, adam_beta2: 0.95, adam_epsilon: 1e-10, ..plain }
            }
        }
    }
}

/// b ← μb + s·g; u = p·b + q·g.
struct Momentum {
    of_gradient: f64,
    average_in_step: f64,
    gradient_in_step: f64,
}

impl Muon {
    /// Rows and columns of a block that is a matrix to it.
    fn matrix(&self, block: &Block) -> Option<(usize, usize)> {
        let most = if matches!(self.form, Dialect::Torch | Dialect::Textbook) { usize::MAX } else { 2 };
        let fits = block.role == Role::Weight && block.shape.len() <= most;
        block.matrix(self.orientation(block)).filter(|_| fits)
    }

    /// How a block lies: as its layout says, or else as the dialect's package has it.
    fn orientation(&self, block: &Block) -> Orientation {
        block.orientation.unwrap_or(match self.form {
            Dialect::Torch | Dialect::Textbook => Orientation::OutIn,
            Dialect::Keras | Dialect::Optax => Orientation::InOut,
        })
    }

    fn momentum(&self, step: u64) -> Momentum {
        let (mu, ahead) = (self.momentum, self.nesterov != 0.0);
        let of_gradient = match self.form {
            Dialect::Torch | Dialect::Optax => 1.0 - mu,
            Dialect::Keras | Dialect::Textbook => 1.0,
        };
        let corrected = |step| if self.form == Dialect::Optax { correction(mu, step) } else { 1.0 };
        let (average_in_step, gradient_in_step) = if ahead {
            (mu / corrected(step + 1), of_gradient / corrected(step))
        } else {
            (1.0 / corrected(step), 0.0)
        };
        Momentum { of_gradient, average_in_step, gradient_in_step }
    }

    /// σ.
    fn scale(&self, (rows, columns): (usize, usize), orientation: Orientation) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        if self.rms_rate > 0.0 {
            return self.rms_rate * rows.max(columns).sqrt();
        }
        match (self.form, orientation) {
            (Dialect::Keras, _) => 1.0,
            (_, Orientation::OutIn) => (rows / columns).max(1.0).sqrt(),
            (_, Orientation::InOut) => (columns / rows).max(1.0).sqrt(),
        }
    }

    /// ‖u‖ as a divisor; where squares are lost, the root of the smallest normal number.
    fn divisor<T: Real>(&self, norm: f64) -> T {
        let divisor =
            if self.form == Dialect::Torch { Real::max(norm, self.epsilon) } else { norm + self.epsilon };
        T::from_f64(divisor).max(T::MIN_POSITIVE.sqrt())
    }

    fn vector<T: Real>(&self, at: At, w: &mut [T], grad: &[T], state: [&mut [T]; 2], threads: &Threads) {
        let Self { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon, form, .. } = *self;
        let weight_decay = self.adam_weight_decay;
        let at = At { learning_rate: at.learning_rate * self.adam_lr_ratio, ..at };
        if form == Dialect::Optax && self.nesterov != 0.0 {
            shrink(w, at.learning_rate * weight_decay, threads);
            // In optax's form, the product of the momenta so far is a power of the one.
            let mut product = [1.0 - correction(beta1, at.step - 1)];
            let nadam = NAdam { beta1, beta2, epsilon, ..NAdam::preset(form) };
            rest::step(&nadam, at, &mut product, (w, grad), state, threads);
        } else {
            let place = if form == Dialect::Keras { Place::BeforeCorrection } else { Place::Outside };
            let adamw = AdamW { beta1, beta2, epsilon, weight_decay, place };
            rest::step(&adamw, at, &mut [], (w, grad), state, threads);
        }
    }
}

impl BlockRule for Muon {
    const STATES: &'static [&'static str] = &["velocity", "gradient_average", "square_average"];
    // The matrices are in the state of PyTorch's Muon, the rest in that of its AdamW beside it.
    const TORCH_STATES: Option<TorchStates> =
        Some(|block| match Self::preset(Dialect::Torch).matrix(block) {
            Some(_) => const { &[TorchState::slot("momentum_buffer", "velocity")] },
            None => AdamW::TORCH_STATES.unwrap_or_default(),
        });

    fn slots(&self, block: &Block) -> Vec<Slot> {
        match self.matrix(block) {
            Some(_) => vec![Slot::zeros("velocity", &block.shape)],
            None => rest::slots(block),
        }
    }

    fn step<T: Real>(&self, at: At, work: Work<'_, T>) {
        let Work { block, w, grad, state, memory, threads } = work;
        let velocity = match state {
            [velocity] => velocity,
            [m, v] => return self.vector(at, w, grad, [m, v], threads),
            _ => unreachable!("it has one or two slots"),
        };
        let Some((rows, columns)) = self.matrix(block) else { unreachable!("only a matrix has one slot") };
        let n = w.len();
        let (low, wide) = (rows.min(columns), rows.max(columns));
        let (x, scratch) = memory.lend(n + scratch_len(low, wide)).split_at_mut(n);

        let Momentum { of_gradient, average_in_step, gradient_in_step } = self.momentum(at.step);
        let [mu, of_gradient, of_average, of_own] =
            [self.momentum, of_gradient, average_in_step, gradient_in_step].map(T::from_f64);
        let high = rows > columns;
        let u = if high { &mut scratch[..n] } else { &mut *x };
        let [squares] = pass(threads, [grad], [velocity, u], |[g], [b, u]| {
            *b = mu * *b + of_gradient * g;
            *u = of_average * *b + of_own * g;
            [*u]
        });
        let divisor = self.divisor::<T>(squares.sqrt());
        pass(threads, [], [u], |[], [u]| {
            *u = *u / divisor;
            []
        });
        if high {
            transpose(&scratch[..n], rows, columns, x);
        }
        let step = orthogonalize(threads, (low, wide), self.ns_steps as u64, x, scratch);
        shrink(w, at.learning_rate * self.weight_decay, threads);
        let rate = T::from_f64(at.learning_rate * self.scale((rows, columns), self.orientation(block)));
        if high {
            subtract_transposed(w, step, (rows, columns), rate);
        } else {
            pass(threads, [step], [w], |[o], [w]| {
                *w -= rate * o;
                []
            });
        }
    }
}

/// W ← W − rate·Oᵀ, W of `rows` × `columns`.
fn subtract_transposed<T: Real>(w: &mut [T], o: &[T], (rows, columns): (usize, usize), rate: T) {
    // Sixteen rows of W at a time: few enough cache lines are open.
    for start in (0..rows).step_by(16) {
        let end = rows.min(start + 16);
        for (j, o) in o[..rows * columns].chunks_exact(rows).enumerate() {
            for (i, &o) in (start..end).zip(&o[start..end]) {
                w[i * columns + j] -= rate * o;
            }
        }
    }
}
