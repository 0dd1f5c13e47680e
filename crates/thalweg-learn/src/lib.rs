//! What learns.
