//! Functions to try optimizers on: one file and one row of [`REGISTRY`] each.
//!
//! They are not data: each is known exactly, with its gradient, where it is lowest, and a start from which something can
//! be learned about the methods. The value and the gradient are computed in f64, whatever the number type, and rounded
//! once.
//!
//! ```
//! use thalweg_optim::{Adam, Optimizer, Rule, functions};
//!
//! let beale = functions::find("beale")?;
//! let mut f = beale.objective();
//! let mut w = beale.start;
//! let mut adam = Adam::default().optimizer(2).expect("the defaults are in range");
//! for _ in 0..5_000 {
//!     adam.step(&mut w, &mut f, 0.02)?;
//! }
//! assert!((w[0] - 3.0).abs() < 1e-6 && (w[1] - 0.5).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod beale;
mod booth;
mod himmelblau;
mod logistic;
mod plateau;
mod problem;
mod quadratic;
mod rastrigin;
mod rosenbrock;
mod rotated;
mod saddle;
mod styblinski_tang;

pub use problem::Problem;

use crate::suggest::did_you_mean;

/// Every function, in the order in which tables show them.
pub static REGISTRY: &[TestFunction] = &[
    quadratic::ROW,
    rotated::ROW,
    rosenbrock::ROW,
    beale::ROW,
    booth::ROW,
    himmelblau::ROW,
    styblinski_tang::ROW,
    rastrigin::ROW,
    saddle::ROW,
    plateau::ROW,
    logistic::ROW,
];

/// A function of two variables (or more: see [`Dimensions`]) with all that is known of it.
#[derive(Debug)]
pub struct TestFunction {
    /// The name in the registry and on the command line.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// f(x, y).
    pub formula: &'static str,
    /// What it shows of a method.
    pub lesson: &'static str,
    /// Where it comes from, and whose the start is.
    pub source: &'static str,
    /// How many variables it may have.
    pub dimensions: Dimensions,
    /// Where a walk starts, in two dimensions.
    pub start: [f64; 2],
    /// What a picture shows: the range of x and that of y.
    pub window: [[f64; 2]; 2],
    /// The infimum of f in two dimensions.
    pub lowest: f64,
    /// A value this little above [`TestFunction::lowest`] counts as solved.
    pub tolerance: f64,
    /// Where the gradient vanishes, in two dimensions: every such point of the window that a walk may meet.
    pub landmarks: fn() -> Vec<Landmark>,
    /// f(w); overwrites the gradient.
    pub(crate) value_and_grad: fn(&[f64], &mut [f64]) -> f64,
}

/// How many variables a [`TestFunction`] may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimensions {
    /// Two.
    Two,
    /// Two or more.
    Any {
        /// f(x) of n variables.
        formula: &'static str,
    },
}

/// A point where the gradient vanishes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Landmark {
    /// Where.
    pub at: [f64; 2],
    /// f there.
    pub value: f64,
    /// What f does around it.
    pub kind: Kind,
}

/// What a function does around a point where its gradient vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nowhere is it lower.
    Lowest,
    /// It is lower elsewhere, but not near.
    LocalMinimum,
    /// It falls on two sides and rises on two.
    Saddle,
    /// It is not higher near.
    Maximum,
}

impl TestFunction {
    /// The function of two variables, to be minimized.
    pub fn objective(&'static self) -> Problem {
        self.objective_in(2)
    }

    /// The function of `dim` variables.
    ///
    /// # Panics
    /// If it has no form with `dim` variables.
    pub fn objective_in(&'static self, dim: usize) -> Problem {
        let fits = match self.dimensions {
            Dimensions::Two => dim == 2,
            Dimensions::Any { .. } => dim >= 2,
        };
        assert!(fits, "{} has no form with {dim} variables", self.name);
        Problem::new(self, dim)
    }

    /// Where a walk in `dim` dimensions starts: the two coordinates of [`TestFunction::start`] in turn.
    pub fn start_in(&self, dim: usize) -> Vec<f64> {
        self.start.iter().copied().cycle().take(dim).collect()
    }

    /// The minima in two dimensions, the lowest first.
    pub fn minima(&self) -> Vec<Landmark> {
        let mut minima = (self.landmarks)();
        minima.retain(|landmark| matches!(landmark.kind, Kind::Lowest | Kind::LocalMinimum));
        minima.sort_by(|a, b| a.value.total_cmp(&b.value));
        minima
    }
}

/// There is no function of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no test function «{name}»{suggestion} (known: {known})")]
pub struct UnknownFunction {
    /// What was given.
    pub name: String,
    /// A «did you mean», or nothing.
    pub suggestion: String,
    /// Those that exist.
    pub known: String,
}

/// The row with this name.
///
/// # Errors
/// [`UnknownFunction`], with the nearest name.
pub fn find(name: &str) -> Result<&'static TestFunction, UnknownFunction> {
    let names = || REGISTRY.iter().map(|row| row.name);
    REGISTRY.iter().find(|row| row.name == name).ok_or_else(|| UnknownFunction {
        name: name.to_owned(),
        suggestion: did_you_mean(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

/// A point where f is lowest.
const fn lowest(x: f64, y: f64, value: f64) -> Landmark {
    Landmark { at: [x, y], value, kind: Kind::Lowest }
}

/// A point where f falls on two sides.
const fn saddle(x: f64, y: f64, value: f64) -> Landmark {
    Landmark { at: [x, y], value, kind: Kind::Saddle }
}

/// The landmarks of f(x, y) = p(x) + p(y), from those of p: where, p there, and whether it is a minimum.
fn separable(points: &[(f64, f64, bool)]) -> Vec<Landmark> {
    let least = points.iter().map(|(_, value, _)| *value).fold(f64::INFINITY, f64::min);
    let pairs = points.iter().flat_map(|x| points.iter().map(move |y| (x, y)));
    let landmark = |(x, y): (&(f64, f64, bool), &(f64, f64, bool))| {
        let kind = match (x.2, y.2) {
            (true, true) if x.1 == least && y.1 == least => Kind::Lowest,
            (true, true) => Kind::LocalMinimum,
            (false, false) => Kind::Maximum,
            _ => Kind::Saddle,
        };
        Landmark { at: [x.0, y.0], value: x.1 + y.1, kind }
    };
    pairs.map(landmark).collect()
}
