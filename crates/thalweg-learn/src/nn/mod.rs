//! Networks: layers as functions over slices, losses, and how both form an objective.

pub mod activation;
pub mod architecture;
pub mod conv2d;
pub mod dense;
pub mod depthwise;
pub mod drop_connect;
pub mod dropout;
pub mod embedding;
pub mod flatten;
pub mod init;
pub mod layer;
pub mod loss;
pub mod mix_point;
pub mod mixing;
pub mod network;
pub mod norm;
pub mod pool;
pub mod residual;
pub mod sequence;
pub mod shape;
pub mod sharded;
pub mod spatial_dropout;
pub mod spec;

pub use activation::Activation;
pub use architecture::Architecture;
pub use conv2d::{Conv2d, Window};
pub use dense::Dense;
pub use init::Init;
pub use layer::{Backward, Forward, Layer, Mode, Pace, Piece};
pub use loss::{Loss, SoftClasses, Targets};
pub use network::{BatchObjective, Network, Workspace};
pub use residual::Residual;
pub use sequence::Sequence;
pub use shape::Shape;
pub use sharded::{ShardedObjective, Shards};
pub use spec::{LayerError, LayerSpec};
