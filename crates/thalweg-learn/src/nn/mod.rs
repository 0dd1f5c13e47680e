//! Networks: layers as functions over slices, losses, and how both form an objective.

pub mod activation;
pub mod dense;
pub mod init;
pub mod layer;
pub mod loss;
pub mod network;

pub use activation::Activation;
pub use dense::Dense;
pub use init::Init;
pub use layer::{Backward, Layer};
pub use loss::{Loss, Targets};
pub use network::{BatchObjective, Network, Workspace};
