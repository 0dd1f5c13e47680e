//! What learns: networks over one flat slice, losses and the training loop.
//!
//! ```
//! use thalweg_learn::nn::{Activation, Loss, Shape, Targets};
//! use thalweg_learn::train::{BatchSize, Recipe, Samples, fit};
//! use thalweg_optim::OptimizerSpec;
//!
//! // y = 2x on eight points, one linear output.
//! let x: Vec<f32> = (0..8).map(|i| i as f32 / 4.0 - 1.0).collect();
//! let y: Vec<f32> = x.iter().map(|x| 2.0 * x).collect();
//! let recipe = Recipe {
//!     hidden: vec![],
//!     loss: Loss::SquaredError,
//!     optimizer: OptimizerSpec::named("sgd"),
//!     learning_rate: 0.5,
//!     epochs: 50,
//!     batch_size: BatchSize::Full,
//!     ..Recipe::default()
//! };
//! let samples = Samples { shape: Shape::Flat(1), x: &x, targets: Targets::Values(&y) };
//! let fitted = fit(&recipe, samples, 1, None, 0, &|| true)?;
//! assert!((fitted.model.parameters()[0] - 2.0).abs() < 1e-4);
//! # Ok::<(), thalweg_learn::train::RecipeError>(())
//! ```

pub mod baseline;
pub mod estimator;
pub mod kernel;
pub mod nn;
mod predictions;
pub mod regularize;
pub mod train;

pub use baseline::Baseline;
pub use estimator::{Estimator, FitError, Predictor};
pub use predictions::Predictions;
pub use train::{Model, Recipe};
