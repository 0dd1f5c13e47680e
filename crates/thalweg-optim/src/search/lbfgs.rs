//! L-BFGS.

use std::collections::VecDeque;

use super::line::{Ends, Line, dot, go_to};
use super::searcher::{Search, Start};
use super::strong_wolfe::StrongWolfe;
use crate::hyper::{ByDialect, Dialect, Hyper, OptimError, Range, check_order};
use crate::method::{Info, Method};
use crate::params::Layout;
use crate::real::Real;
use crate::state::StateDict;

/// A pair is kept only if sᵀy is larger.
const CURVATURE: f64 = 1e-10;

/// W ← W + t·d with d = −H·g, H built from the last m pairs (s, y) of displacement and gradient change by the two-loop
/// recursion, and t from a strong Wolfe search.
///
/// The learning rate is the first t tried (1 is Newton's step); while there are no pairs, min(1, 1/‖g‖₁) of it. A pair is
/// kept if sᵀy > 1e-10, and H starts from sᵀy/yᵀy. If the search along d finds no lower point, the pairs are forgotten
/// and steepest descent is searched; if that finds none either, W stays and the step is reported as stuck.
///
/// As one iteration a step of `torch.optim.LBFGS(line_search_fn="strong_wolfe")`: with the same search, the same points.
/// What differs: both gradients of a pair are of one step's objective (with mini-batches PyTorch's mix two batches), a
/// failed search falls back, and values that are not finite are stepped back from.
///
/// Source: Liu & Nocedal, *On the limited memory BFGS method for large scale optimization* (1989); Nocedal & Wright,
/// *Numerical optimization* (2006), algorithms 7.4 and 7.5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lbfgs {
    /// m: pairs kept.
    pub history: f64,
    /// c₁.
    pub c1: f64,
    /// c₂, more than c₁: else no point need be low and flat enough.
    pub c2: f64,
    /// Points that a search may look at behind its first.
    pub max_evaluations: f64,
    /// W is left alone once no number of the gradient is larger.
    pub tolerance_gradient: f64,
    /// A search ends once no number of W would change by more.
    pub tolerance_change: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// `[1, 1000]`: counts that memory and time bear.
const FEW: Range = Range::between(1.0, 1000.0).whole();

impl Method for Lbfgs {
    const INFO: Info = Info {
        name: "lbfgs",
        title: "L-BFGS",
        summary: "Newton's method with a curvature learned from the last steps, and a line search",
        paper: "Liu & Nocedal 1989",
        formula: ByDialect::same(
            "W ← W − t·H·g, H from the last m pairs (s, y), t by a strong Wolfe search from η",
        ),
        learning_rate: ByDialect::same(1.0),
        calls: ByDialect {
            torch: Some(
                "torch.optim.LBFGS(model.parameters(), lr={lr}, max_iter=1, max_eval=26, line_search_fn=\"strong_wolfe\")",
            ),
            keras: None,
            optax: None,
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "history", symbol: "m", range: FEW, field: |method| &mut method.history },
        Hyper { name: "c1", symbol: "c₁", range: Range::INSIDE, field: |method| &mut method.c1 },
        Hyper { name: "c2", symbol: "c₂", range: Range::INSIDE, field: |method| &mut method.c2 },
        Hyper {
            name: "max_evaluations",
            symbol: "kmax",
            range: FEW,
            field: |method| &mut method.max_evaluations,
        },
        Hyper {
            name: "tolerance_gradient",
            symbol: "εg",
            range: Range::NON_NEGATIVE,
            field: |method| &mut method.tolerance_gradient,
        },
        Hyper {
            name: "tolerance_change",
            symbol: "εw",
            range: Range::NON_NEGATIVE,
            field: |method| &mut method.tolerance_change,
        },
    ];

    fn preset(dialect: Dialect) -> Self {
        let history = if dialect == Dialect::Torch { 100.0 } else { 10.0 };
        Self {
            history,
            c1: 1e-4,
            c2: 0.9,
            max_evaluations: 25.0,
            tolerance_gradient: 1e-7,
            tolerance_change: 1e-9,
        }
    }

    fn check(&self) -> Result<(), OptimError> {
        check_order::<Self>(("c1", self.c1), ("c2", self.c2), false)
    }
}

/// What a step showed of the curvature.
#[derive(Debug, Clone, Default)]
struct Pair<T> {
    /// s, the displacement.
    displacement: Vec<T>,
    /// y, the gradient's change.
    change: Vec<T>,
    /// sᵀy.
    curvature: f64,
}

/// The pairs, oldest first, and the memory of a step.
#[derive(Debug, Clone, Default)]
pub struct Memory<T> {
    pairs: VecDeque<Pair<T>>,
    /// Of the two loops.
    alphas: Vec<f64>,
    direction: Vec<T>,
    ends: Ends<T>,
    spare: Pair<T>,
    /// Pairs to come. Their memory is asked for in the first step, but not touched (so not taken) before it is used.
    pool: Vec<Pair<T>>,
}

impl<T: Real> Memory<T> {
    /// Asks for all memory that `history` pairs of `dim` numbers will need; drops the oldest if there are more.
    fn prepare(&mut self, history: usize, dim: usize) {
        while self.pairs.len() > history {
            self.pairs.pop_front();
        }
        self.pairs.reserve(history - self.pairs.len());
        self.alphas.reserve(history.saturating_sub(self.alphas.len()));
        let pair = || {
            let [displacement, change] = [Vec::with_capacity(dim), Vec::with_capacity(dim)];
            Pair { displacement, change, curvature: 0.0 }
        };
        let missing = history.saturating_sub(self.pairs.len() + self.pool.len());
        self.pool.extend(std::iter::repeat_with(pair).take(missing));
    }

