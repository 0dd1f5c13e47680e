//! stand-in until the merge
use crate::study::{Summary, TrialRecord};
#[allow(missing_docs)]
pub fn render(_s: &Summary, _r: &[TrialRecord]) -> Result<String, std::fmt::Error> {
    Ok(String::new())
}
