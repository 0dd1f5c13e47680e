//! What a person or a program reads of a study: one exporter a file.

pub mod html;
