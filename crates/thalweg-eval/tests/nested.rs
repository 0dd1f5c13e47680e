//! A split inside a split, over real views: what the outer policy promises holds for the inner part too.
// Clippy lets tests unwrap, but not the functions that they share.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use thalweg_data::{Dataset, Feature, FeatureColumn, Reading, Rows, Target, View};
use thalweg_eval::{Policy, SplitSpec};

/// 60 rows of 12 groups, two classes, times with ties.
fn dataset() -> Dataset {
    let codes = |modulus: u32| (0..60).map(|row: u32| (row * 7 + row / 11) % modulus).collect::<Vec<u32>>();
    Dataset {
        name: "made".into(),
        features: vec![Feature { name: "x".into(), column: FeatureColumn::Numbers(vec![1.0; 60]) }],
        images: None,
        target_name: "y".into(),
        target: Target::Classes { codes: codes(2), names: vec!["no".into(), "yes".into()] },
        groups: Some(codes(12)),
        times: Some((0..60).map(|row| f64::from(row / 3)).collect()),
        fixed_test: None,
        reading: Reading::default(),
        warnings: Vec::new(),
    }
}

fn groups(view: &impl View) -> BTreeSet<u32> {
    let groups = view.data().groups.as_deref().unwrap();
    view.rows().iter().map(|&row| groups[row as usize]).collect()
}

fn span(view: &impl View) -> (f64, f64) {
    let times = view.data().times.as_deref().unwrap();
    let times = view.rows().iter().map(|&row| times[row as usize]);
    (times.clone().fold(f64::MAX, f64::min), times.fold(f64::MIN, f64::max))
}

/// What the three parts of a nested split hold: to fit on, to validate on, to score.
struct Parts {
    groups: [BTreeSet<u32>; 3],
    spans: [(f64, f64); 3],
}

/// Calls `check` for each outer fold of `policy`.
fn nested(policy: Policy, gap: usize, check: impl Fn(Parts)) {
    let data = dataset();
    let rows = Rows::all(&data);
    let splitter = SplitSpec { policy, folds: 4, repeats: 1, gap }.resolve(&rows).unwrap();
    let splits = splitter.split(&rows, 5).unwrap();
    assert_eq!(splits.len(), 4);
    for (fold, split) in splits.iter().enumerate() {
        let (train, test) = split.views(&data);
        let inner = splitter.holdout(&train.describe(), 0.25, fold as u64).unwrap();
        let (fit, validate) = train.inner(&inner);
        let together: BTreeSet<u32> = fit.rows().iter().chain(validate.rows()).copied().collect();
        assert!(together.is_subset(&train.rows().iter().copied().collect()));
        assert_eq!(together.len(), fit.rows().len() + validate.rows().len());
        check(Parts {
            groups: [groups(&fit), groups(&validate), groups(&test)],
            spans: [span(&fit), span(&validate), span(&test)],
        });
    }
}

#[test]
fn no_group_is_in_two_of_the_three_parts() {
    nested(Policy::Group, 0, |Parts { groups: [fit, validate, test], .. }| {
        assert!(fit.is_disjoint(&validate) && fit.is_disjoint(&test) && validate.is_disjoint(&test));
    });
}

#[test]
fn time_runs_from_fit_to_validation_to_test_with_both_gaps() {
    nested(Policy::TimeSeries, 2, |Parts { spans: [fit, validate, test], .. }| {
        // Three rows share a time, and a gap of two rows reaches into the time before: that time is left out.
        assert!(fit.1 + 1.0 < validate.0 && validate.1 + 1.0 < test.0, "{fit:?} {validate:?} {test:?}");
    });
}