    /// Forgets all pairs, and keeps their memory.
    fn forget(&mut self) {
        self.pool.extend(self.pairs.drain(..));
    }

    /// d = −H·g.
    fn aim(&mut self, grad: &[T]) {
        let Self { pairs, alphas, direction: d, .. } = self;
        d.clear();
        d.extend(grad.iter().map(|&g| -g));
        alphas.clear();
        for pair in pairs.iter().rev() {
            let alpha = dot(&pair.displacement, d) / pair.curvature;
            add(d, &pair.change, -alpha);
            alphas.push(alpha);
        }
        if let Some(last) = pairs.back() {
            let scale = T::from_f64(last.curvature / dot(&last.change, &last.change));
            d.iter_mut().for_each(|d| *d *= scale);
        }
        for (pair, alpha) in pairs.iter().zip(alphas.iter().rev()) {
            let beta = dot(&pair.change, d) / pair.curvature;
            add(d, &pair.displacement, alpha - beta);
        }
    }

    /// Takes the pair of a step from `grad` to the search's low end, if it curves upwards.
    fn learn(&mut self, grad: &[T], history: usize) {
        let found = &self.ends.ends[self.ends.low];
        let (t, Pair { displacement, change, curvature }) = (T::from_f64(found.t), &mut self.spare);
        displacement.clear();
        displacement.extend(self.direction.iter().map(|&d| t * d));
        change.clear();
        change.extend(found.grad.iter().zip(grad).map(|(&new, &old)| new - old));
        *curvature = dot(displacement, change);
        if *curvature > CURVATURE {
            let next = if self.pairs.len() >= history { self.pairs.pop_front() } else { self.pool.pop() };
            self.pairs.push_back(std::mem::replace(&mut self.spare, next.unwrap_or_default()));
        }
    }
}

/// a ← a + factor·b.
fn add<T: Real>(a: &mut [T], b: &[T], factor: f64) {
    let factor = T::from_f64(factor);
    a.iter_mut().zip(b).for_each(|(a, &b)| *a += factor * b);
}

impl Search for Lbfgs {
    const STATES: &'static [&'static str] = &["displacement", "gradient_change"];
    const WHY_NOT_TORCH: &'static str = "PyTorch's learns from a step only when the next begins, with a gradient that \
                                         its state does not hold, and here the pair is part of the state; start \
                                         anew, a few steps bring the curvature back";
    type Memory<T: Real> = Memory<T>;

    fn tolerance(&self) -> f64 {
        self.tolerance_gradient
    }

    fn search<T: Real>(
        &self,
        memory: &mut Memory<T>,
        start: Start<'_, T>,
        w: &mut [T],
        learning_rate: f64,
    ) -> bool {
        let wolfe = StrongWolfe {
            c1: self.c1,
            c2: self.c2,
            more: self.max_evaluations as u32,
            tolerance: self.tolerance_change,
        };
        let history = self.history as usize;
        memory.prepare(history, w.len());
        loop {
            memory.aim(start.clipped);
            let learned = !memory.pairs.is_empty();
            let t =
                if learned { 1.0 } else { 1.0_f64.min(1.0 / absolute_sum(start.clipped)) } * learning_rate;
            let Memory { direction, ends, .. } = &mut *memory;
            let mut line = Line::new(start.f, w, direction, (start.value, start.grad), ends);
            let slope = line.slope;
            if -self.tolerance_change < slope && slope <= 0.0 {
                return true;
            }
            if slope < 0.0 {
                wolfe.search(&mut line, t);
                let t = line.low().t;
                if t != 0.0 {
                    go_to(&mut memory.spare.displacement, w, &memory.direction, t);
                    w.copy_from_slice(&memory.spare.displacement);
                    memory.learn(start.grad, history);
                    return true;
                }
            }
            // Uphill (what was learned is no use), or nothing lower along it: steepest descent.
            if !learned {
                return false;
            }
            memory.forget();
        }
    }

    fn save<T: Real>(&self, memory: &Memory<T>, layout: &Layout, state: &mut StateDict) {
        // The history may have been shortened since: the oldest pairs are those that go.
        let old = memory.pairs.len().saturating_sub(self.history as usize);
        state.insert_count("pairs", (memory.pairs.len() - old) as u64);
        let none = vec![T::ZERO; layout.len()];
        for index in 0..self.history as usize {
            let pair = memory.pairs.get(old + index);
            let [s, y] = pair.map_or([&none; 2], |pair| [&pair.displacement, &pair.change]);
            state.insert_slot(&format!("displacement.{index}"), layout, s);
            state.insert_slot(&format!("gradient_change.{index}"), layout, y);
        }
    }

    fn restore<T: Real>(&self, memory: &mut Memory<T>, layout: &Layout, state: &StateDict) {
        memory.pairs.clear();
        for index in 0..(state.count("pairs") as usize).min(self.history as usize) {
            let (mut s, mut y) = (vec![T::ZERO; layout.len()], vec![T::ZERO; layout.len()]);
            state.slot(&format!("displacement.{index}"), layout, &mut s);
            state.slot(&format!("gradient_change.{index}"), layout, &mut y);
            let curvature = dot(&s, &y);
            memory.pairs.push_back(Pair { displacement: s, change: y, curvature });
        }
    }
}

/// ‖g‖₁.
fn absolute_sum<T: Real>(values: &[T]) -> f64 {
    values.iter().map(|x| x.to_f64().abs()).sum()
}
