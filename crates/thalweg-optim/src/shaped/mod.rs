//! Methods that see blocks with their shapes and roles: one file each, and a row in the [registry](crate::registry).
//!
//! A method is a [`BlockRule`]: what it keeps of a block, and how the block moves. Everything else (spans, riders,
//! threads, names of states, saving) is written once, in [`Blockwise`].
//!
//! NaN or ∞ in a block's gradient spoils that block, for its norm or its products see all of it; no other block sees
//! it. Where a method takes each number of a block on its own (AdamW beside Muon, SOAP's vectors) it stays in its
//! element. The guard of the riders ends such a step before anything moves.

mod adafactor;
mod block_rule;
mod blockwise;
mod eigen;
mod factors;
mod lamb;
mod lars;
mod muon;
mod newton_schulz;
mod pass;
mod product;
mod rest;
mod soap;

pub use adafactor::Adafactor;
pub use block_rule::{At, BlockRule, Memory, Slot, Work};
pub use blockwise::Blockwise;
pub use lamb::{Lamb, LambDecay};
pub use lars::{Lars, LarsNorm};
pub use muon::Muon;
pub use soap::Soap;
