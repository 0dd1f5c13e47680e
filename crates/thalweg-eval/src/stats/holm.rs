//! Holm's correction for several tests.

/// The p-values adjusted by Holm's step-down method («A simple sequentially rejective multiple test procedure», 1979),
/// in the order of the input: with p₍₁₎ ≤ … ≤ p₍ₘ₎, p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎).
///
/// Rejecting where p̃ < α keeps the probability of any false rejection at or below α, whatever the dependence.
///
/// # Panics
/// If a p-value is not in 0…1.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "p-values lie in 0…1: {p_values:?}");
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut highest = 0.0_f64;
    for (step, &index) in order.iter().enumerate() {
        highest = highest.max((p_values.len() - step) as f64 * p_values[index]).min(1.0);
        adjusted[index] = highest;
    }
    adjusted
}
