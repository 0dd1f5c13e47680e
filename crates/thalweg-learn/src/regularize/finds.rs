//! What is found out about training rows once, for all trainings on them.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::plan::Scene;

/// What techniques have found out about the rows of one training part: whoever needs it first looks, the others share it.
///
/// It is about one block of prepared rows: trainings that are given the same one must be on the same rows. What they find
/// depends on nothing else, so bits are the same with or without sharing, whoever comes first.
#[derive(Debug, Default)]
pub struct Finds {
    neighbours: Mutex<Vec<(Sought, Arc<[u32]>)>>,
    pixels: OnceLock<(f32, f32)>,
}

/// What decides a search for neighbours, beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sought {
    /// How many for each row.
    pub(super) wanted: usize,
    /// Of the draws.
    pub(super) key: u64,
    /// Within which rows are neighbours: noise on labels may have changed them. Empty where the targets are numbers.
    pub(super) classes: Vec<u32>,
}

impl Finds {
    /// The neighbours that were found before, else those that `search` finds; `None` if it was interrupted.
    ///
    /// Whoever comes while another searches waits for it, and then has its result, or searches in its turn.
    pub(super) fn neighbours(
        &self,
        sought: Sought,
        search: impl FnOnce(&Sought) -> Option<Vec<u32>>,
    ) -> Option<Arc<[u32]>> {
        let mut known = self.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = known.iter().find(|(other, _)| *other == sought) {
            return Some(Arc::clone(found));
        }
        let found: Arc<[u32]> = search(&sought)?.into();
        known.push((sought, Arc::clone(&found)));
        Some(found)
    }

    /// The mean and the standard deviation of all numbers of all rows: how bright the images are, and how much their
    /// pixels differ. Of all, since files may be sorted: by class, by day, by brightness.
    pub(super) fn pixels(&self, scene: &Scene<'_>) -> (f32, f32) {
        *self.pixels.get_or_init(|| mean_and_deviation(scene.train.x))
    }
}

/// In two passes over the numbers, in f64.
fn mean_and_deviation(x: &[f32]) -> (f32, f32) {
    let count = x.len().max(1) as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    (mean as f32, variance.sqrt() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rows_count_as_much_as_the_first() {
        // Two thousand black images and then as many bright ones: as a folder with a class each gives them.
        let x: Vec<f32> = (0..4000).map(|row| if row < 2000 { 0.0 } else { 2.0 }).collect();
        assert_eq!(mean_and_deviation(&x), (1.0, 1.0));
        assert_eq!(mean_and_deviation(&[]), (0.0, 0.0));
    }

    #[test]
    fn neighbours_are_searched_once_for_each_question_and_again_after_an_interruption() {
        let finds = Finds::default();
        let sought = |key| Sought { wanted: 1, key, classes: vec![0, 1] };
        assert_eq!(finds.neighbours(sought(1), |_| None), None);
        assert_eq!(finds.neighbours(sought(1), |_| Some(vec![7])).as_deref(), Some(&[7][..]));
        assert_eq!(
            finds.neighbours(sought(1), |_| panic!("it is known")).as_deref(),
            Some(&[7][..]),
            "found before"
        );
        assert_eq!(finds.neighbours(sought(2), |_| Some(vec![8])).as_deref(), Some(&[8][..]));
        let other = Sought { classes: vec![1, 1], ..sought(1) };
        assert_eq!(finds.neighbours(other, |_| Some(vec![9])).as_deref(), Some(&[9][..]));
    }
}
