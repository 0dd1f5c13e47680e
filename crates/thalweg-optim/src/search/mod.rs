//! Methods that drive the objective themselves: they look at several points a step, along a line.
//!
//! The learning rate is the length of the first trial step, as each method says; the search decides the rest. On
//! mini-batches each step searches on the objective of its own batch.
//!
//! What rides along means, for a search: the guard skips a step whose gradient at W is not finite; coupled decay is a
//! part of the objective (½λ‖w‖² in its value too); clipping changes the gradient that the direction is made of, while the
//! search looks at the true one; decoupled decay shrinks W before the search starts; an average follows the W found.

mod gradient_descent;
mod lbfgs;
mod line;
mod searcher;
mod seen;
mod strong_wolfe;

pub use gradient_descent::GradientDescent;
pub use lbfgs::Lbfgs;
pub use searcher::{Search, Searcher};
