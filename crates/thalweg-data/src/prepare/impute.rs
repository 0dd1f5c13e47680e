//! What stands in for a missing value.

/// The median of the values that are not NaN (the mean of the two middle ones if their number is even), or `None` if
/// there are none.
///
/// ```
/// use thalweg_data::prepare::impute::median;
/// assert_eq!(median(&[4.0, f64::NAN, 1.0, 2.0, 9.0]), Some(3.0));
/// ```
pub fn median(values: &[f64]) -> Option<f64> {
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if known.is_empty() {
        return None;
    }
    let middle = known.len() / 2;
    let even = known.len().is_multiple_of(2);
    let (below, &mut upper, _) = known.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = (lower + upper) / 2.0;
    Some(if mean.is_finite() { mean } else { lower / 2.0 + upper / 2.0 })
}

/// The code with the highest count, the first by name among equals; `None` if every count is 0.
///
/// ```
/// use thalweg_data::prepare::impute::most_frequent;
/// assert_eq!(most_frequent(&[1, 3, 3]), Some(1));
/// assert_eq!(most_frequent(&[0, 0]), None);
/// ```
pub fn most_frequent(counts: &[u32]) -> Option<usize> {
    let most = counts.iter().copied().max().filter(|&most| most > 0)?;
    counts.iter().position(|&count| count == most)
}
