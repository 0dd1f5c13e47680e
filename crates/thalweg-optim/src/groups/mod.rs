//! Parameter groups: blocks chosen by name or role, each group with its own learning rate, decay, rule and wrappers.
//!
//! ```
//! use thalweg_optim::{GroupSpec, Layout, Optimizer, OptimizerSpec, Role};
//! let mut layout = Layout::default();
//! layout.push("0.dense.weight", &[2, 1], Role::Weight);
//! layout.push("0.dense.bias", &[1], Role::Bias);
//! // Biases go twice as fast and do not decay; the rest as the recipe says.
//! let spec = OptimizerSpec::named("sgd")
//!     .wrapped("decoupled-decay=0.1".parse()?)
//!     .group(GroupSpec::of("*.bias").learning_rate(2.0).decay(0.0))
//!     .group(GroupSpec::rest());
//! let mut w = [1.0, 1.0, 1.0];
//! spec.build::<f64>(&layout)?.step_with(&mut w, &[0.0, 1.0, 1.0], 0.1)?;
//! assert_eq!(w, [0.99, 0.89, 0.8]);
//! # Ok::<(), thalweg_optim::OptimError>(())
//! ```

mod assign;
mod layers;
mod optimizer;
mod spec;

pub use optimizer::Groups;
pub use spec::{GroupSpec, Preset};
