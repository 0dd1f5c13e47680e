//! The elementwise update rules: one file each, and a row in the [registry](crate::registry).

mod adadelta;
mod adagrad;
mod adam;
mod adan;
mod epsilon;
mod lion;
mod momentum;
mod nag;
mod prodigy;
mod rmsprop;
mod rprop;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_sgd;
mod sgd;
mod sign;
mod sign_sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adan::{Adan, Shrinks};
pub use epsilon::Place;
pub use lion::Lion;
pub use momentum::{Momentum, Rate};
pub use nag::{Nag, NagForm};
pub use prodigy::Prodigy;
pub use rmsprop::RmsProp;
pub use rprop::{Rprop, Turn};
pub use schedule_free::Pace;
pub use schedule_free_adamw::{Corrects, Decays, ScheduleFreeAdamW};
pub use schedule_free_sgd::ScheduleFreeSgd;
pub use sgd::Sgd;
pub use sign_sgd::SignSgd;
