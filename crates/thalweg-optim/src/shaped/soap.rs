//! SOAP.

use super::block_rule::{At, BlockRule, Memory, Slot, Work};
use super::eigen::{self, Eigenvectors, Orthonormal};
use super::lamb::shrink;
use super::pass::pass;
use super::product::{plain, product, transposed};
use super::rest;
use crate::hyper::{ByDialect, Dialect, Hyper, Range};
use crate::kernel::dispatch;
use crate::kernel::transpose::transpose;
use crate::method::{Info, Method};
use crate::params::{Block, Orientation};
use crate::real::Real;
use crate::rules::{beside_root, correction};
use crate::threads::Threads;

/// L ← sL + (1−s)GGᵀ, R ← sR + (1−s)GᵀG, with Q_L and Q_R their eigenvectors; Adam on G' = Q_LᵀGQ_R, turned back:
/// m ← β₁m + (1−β₁)G; v ← β₂v + (1−β₂)G'²; N = (Q_LᵀmQ_R)/(√v + ε);
/// W ← W − η√(1−β₂ᵗ)/(1−β₁ᵗ)·Q_LNQ_Rᵀ; W ← (1−ηλ)W.
///
/// Shampoo's preconditioner seen as a turned coordinate system in which Adam runs. It was taken instead of Shampoo itself
/// for it needs no roots of matrices and no learning rate grafted from another method, and its paper finds it to be the faster of the two. The first
/// step only measures L and R and takes their eigenvectors; W stays, and t counts from the second step on. Every
/// `precondition_frequency` steps, the bases are renewed by one power step: Q ← the orthonormal factor of LQ, its columns
/// sorted by their eigenvalues.
///
/// A matrix is any block with two dimensions; more are seen as `[shape[0], the rest]`, or as `[the rest, out]` where the
/// layout says that outputs come last ([`Orientation`]); the reference has a factor for each dimension instead. Which of
/// two dimensions is which does not matter. Vectors follow Adam in the form above, without a basis; so does the side of a matrix that is longer
/// than 10,000. All dialects are one: no package's own, but the authors' form as `pytorch_optimizer` has it, whose QR is
/// in single precision; here it is in double precision. The eigenvectors of equal eigenvalues are anybody's choice: where
/// the first gradient is of low rank, packages differ from each other and from this.
///
/// State: per matrix of r × c, 2rc + 2r² + 2c² numbers; two per number of a vector.
///
/// Source: Vyas et al., *SOAP: improving and stabilizing Shampoo using Adam* (2025); Gupta, Koren & Singer, *Shampoo*
/// (2018).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Soap {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// s.
    pub shampoo_beta: f64,
    /// ε.
    pub epsilon: f64,
    /// λ.
    pub weight_decay: f64,
    /// Steps between two renewals of the bases.
    pub precondition_frequency: f64,
}

impl Default for Soap {
    fn default() -> Self {
        Self::preset(Dialect::default())
    }
}

/// The longest side that gets a basis.
const LONGEST: usize = 10_000;

impl Method for Soap {
    const INFO: Info = Info {
        name: "soap",
        title: "SOAP",
        summary: "Adam in the eigenvectors of Shampoo's preconditioner",
        paper: "Vyas et al. 2025",
        formula: ByDialect::same(
            "L, R: averages of GGᵀ, GᵀG; Q_L, Q_R: their eigenvectors; G' = Q_LᵀGQ_R; m ← β₁m + (1−β₁)G; v ← β₂v + (1−β₂)G'²; W ← W − η√(1−β₂ᵗ)/(1−β₁ᵗ)·Q_L((Q_LᵀmQ_R)/(√v + ε))Q_Rᵀ; W ← (1−ηλ)W",
        ),
        learning_rate: ByDialect::same(3e-3),
        calls: ByDialect {
            torch: Some("pytorch_optimizer.SOAP(model.parameters(), lr={lr})"),
            keras: None,
            optax: None,
            textbook: None,
        },
    };
    const HYPER: &'static [Hyper<Self>] = &[
        Hyper { name: "beta1", symbol: "β₁", range: Range::DECAY, field: |rule| &mut rule.beta1 },
        Hyper { name: "beta2", symbol: "β₂", range: Range::DECAY, field: |rule| &mut rule.beta2 },
        Hyper {
            name: "shampoo_beta",
            symbol: "s",
            range: Range::DECAY,
            field: |rule| &mut rule.shampoo_beta,
        },
        Hyper { name: "epsilon", symbol: "ε", range: Range::NON_NEGATIVE, field: |rule| &mut rule.epsilon },
        Hyper {
            name: "weight_decay",
            symbol: "λ",
            range: Range::NON_NEGATIVE,
            field: |rule| &mut rule.weight_decay,
        },
        Hyper {
            name: "precondition_frequency",
            symbol: "f",
            range: Range::COUNT,
            field: |rule| &mut rule.precondition_frequency,
        },
    ];

    fn preset(_: Dialect) -> Self {
        Self {
            beta1: 0.95,
            beta2: 0.95,
            shampoo_beta: 0.95,
            epsilon: 1e-8,
            weight_decay: 0.01,
            precondition_frequency: 10.0,
        }
    }
}

