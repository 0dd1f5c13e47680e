//! Interpolation between neighbours.

use std::sync::Arc;

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::finds::{Finds, Sought};
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::FOR_IMAGES;
use crate::nn::Targets;
use crate::train::Samples;

/// With probability p, a row becomes a point between itself and one of its k nearest neighbours of the same class among
/// the training rows: x + u·(x′ − x), u from [0, 1).
///
/// Chawla et al. (*SMOTE*, 2002) add such points for a rare class until it is as frequent as the others; here they take the
/// place of rows of any class, and frequencies stay as they are. For numbers every row is a candidate, and the target is
/// interpolated by the same u (which is the weighting by distance of Torgo et al., *SMOTE for regression*, 2013).
///
/// Neighbours (by Euclidean distance of the prepared rows) are found once, from the training rows that this training was given:
/// within the fold. Of more than 2,048 candidates, that many are drawn. A row without a neighbour stays as it is.
///
/// Cost: n rows of d columns take n·min(n, 2048)·d multiplications before the first step (20,000 rows of 100 columns: some
/// seconds), which trainings on the same rows share ([`Finds`]) and which can be interrupted; then n·k·4 bytes.
pub(crate) struct Smote;

/// Candidates for a row's neighbours, at most.
const CANDIDATES: usize = 2048;

