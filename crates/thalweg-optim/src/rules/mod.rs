//! The elementwise update rules: one file each, and a row in the [registry](crate::registry).

mod adadelta;
mod adagrad;
mod adam;
mod epsilon;
mod momentum;
mod nag;
mod rmsprop;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub(crate) use adam::correction;
pub use epsilon::Place;
pub use momentum::{Momentum, Rate};
pub use nag::{Nag, NagForm};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