/// A matrix's states, its memory and its sizes.
struct Matrix<'a, T> {
    rows: usize,
    columns: usize,
    m: &'a mut [T],
    v: &'a mut [T],
    left: Option<Side<'a, T>>,
    right: Option<Side<'a, T>>,
    threads: &'a Threads,
}

/// A preconditioner and its eigenvectors, as columns.
struct Side<'a, T> {
    n: usize,
    factor: &'a mut [T],
    basis: &'a mut [T],
}

/// Rows and columns of a block that is a matrix.
fn matrix(block: &Block) -> Option<(usize, usize)> {
    block.matrix(block.orientation.unwrap_or(Orientation::OutIn))
}

impl BlockRule for Soap {
    const STATES: &'static [&'static str] =
        &["gradient_average", "square_average", "left_factor", "left_basis", "right_factor", "right_basis"];

    fn slots(&self, block: &Block) -> Vec<Slot> {
        let mut slots = rest::slots(block);
        let Some((rows, columns)) = matrix(block) else { return slots };
        for (n, names) in [(rows, &Self::STATES[2..4]), (columns, &Self::STATES[4..])] {
            if n <= LONGEST {
                slots.extend(names.iter().map(|name| Slot::zeros(name, &[n, n])));
            }
        }
        slots
    }

    fn step<T: Real>(&self, at: At, work: Work<'_, T>) {
        let Work { block, w, grad, state, memory, threads } = work;
        let [m, v, sides @ ..] = state else { unreachable!("it has two slots or more") };
        let (rows, columns) = matrix(block).unwrap_or((1, w.len()));
        let mut pairs = sides.chunks_exact_mut(2).map(|pair| match pair {
            [factor, basis] => (factor, basis),
            _ => unreachable!("pairs"),
        });
        let mut side = |n: usize| {
            let known = n <= LONGEST && block.shape.len() > 1;
            let (factor, basis) = if known { pairs.next()? } else { return None };
            Some(Side { n, factor, basis })
        };
        let (left, right) = (side(rows), side(columns));
        let mut own = Matrix { rows, columns, m, v, left, right, threads };
        if at.step == 1 {
            own.measure(self.shampoo_beta, grad, memory);
            for side in [&mut own.left, &mut own.right].into_iter().flatten() {
                side.begin(memory);
            }
            return;
        }
        let step = at.step - 1;
        own.walk(self, At { step, ..at }, w, grad, memory);
        shrink(w, at.learning_rate * self.weight_decay, threads);
        own.measure(self.shampoo_beta, grad, memory);
        if step.is_multiple_of(self.precondition_frequency as u64) {
            own.renew(memory);
        }
    }
}

