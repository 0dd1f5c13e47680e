//! Views: leakage is a type error.
//!
//! A [`Split`] yields a [`TrainView`] and a [`TestView`]. Whatever fits takes a `TrainView`; nothing that fits accepts a
//! `TestView`; and a `Dataset` itself can do neither.

use std::borrow::Cow;

use crate::dataset::{Dataset, Target};

/// What a splitter may know of the rows: never a feature, never a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<'a> {
    /// How many rows.
    pub len: usize,
    /// A class code per row (classification).
    pub classes: Option<Cow<'a, [u32]>>,
    /// A group code per row.
    pub groups: Option<Cow<'a, [u32]>>,
    /// A time per row, non-decreasing.
    pub times: Option<Cow<'a, [f64]>>,
}

/// Disjoint row numbers, ascending within each part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    train: Vec<u32>,
    test: Vec<u32>,
}

impl Split {
    /// A split of `len` rows.
    ///
    /// # Panics
    /// If a part is empty or not strictly ascending, if a row is out of range, or if the parts overlap: a splitter's
    /// bug, not bad input.
    pub fn new(len: usize, train: Vec<u32>, test: Vec<u32>) -> Self {
        let mut seen = vec![false; len];
        for part in [&train, &test] {
            assert!(!part.is_empty(), "a part of a split is empty");
            assert!(
                part.windows(2).all(|pair| pair[0] < pair[1]),
                "a part of a split is not strictly ascending"
            );
            for &row in part {
                assert!(
                    !std::mem::replace(&mut seen[row as usize], true),
                    "row {row} is in both parts of a split"
                );
            }
        }
        Self { train, test }
    }

    /// The rows to fit on.
    pub fn train(&self) -> &[u32] {
        &self.train
    }

    /// The rows to score on.
    pub fn test(&self) -> &[u32] {
        &self.test
    }

    /// The two views of `data`.
    pub fn views<'a>(&'a self, data: &'a Dataset) -> (TrainView<'a>, TestView<'a>) {
        (
            TrainView { data, rows: Cow::Borrowed(&self.train) },
            TestView { data, rows: Cow::Borrowed(&self.test) },
        )
    }
}

/// The part of a data set that may be fitted on.
#[derive(Debug, Clone)]
pub struct TrainView<'a> {
    data: &'a Dataset,
    rows: Cow<'a, [u32]>,
}

/// The part of a data set that may only be transformed and scored.
#[derive(Debug, Clone)]
pub struct TestView<'a> {
    data: &'a Dataset,
    rows: Cow<'a, [u32]>,
}

/// What both views allow: reading.
pub trait View {
    /// The data set behind the view.
    fn data(&self) -> &Dataset;
    /// The view's rows, as row numbers of the data set.
    fn rows(&self) -> &[u32];
}

impl View for TrainView<'_> {
    fn data(&self) -> &Dataset {
        self.data
    }
    fn rows(&self) -> &[u32] {
        &self.rows
    }
}

impl View for TestView<'_> {
    fn data(&self) -> &Dataset {
        self.data
    }
    fn rows(&self) -> &[u32] {
        &self.rows
    }
}

impl<'a> TrainView<'a> {
    /// All rows: for the final fit, when nothing is left to be scored.
    pub fn all(data: &'a Dataset) -> Self {
        let rows = (0..data.rows() as u32).collect();
        Self { data, rows: Cow::Owned(rows) }
    }

    /// What an inner splitter may know of these rows; its row numbers count within this view.
    pub fn describe(&self) -> Rows<'static> {
        Rows::of(self.data, &self.rows)
    }

    /// An inner split of this view (row numbers count within it): a part to fit on and a part to validate on.
    pub fn inner(&self, split: &Split) -> (TrainView<'a>, TestView<'a>) {
        let pick = |part: &[u32]| part.iter().map(|&row| self.rows[row as usize]).collect::<Vec<_>>();
        (
            TrainView { data: self.data, rows: Cow::Owned(pick(&split.train)) },
            TestView { data: self.data, rows: Cow::Owned(pick(&split.test)) },
        )
    }
}

impl<'a> Rows<'a> {
    /// What is known of some rows of `data`.
    fn of(data: &Dataset, rows: &[u32]) -> Rows<'static> {
        let pick = |codes: &[u32]| Cow::Owned(rows.iter().map(|&row| codes[row as usize]).collect());
        Rows {
            len: rows.len(),
            classes: match &data.target {
                Target::Classes { codes, .. } => Some(pick(codes)),
                Target::Values(_) => None,
            },
            groups: data.groups.as_deref().map(pick),
            times: data
                .times
                .as_deref()
                .map(|times| Cow::Owned(rows.iter().map(|&row| times[row as usize]).collect())),
        }
    }

    /// What is known of every row of `data`.
    pub fn all(data: &'a Dataset) -> Rows<'a> {
        Rows {
            len: data.rows(),
            classes: match &data.target {
                Target::Classes { codes, .. } => Some(Cow::Borrowed(codes)),
                Target::Values(_) => None,
            },
            groups: data.groups.as_deref().map(Cow::Borrowed),
            times: data.times.as_deref().map(Cow::Borrowed),
        }
    }
}