impl Technique for Smote {
    fn info(&self) -> &Info {
        const NEIGHBOURS: Range = Range::between(1.0, 100.0).whole();
        &Info {
            name: "smote",
            family: Family::Augmentation,
            summary: "moves rows of a table towards a near row of the same class, or of near numbers",
            formula: "x ← x + u·(x′ − x) with probability p, x′ one of k neighbours, u from [0, 1)",
            source: "Chawla et al. 2002; Torgo et al. 2013",
            settings: &[
                Setting { key: "share", symbol: "p", range: Range::SHARE, default: 0.5 },
                Setting { key: "neighbours", symbol: "k", range: NEIGHBOURS, default: 5.0 },
            ],
            strengths: &[0.25, 0.5, 1.0],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_table(FOR_IMAGES)
    }

    fn alter(&self, values: &[f64], scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        let wanted = values[1] as usize;
        Some(Box::new(Interpolate { share: values[0], wanted, key: scene.key, neighbours: Arc::new([]) }))
    }
}

/// No neighbour.
const NONE: u32 = u32::MAX;

/// Rows whose neighbours are found between two questions whether to go on.
const AT_A_TIME: usize = 64;

/// The `wanted` nearest rows of the same class of each training row, nearest first, filled up with [`NONE`]; `None` if it was
/// interrupted.
fn neighbours(train: Samples<'_>, sought: &Sought, keep_going: &dyn Fn() -> bool) -> Option<Vec<u32>> {
    let (rows, wanted) = (train.rows(), sought.wanted);
    let class_of = |row: u32| sought.classes.get(row as usize).copied().unwrap_or(0);
    let classes = (0..rows as u32).map(class_of).max().map_or(0, |most| most as usize + 1);
    let mut members = vec![Vec::new(); classes];
    (0..rows as u32).for_each(|row| members[class_of(row) as usize].push(row));
    let mut draws = Draws::new(sought.key);
    let width = train.shape.len();
    let numbers = |row: u32| &train.x[row as usize * width..][..width];
    let mut found = vec![NONE; rows * wanted];
    let mut near: Vec<(f32, u32)> = Vec::new();
    for members in &members {
        // The start of a random order, as long as is looked at (Fisher & Yates).
        let looked_at = members.len().min(CANDIDATES);
        let candidates = {
            let mut drawn = members.clone();
            if looked_at < members.len() {
                (0..looked_at).for_each(|at| drawn.swap(at, at + draws.below(members.len() - at)));
            }
            drawn.truncate(looked_at);
            drawn
        };
        for (at, &row) in members.iter().enumerate() {
            if at % AT_A_TIME == 0 && !keep_going() {
                return None;
            }
            near.clear();
            let others = candidates.iter().filter(|&&other| other != row);
            near.extend(others.map(|&other| (distance(numbers(row), numbers(other)), other)));
            let kept = wanted.min(near.len());
            let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            if kept > 0 {
                near.select_nth_unstable_by(kept - 1, order);
                near[..kept].sort_unstable_by(order);
            }
            let found = &mut found[row as usize * wanted..][..kept];
            found.iter_mut().zip(&near).for_each(|(found, near)| *found = near.1);
        }
    }
    Some(found)
}

/// The square of the Euclidean distance.
fn distance(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum()
}

#[derive(Debug)]
struct Interpolate {
    share: f64,
    wanted: usize,
    /// Decides which candidates are drawn.
    key: u64,
    /// As [`neighbours`] gives them; none before the survey.
    neighbours: Arc<[u32]>,
}

impl Alter for Interpolate {
    fn survey(&mut self, train: Samples<'_>, finds: &Finds, keep_going: &dyn Fn() -> bool) -> bool {
        let classes = match train.targets {
            Targets::Classes(codes) => codes.to_vec(),
            _ => Vec::new(),
        };
        let sought = Sought { wanted: self.wanted, key: self.key, classes };
        match finds.neighbours(sought, |sought| neighbours(train, sought, keep_going)) {
            Some(found) => self.neighbours = found,
            None => return false,
        }
        true
    }

    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let width = batch.width();
        for (place, x) in batch.x.chunks_exact_mut(width).enumerate() {
            let mut draws = Draws::new(Draws::key(key, place as u64));
            let row = batch.rows[place] as usize;
            let neighbours = &self.neighbours[row * self.wanted..][..self.wanted];
            let known = neighbours.iter().take_while(|&&neighbour| neighbour != NONE).count();
            if known == 0 || !draws.chance(self.share) {
                continue;
            }
            let neighbour = neighbours[draws.below(known)] as usize;
            let part = draws.uniform() as f32;
            let other = &batch.train.x[neighbour * width..][..width];
            x.iter_mut().zip(other).for_each(|(x, other)| *x += part * (other - *x));
            if let (Targets::Values(values), Some(value)) = (batch.train.targets, batch.values.get_mut(place))
            {
                *value += part * (values[neighbour] - *value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Shape;

    /// Two columns: class 0 at 0, 1, 2, … on the first axis, class 1 far away on the second.
    const X: [f32; 12] = [0.0, 0.0, 50.0, 9.0, 1.0, 0.0, 50.0, 1.0, 2.5, 0.0, 5.0, 0.0];
    const CODES: [u32; 6] = [0, 1, 0, 1, 0, 0];

    fn samples(targets: Targets<'_, f32>) -> Samples<'_> {
        Samples { shape: Shape::Flat(2), x: &X, targets }
    }

    #[test]
    fn neighbours_are_the_nearest_of_the_same_class() {
        let sought = Sought { wanted: 2, key: 1, classes: CODES.to_vec() };
        let found = neighbours(samples(Targets::Classes(&CODES)), &sought, &|| true).unwrap();
        assert_eq!(found, [2, 4, 3, NONE, 0, 4, 1, NONE, 2, 0, 4, 2]);
        let values = [0.0; 6];
        let sought = Sought { wanted: 1, key: 1, classes: Vec::new() };
        let found = neighbours(samples(Targets::Values(&values)), &sought, &|| true).unwrap();
        assert_eq!(found, [2, 3, 0, 1, 2, 4]);
    }

    #[test]
    fn of_many_candidates_some_are_looked_at_and_never_the_row_itself() {
        let rows = CANDIDATES + 500;
        let x: Vec<f32> = (0..rows).map(|row| row as f32).collect();
        let codes = vec![0; rows];
        let train = Samples { shape: Shape::Flat(1), x: &x, targets: Targets::Classes(&codes) };
        let sought = Sought { wanted: 1, key: 1, classes: codes.clone() };
        let found = neighbours(train, &sought, &|| true).unwrap();
        assert!(found.iter().enumerate().all(|(row, &other)| other != NONE && other as usize != row));
        let near =
            found.iter().enumerate().filter(|&(row, &other)| row.abs_diff(other as usize) <= 3).count();
        assert!(near > rows * 9 / 10, "{near} of {rows}");
    }

    #[test]
    fn a_search_can_be_interrupted_and_is_not_done_twice() {
        let rows = 5 * AT_A_TIME;
        let x: Vec<f32> = (0..rows).map(|row| row as f32).collect();
        let codes = vec![0; rows];
        let train = Samples { shape: Shape::Flat(1), x: &x, targets: Targets::Classes(&codes) };
        let (finds, asked) = (Finds::default(), std::cell::Cell::new(0));
        let scene = Scene { train, batch: 6, shards: 1, layers: &[], key: 1, finds: &finds };
        let survey = |most: usize| {
            asked.set(0);
            let keep_going = || {
                asked.set(asked.get() + 1);
                asked.get() <= most
            };
            Smote.alter(&[1.0, 2.0], &scene).unwrap().survey(train, &finds, &keep_going)
        };
        assert!(!survey(2));
        assert_eq!(asked.get(), 3);
        assert!(survey(usize::MAX));
        assert_eq!(asked.get(), 5);
        assert!(survey(0), "what was found is shared");
        assert_eq!(asked.get(), 0);
    }

    #[test]
    fn points_lie_between_the_row_and_a_neighbour_and_so_do_numbers() {
        let values = [0.0, 10.0, 1.0, 20.0, 3.0, 7.0];
        let train = samples(Targets::Values(&values));
        let finds = Finds::default();
        let scene = Scene { train, batch: 6, shards: 1, layers: &[], key: 1, finds: &finds };
        let mut smote = Smote.alter(&[1.0, 2.0], &scene).unwrap();
        assert!(smote.survey(train, &finds, &|| true));
        let sought = Sought { wanted: 2, key: 1, classes: Vec::new() };
        let found = neighbours(train, &sought, &|| true).unwrap();
        let rows = [4, 0, 3, 1, 5, 2];
        for step in 0..50 {
            let mut x: Vec<f32> = rows.iter().flat_map(|&row| X[row as usize * 2..][..2].to_vec()).collect();
            let mut mixed: Vec<f32> = rows.iter().map(|&row| values[row as usize]).collect();
            let (second, share) = (&mut [][..], &mut [1.0; 6][..]);
            let mut batch = Batch {
                train,
                rows: &rows,
                x: &mut x,
                classes: &mut [],
                values: &mut mixed,
                second,
                share,
                step_key: 0,
            };
            smote.alter(&mut batch, step);
            for (place, &row) in rows.iter().enumerate() {
                let row = row as usize;
                let lies_between = |other: u32| {
                    let other = other as usize;
                    let part = (mixed[place] - values[row]) / (values[other] - values[row]);
                    let near = |column: usize| {
                        let expected =
                            X[row * 2 + column] + part * (X[other * 2 + column] - X[row * 2 + column]);
                        (x[place * 2 + column] - expected).abs() < 1e-4
                    };
                    (-1e-6..=1.0).contains(&part) && near(0) && near(1)
                };
                assert!(found[row * 2..][..2].iter().any(|&other| lies_between(other)), "row {row}");
            }
        }
    }
}