impl<T: Real> Matrix<'_, T> {
    /// L ← sL + (1−s)GGᵀ, R ← sR + (1−s)GᵀG.
    fn measure(&mut self, beta: f64, grad: &[T], memory: &mut Memory<T>) {
        let (rows, columns) = (self.rows, self.columns);
        let (kept, share) = (T::from_f64(beta), T::from_f64(1.0 - beta));
        let mix = |factor: &mut [T], square: &[T], threads: &Threads| {
            pass(threads, [square], [factor], |[square], [factor]| {
                *factor = kept * *factor + share * square;
                []
            });
        };
        if let Some(left) = &mut self.left {
            let (turned, square) = memory.lend(rows * columns + rows * rows).split_at_mut(rows * columns);
            transpose(grad, rows, columns, turned);
            product(self.threads, (rows, columns, rows), plain(grad, columns), turned, square);
            mix(left.factor, square, self.threads);
        }
        if let Some(right) = &mut self.right {
            let square = memory.lend(columns * columns);
            product(self.threads, (columns, rows, columns), transposed(grad, columns), grad, square);
            mix(right.factor, square, self.threads);
        }
    }

    /// Adam in the turned coordinates.
    fn walk(&mut self, rule: &Soap, at: At, w: &mut [T], grad: &[T], memory: &mut Memory<T>) {
        let (n, longest) = (w.len(), self.rows.max(self.columns).min(LONGEST));
        let scratch = if self.right.is_some() { longest * longest } else { 0 };
        let (turned, rest) = memory.lend(2 * n + scratch).split_at_mut(n);
        let (spare, basis) = rest.split_at_mut(n);
        let (beta1, rest1) = (T::from_f64(rule.beta1), T::from_f64(1.0 - rule.beta1));
        let (beta2, rest2) = (T::from_f64(rule.beta2), T::from_f64(1.0 - rule.beta2));
        let epsilon = beside_root::<T>(rule.epsilon);

        self.turn(grad, spare, turned);
        pass(self.threads, [grad, &*turned], [self.m, self.v], |[g, turned], [m, v]| {
            *m = beta1 * *m + rest1 * g;
            *v = beta2 * *v + rest2 * turned * turned;
            []
        });
        self.turn(self.m, spare, turned);
        pass(self.threads, [&*self.v], [turned], |[v], [turned]| {
            *turned = *turned / (v.sqrt() + epsilon);
            []
        });
        self.turn_back(turned, spare, basis);
        let corrected = correction(rule.beta2, at.step).sqrt() / correction(rule.beta1, at.step);
        let rate = T::from_f64(at.learning_rate * corrected);
        pass(self.threads, [&*turned], [w], |[step], [w]| {
            *w -= rate * step;
            []
        });
    }

    /// `out` ← Q_Lᵀ·from·Q_R.
    fn turn(&self, from: &[T], spare: &mut [T], out: &mut [T]) {
        let (rows, columns) = (self.rows, self.columns);
        match &self.left {
            Some(left) => {
                let basis = transposed(left.basis, rows);
                product(self.threads, (rows, rows, columns), basis, from, spare);
            }
            None => spare.copy_from_slice(from),
        }
        match &self.right {
            Some(right) => {
                product(self.threads, (rows, columns, columns), plain(spare, columns), right.basis, out);
            }
            None => out.copy_from_slice(spare),
        }
    }

    /// `step` ← Q_L·step·Q_Rᵀ.
    fn turn_back(&self, step: &mut [T], spare: &mut [T], basis: &mut [T]) {
        let (rows, columns) = (self.rows, self.columns);
        match &self.left {
            Some(left) => product(self.threads, (rows, rows, columns), plain(left.basis, rows), step, spare),
            None => spare.copy_from_slice(step),
        }
        match &self.right {
            Some(right) => {
                let basis = &mut basis[..columns * columns];
                transpose(right.basis, columns, columns, basis);
                product(self.threads, (rows, columns, columns), plain(spare, columns), basis, step);
            }
            None => step.copy_from_slice(spare),
        }
    }

    /// One power step of each basis; v follows the columns where they are sorted to.
    fn renew(&mut self, memory: &mut Memory<T>) {
        let (rows, columns) = (self.rows, self.columns);
        if let Some(left) = &mut self.left {
            left.renew(memory, self.threads);
            let Memory { values, order, .. } = memory;
            values.clear();
            for &row in &*order {
                values.extend_from_slice(&self.v[row * columns..(row + 1) * columns]);
            }
            self.v.copy_from_slice(values);
        }
        if let Some(right) = &mut self.right {
            right.renew(memory, self.threads);
            let Memory { values, order, .. } = memory;
            for row in self.v.chunks_exact_mut(columns).take(rows) {
                values.clear();
                values.extend(order.iter().map(|&column| row[column]));
                row.copy_from_slice(values);
            }
        }
    }
}

impl<T: Real> Side<'_, T> {
    /// Q ← the eigenvectors.
    fn begin(&mut self, memory: &mut Memory<T>) {
        let n = self.n;
        let Memory { sums, order, .. } = memory;
        let (a, scratch) = split(sums, n);
        for (a, &x) in a.iter_mut().zip(&*self.factor) {
            *a = x.to_f64();
        }
        dispatch(Eigenvectors { a, scratch, order, n });
        for (j, &vector) in order.iter().enumerate() {
            for (i, &x) in a[vector * n..(vector + 1) * n].iter().enumerate() {
                self.basis[i * n + j] = T::from_f64(x);
            }
        }
    }

    /// Q ← the orthonormal factor of the preconditioner times Q; leaves the order of the columns in `memory`.
    fn renew(&mut self, memory: &mut Memory<T>, threads: &Threads) {
        let n = self.n;
        memory.lend(n * n);
        let Memory { values, sums, order } = memory;
        let power = &mut values[..n * n];
        product(threads, (n, n, n), plain(self.factor, n), self.basis, power);
        let (a, scratch) = split(sums, n);
        let estimates = &mut scratch[..n];
        estimates.fill(0.0);
        for (basis, power) in self.basis.chunks_exact(n).zip(power.chunks_exact(n)) {
            for ((estimate, q), p) in estimates.iter_mut().zip(basis).zip(power) {
                *estimate += q.to_f64() * p.to_f64();
            }
        }
        order.clear();
        order.extend(0..n);
        order.sort_unstable_by(|&i, &j| estimates[j].total_cmp(&estimates[i]).then(i.cmp(&j)));
        for (j, &column) in order.iter().enumerate() {
            for i in 0..n {
                a[j * n + i] = power[i * n + column].to_f64();
            }
        }
        dispatch(Orthonormal { a, scratch, n });
        for (j, column) in a.chunks_exact(n).enumerate() {
            for (i, &x) in column.iter().enumerate() {
                self.basis[i * n + j] = T::from_f64(x);
            }
        }
    }
}

/// Room for a matrix of n × n and for what its decomposition works in.
fn split(sums: &mut Vec<f64>, n: usize) -> (&mut [f64], &mut [f64]) {
    let scratch = eigen::scratch_len(n);
    if sums.len() < n * n + scratch {
        sums.resize(n * n + scratch, 0.0);
    }
    let (a, rest) = sums.split_at_mut(n * n);
    (a, &mut rest[..scratch])
}
