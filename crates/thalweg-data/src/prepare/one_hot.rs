//! One-hot encoding: a 0/1 column per level.

use serde::{Deserialize, Serialize};

/// The most columns one feature may take.
pub const MOST_COLUMNS: usize = 50;

/// Which level goes to which column.
///
/// Every level of the training rows has its column, in the order of the names, up to [`MOST_COLUMNS`]. With more
/// levels, the 49 most frequent ones have their own and the rest share a last one, `infrequent`. Among equally
/// frequent levels, those later by name keep their own column: scikit-learn's `OneHotEncoder(max_categories=50)` does
/// so, and agreeing with it is worth more than the prettier choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OneHot {
    /// The levels with a column of their own, sorted by name.
    levels: Vec<String>,
    /// How many other levels were seen in training; they share the last column.
    others: usize,
}

impl OneHot {
    /// The encoding of levels (sorted by name) that occur `counts` times; `None` if fewer than two occur.
    pub fn fit(counts: &[u32], levels: &[String]) -> Option<Self> {
        let mut seen: Vec<usize> = (0..counts.len()).filter(|&code| counts[code] > 0).collect();
        let others = if seen.len() > MOST_COLUMNS { seen.len() - (MOST_COLUMNS - 1) } else { 0 };
        if seen.len() < 2 {
            return None;
        }
        seen.sort_by_key(|&code| counts[code]); // stable: equals stay sorted by name
        seen.drain(..others);
        seen.sort_unstable();
        Some(Self { levels: seen.into_iter().map(|code| levels[code].clone()).collect(), others })
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.levels.len() + usize::from(self.others > 0)
    }

    /// How many levels share the column `infrequent`, if there is one.
    pub fn infrequent(&self) -> Option<usize> {
        (self.others > 0).then_some(self.others)
    }

    /// The column of a level: its own; else the infrequent one; else none.
    pub fn column(&self, level: &str) -> Option<u32> {
        match self.levels.binary_search_by(|known| known.as_str().cmp(level)) {
            Ok(at) => Some(at as u32),
            Err(_) => (self.others > 0).then_some(self.levels.len() as u32),
        }
    }

    /// A name for each column.
    pub fn level_names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().map(String::as_str).chain((self.others > 0).then_some("infrequent"))
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_COLUMNS, OneHot};

    fn levels(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("l{at:03}")).collect()
    }

    #[test]
    fn every_level_seen_has_a_column() {
        let one_hot = OneHot::fit(&[2, 0, 1], &levels(3)).expect("two levels");
        assert_eq!(one_hot.level_names().collect::<Vec<_>>(), ["l000", "l002"]);
        assert_eq!(
            (one_hot.column("l002"), one_hot.column("l001"), one_hot.column("new")),
            (Some(1), None, None)
        );
        assert_eq!(OneHot::fit(&[0, 5], &levels(2)), None);
    }

    #[test]
    fn beyond_fifty_columns_the_rare_share_one() {
        let full = OneHot::fit(&[1; MOST_COLUMNS], &levels(MOST_COLUMNS)).expect("levels");
        assert_eq!((full.width(), full.infrequent()), (50, None));
        let mut counts = vec![1; MOST_COLUMNS + 1];
        counts[0] = 9;
        let cut = OneHot::fit(&counts, &levels(counts.len())).expect("levels");
        assert_eq!((cut.width(), cut.infrequent()), (50, Some(2)));
        assert_eq!(cut.column("l000"), Some(0));
        assert_eq!(
            (cut.column("l001"), cut.column("l002"), cut.column("l003")),
            (Some(49), Some(49), Some(1))
        );
        assert_eq!(cut.column("new"), Some(49));
    }
}
