//! Softer labels, and wrong ones.

pub(super) mod noise;
pub(super) mod smoothing;
