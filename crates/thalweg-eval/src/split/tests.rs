//! Every splitter against its contract, and against scikit-learn's indices.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn rows(
    len: usize,
    classes: Option<Vec<u32>>,
    groups: Option<Vec<u32>>,
    times: Option<Vec<f64>>,
) -> Rows<'static> {
    Rows {
        len,
        classes: classes.map(Into::into),
        groups: groups.map(Into::into),
        times: times.map(Into::into),
    }
}

/// Rows that every splitter accepts: classes and groups of several rows, times with ties.
fn any_rows() -> impl Strategy<Value = Rows<'static>> {
    (40_usize..160).prop_flat_map(|len| {
        let classes = prop::collection::vec(0_u32..3, len);
        let groups = prop::collection::vec(0_u32..20, len);
        let times = prop::collection::vec(0_u32..200, len);
        (classes, groups, times).prop_map(move |(mut classes, mut groups, times)| {
            // The first rows make sure that every class has 8 rows and that there are 8 groups.
            for row in 0..24 {
                classes[row] = row as u32 % 3;
                groups[row] = row as u32 % 8;
            }
            let mut times: Vec<f64> = times.into_iter().map(f64::from).collect();
            times.sort_by(f64::total_cmp);
            rows(len, Some(classes), Some(groups), Some(times))
        })
    })
}

fn spec(policy: Policy, folds: usize, repeats: usize) -> SplitSpec {
    SplitSpec { policy, folds, repeats, gap: 0 }
}

fn disjoint(split: &Split) -> bool {
    let train: BTreeSet<_> = split.train().iter().collect();
    split.test().iter().all(|row| !train.contains(row))
}

fn covers_once<'a>(len: usize, splits: impl Iterator<Item = &'a Split>) -> bool {
    let mut all: Vec<u32> = splits.flat_map(|split| split.test().to_vec()).collect();
    all.sort_unstable();
    all == (0..len as u32).collect::<Vec<_>>()
}

fn count(rows: &[u32], codes: &[u32], code: u32) -> usize {
    rows.iter().filter(|&&row| codes[row as usize] == code).count()
}

fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
    counts.clone().max().unwrap_or(0) - counts.min().unwrap_or(0)
}

/// What every split of a policy must keep, outer or inner.
fn keeps_policy(policy: Policy, rows: &Rows<'_>, split: &Split) -> bool {
    let (groups, times) = (rows.groups.as_deref().unwrap(), rows.times.as_deref().unwrap());
    match policy {
        Policy::Group => {
            let train: BTreeSet<u32> = split.train().iter().map(|&row| groups[row as usize]).collect();
            split.test().iter().all(|&row| !train.contains(&groups[row as usize]))
        }
        Policy::TimeSeries => {
            let last = split.train().iter().map(|&row| times[row as usize]).fold(f64::MIN, f64::max);
            split.test().iter().all(|&row| last < times[row as usize])
        }
        _ => true,
    }
}

const SHUFFLING: [Policy; 3] = [Policy::KFold, Policy::Stratified, Policy::Group];

proptest! {
    #[test]
    fn shuffled_folds_partition_the_rows(rows in any_rows(), folds in 2_usize..7, repeats in 1_usize..4, seed: u64) {
        for policy in SHUFFLING {
            let splitter = spec(policy, folds, repeats).resolve(&rows).unwrap();
            let splits = splitter.split(&rows, seed).unwrap();
            prop_assert_eq!(splits.len(), folds * repeats);
            for repeat in splits.chunks(folds) {
                prop_assert!(covers_once(rows.len, repeat.iter()));
            }
            for split in &splits {
                prop_assert!(disjoint(split) && keeps_policy(policy, &rows, split), "{}", policy);
                prop_assert_eq!(split.train().len() + split.test().len(), rows.len);
            }
            prop_assert_eq!(&splits, &splitter.split(&rows, seed).unwrap(), "same seed, same bits");
            prop_assert_ne!(&splits, &splitter.split(&rows, seed ^ 1).unwrap(), "another seed");
            let parts = |repeat: &[Split]| repeat.iter().map(|s| s.test().to_vec()).collect::<BTreeSet<_>>();
            let distinct: BTreeSet<_> = splits.chunks(folds).map(parts).collect();
            prop_assert_eq!(distinct.len(), repeats, "each repeat divides the rows anew: {}", policy);
        }
    }

    #[test]
    fn sizes_are_balanced(rows in any_rows(), folds in 2_usize..7, seed: u64) {
        let sizes = |policy| {
            let splits = spec(policy, folds, 1).resolve(&rows).unwrap().split(&rows, seed).unwrap();
            (spread(splits.iter().map(|split| split.test().len())), splits)
        };
        prop_assert!(sizes(Policy::KFold).0 <= 1);
        let (stratified, splits) = sizes(Policy::Stratified);
        prop_assert!(stratified <= 1);
        let classes = rows.classes.as_deref().unwrap();
        for class in 0..3 {
            prop_assert!(spread(splits.iter().map(|split| count(split.test(), classes, class))) <= 1);
        }
        let groups = rows.groups.as_deref().unwrap();
        let all: Vec<u32> = (0..rows.len as u32).collect();
        let largest = (0..20).map(|group| count(&all, groups, group)).max().unwrap();
        prop_assert!(sizes(Policy::Group).0 <= largest);
    }

    #[test]
    fn holdouts_keep_the_policy_and_about_the_fraction(rows in any_rows(), fraction in 0.05_f64..0.6, seed: u64) {
        for policy in [Policy::KFold, Policy::Stratified, Policy::Group, Policy::TimeSeries] {
            let splitter = spec(policy, 5, 1).resolve(&rows).unwrap();
            let split = splitter.holdout(&rows, fraction, seed).unwrap();
            prop_assert!(disjoint(&split) && keeps_policy(policy, &rows, &split), "{}", policy);
            prop_assert_eq!(split.train().len() + split.test().len(), rows.len);
            prop_assert_eq!(&split, &splitter.holdout(&rows, fraction, seed).unwrap());
            let wanted = (rows.len as f64 * fraction).round() as usize;
            match policy {
                Policy::KFold | Policy::Stratified => prop_assert_eq!(split.test().len(), wanted.max(1)),
                Policy::Group => prop_assert!(split.test().len() <= 2 * wanted.max(1) || group_count(&rows, &split) == 1),
                _ => prop_assert!(split.test().len() >= wanted),
            }
        }
    }

    #[test]
    fn a_stratified_holdout_takes_each_class_its_share(rows in any_rows(), fraction in 0.1_f64..0.5, seed: u64) {
        let classes = rows.classes.as_deref().unwrap();
        let split = StratifiedKFold { folds: 2, repeats: 1 }.holdout(&rows, fraction, seed).unwrap();
        for class in 0..3 {
            let (test, train) = (count(split.test(), classes, class), count(split.train(), classes, class));
            let share = (test + train) as f64 * fraction;
            prop_assert!((test as f64 - share).abs() < 1.5, "{} of {}, share {}", test, test + train, share);
        }
    }

    #[test]
    fn windows_expand_and_never_divide_a_time(rows in any_rows(), folds in 2_usize..6, gap in 0_usize..4) {
        let splitter = ExpandingWindow { folds, gap };
        // Long runs of one time may leave a fold empty; that must be said, not papered over.
        let splits = match splitter.split(&rows, 0) {
            Ok(splits) => splits,
            Err(SplitError::TimesTied { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let mut next = splits[0].test()[0];
        for split in &splits {
            prop_assert!(keeps_policy(Policy::TimeSeries, &rows, split));
            prop_assert_eq!(split.test()[0], next, "test parts follow each other without a hole");
            prop_assert!((next as usize) >= split.train().len() + gap, "the gap is left out");
            next = split.test().last().unwrap() + 1;
        }
        prop_assert_eq!(next as usize, rows.len);
    }
}

fn group_count(rows: &Rows<'_>, split: &Split) -> usize {
    let groups = rows.groups.as_deref().unwrap();
    split.test().iter().map(|&row| groups[row as usize]).collect::<BTreeSet<_>>().len()
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../goldens/splits.json")).unwrap()
}

#[test]
fn windows_are_those_of_scikit_learn() {
    let golden = golden();
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let mut compared = 0;
    for case in golden["windows"].as_array().unwrap() {
        let (len, folds, gap) = (number(&case["rows"]), number(&case["folds"]), number(&case["gap"]));
        let rows = rows(len, None, None, Some((0..len).map(|row| row as f64).collect()));
        let ours = ExpandingWindow { folds, gap }.split(&rows, 0);
        let Some(expected) = case["splits"].as_array() else {
            assert!(matches!(ours, Err(SplitError::WindowTooSmall { .. })), "{case}");
            continue;
        };
        let ours = ours.unwrap();
        assert_eq!(ours.len(), expected.len());
        for (split, bounds) in ours.iter().zip(expected) {
            let [past, start, end] = [0, 1, 2].map(|index| number(&bounds[index]) as u32);
            assert_eq!(split.train(), (0..past).collect::<Vec<_>>(), "{case}");
            assert_eq!(split.test(), (start..end).collect::<Vec<_>>(), "{case}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared} splits compared");
}

#[test]
fn stratified_folds_have_the_class_counts_of_scikit_learn() {
    for case in golden()["stratified"].as_array().unwrap() {
        let classes: Vec<u32> = serde_json::from_value(case["classes"].clone()).unwrap();
        let expected: Vec<Vec<usize>> = serde_json::from_value(case["counts"].clone()).unwrap();
        let (folds, kinds) = (expected.len(), expected[0].len() as u32);
        let rows = rows(classes.len(), Some(classes.clone()), None, None);
        let splits = StratifiedKFold { folds, repeats: 1 }.split(&rows, 3).unwrap();
        let counts = |split: &Split| (0..kinds).map(|c| count(split.test(), &classes, c)).collect::<Vec<_>>();
        let mut ours: Vec<Vec<usize>> = splits.iter().map(counts).collect();
        ours.sort();
        let totals = |table: &[Vec<usize>]| {
            let mut totals: Vec<usize> = table.iter().map(|fold| fold.iter().sum()).collect();
            totals.sort_unstable();
            totals
        };
        assert_eq!(totals(&ours), totals(&expected));
        for class in 0..kinds as usize {
            let column = |table: &[Vec<usize>]| {
                let mut column: Vec<usize> = table.iter().map(|fold| fold[class]).collect();
                column.sort_unstable();
                column
            };
            assert_eq!(column(&ours), column(&expected));
        }
    }
}

#[test]
fn auto_takes_what_the_data_allow() {
    let classes = || Some(vec![0, 1, 0, 1]);
    let groups = || Some(vec![0, 1, 2, 3]);
    let times = || Some(vec![0.0, 1.0, 2.0, 3.0]);
    for (rows, expected) in [
        (rows(4, None, None, None), "k-fold"),
        (rows(4, classes(), None, None), "stratified"),
        (rows(4, classes(), groups(), None), "group"),
        (rows(4, None, groups(), None), "group"),
        (rows(4, classes(), groups(), times()), "time-series"),
        (rows(4, None, None, times()), "time-series"),
    ] {
        let spec = SplitSpec { folds: 2, ..SplitSpec::default() };
        assert_eq!(spec.resolve(&rows).unwrap().name(), expected);
    }
}

#[test]
fn every_policy_has_a_row_and_one_name() {
    for name in Policy::names() {
        let policy = Policy::parse(name).unwrap();
        assert_eq!(policy.name(), name);
        assert_eq!(serde_json::to_value(policy).unwrap(), name);
        let row = SPLITTERS.iter().find(|row| row.policy == policy);
        assert_eq!(row.is_none(), policy == Policy::Auto);
    }
    assert_eq!(Policy::parse("Time_Series"), Ok(Policy::TimeSeries));
    let error = Policy::parse("stratifed").unwrap_err().to_string();
    assert!(error.contains("did you mean «stratified»?") && error.contains("time-series"), "{error}");
}

#[test]
fn a_spec_is_read_with_defaults_and_refuses_unknown_keys() {
    let read = |text: &str| serde_json::from_str::<SplitSpec>(text);
    let spec = SplitSpec { policy: Policy::TimeSeries, folds: 3, repeats: 1, gap: 0 };
    assert_eq!(read(r#"{"policy": "time-series", "folds": 3}"#).unwrap(), spec);
    assert_eq!(read(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
    assert_eq!(read("{}").unwrap(), SplitSpec::default());
    assert!(read(r#"{"fold": 3}"#).is_err());
}

/// The error of a spec on rows, from resolving or from splitting.
fn error(spec: SplitSpec, rows: &Rows<'_>) -> SplitError {
    spec.resolve(rows).and_then(|splitter| splitter.split(rows, 0)).unwrap_err()
}

#[test]
fn what_cannot_be_split_is_refused_with_a_remedy() {
    let plain = rows(6, None, None, None);
    let classes = rows(6, Some(vec![0, 0, 0, 0, 4, 4]), None, None);
    let groups = rows(6, None, Some(vec![9, 9, 9, 5, 5, 5]), None);
    let times = rows(6, None, None, Some((0..6).map(f64::from).collect()));
    let tied = rows(6, None, None, Some(vec![0.0, 1.0, 1.0, 1.0, 1.0, 1.0]));
    use Policy::{Auto, Group, KFold, Stratified, TimeSeries};
    let gap = |policy, gap| SplitSpec { policy, folds: 2, repeats: 1, gap };
    let too_small = SplitError::SmallClass { class: 4, members: 2, folds: 3 };
    for (spec, rows, expected, flag) in [
        (spec(Auto, 1, 1), &plain, SplitError::TooFewFolds { folds: 1 }, "--folds 2"),
        (spec(Auto, 2, 0), &plain, SplitError::NoRepeats, "--repeats 1"),
        (
            spec(Auto, 2, 10_001),
            &plain,
            SplitError::TooManyRepeats { repeats: 10_001, most: 10_000 },
            "10000",
        ),
        (
            spec(Auto, usize::MAX, 1),
            &times,
            SplitError::WindowTooSmall { rows: 6, folds: usize::MAX, gap: 0 },
            "--gap",
        ),
        (spec(Auto, 7, 1), &plain, SplitError::MoreFoldsThanRows { folds: 7, rows: 6 }, "--folds 6"),
        (
            spec(KFold, 6, 2),
            &plain,
            SplitError::RepeatsAlike { repeats: 2, folds: 6, count: 6, unit: "row" },
            "fewer --repeats",
        ),
        (spec(Stratified, 2, 1), &plain, SplitError::ClassesMissing, "--cv k-fold"),
        (spec(Group, 2, 1), &plain, SplitError::GroupsMissing, "--group COLUMN"),
        (spec(TimeSeries, 2, 1), &plain, SplitError::TimesMissing, "--time COLUMN"),
        (spec(Auto, 3, 1), &classes, too_small, "--folds 2"),
        (spec(Auto, 3, 1), &groups, SplitError::MoreFoldsThanGroups { folds: 3, groups: 2 }, "--group"),
        (
            spec(Auto, 2, 2),
            &groups,
            SplitError::RepeatsAlike { repeats: 2, folds: 2, count: 2, unit: "group" },
            "fewer --repeats",
        ),
        (spec(Auto, 2, 3), &times, SplitError::RepeatsInTime { repeats: 3 }, "--repeats 1"),
        (spec(Auto, 6, 1), &times, SplitError::WindowTooSmall { rows: 6, folds: 6, gap: 0 }, "--folds"),
        (gap(Auto, 2), &times, SplitError::WindowTooSmall { rows: 6, folds: 2, gap: 2 }, "--gap"),
        (gap(KFold, 1), &plain, SplitError::GapWithoutTime { gap: 1, policy: "k-fold" }, "--cv time-series"),
        (spec(Auto, 2, 1), &tied, SplitError::TimesTied { fold: 1, folds: 2 }, "--time"),
    ] {
        let error = error(spec, rows);
        assert_eq!(error, expected);
        assert!(error.to_string().contains(flag), "{error}");
    }
}

#[test]
fn a_small_class_is_called_by_its_name() {
    let names = ["cat".to_owned(), "dog".to_owned()];
    let error = |members| SplitError::SmallClass { class: 1, members, folds: 5 };
    assert!(error(3).to_string().starts_with("class number 1 has 3 rows"));
    assert!(error(3).with_class_names(&names).contains("class «dog» has 3 rows"));
    assert!(error(3).to_string().contains("--folds 3 or fewer"));
    assert!(!error(1).to_string().contains("--folds"), "one fold is none");
    assert_eq!(error(3).with_class_names(&[]), error(3).to_string());
}

#[test]
fn holdouts_are_tolerant_but_never_empty() {
    let stratified = StratifiedKFold { folds: 2, repeats: 1 };
    let lonely = rows(5, Some(vec![0, 0, 0, 0, 1]), None, None);
    for seed in 0..20 {
        let split = stratified.holdout(&lonely, 0.5, seed).unwrap();
        assert!(split.train().contains(&4), "a class with a single row stays in training");
    }
    let singles = rows(3, Some(vec![0, 1, 2]), None, None);
    assert!(matches!(stratified.holdout(&singles, 0.3, 0), Err(SplitError::NoHoldout { rows: 3, .. })));
    let two = rows(2, None, None, None);
    let k_fold = KFold { folds: 2, repeats: 1 };
    assert_eq!(k_fold.holdout(&two, 0.001, 0).unwrap().test().len(), 1);
    assert_eq!(k_fold.holdout(&two, 0.999, 0).unwrap().train().len(), 1);
    for fraction in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(matches!(k_fold.holdout(&two, fraction, 0), Err(SplitError::FractionOutOfRange { .. })));
    }
    assert!(matches!(
        k_fold.holdout(&rows(1, None, None, None), 0.5, 0),
        Err(SplitError::NoHoldout { rows: 1, .. })
    ));
    let one_group = rows(3, None, Some(vec![7; 3]), None);
    let group = GroupKFold { folds: 2, repeats: 1 };
    assert!(matches!(group.holdout(&one_group, 0.2, 0), Err(SplitError::NoHoldout { .. })));
    let large_groups = rows(7, None, Some(vec![1, 1, 1, 1, 2, 2, 2]), None);
    assert_eq!(group.holdout(&large_groups, 0.15, 0).unwrap().test(), [4, 5, 6], "the smallest group");
}

#[test]
fn a_holdout_in_time_is_the_end_after_the_gap() {
    let even = rows(10, None, None, Some((0..10).map(f64::from).collect()));
    let split = ExpandingWindow { folds: 2, gap: 3 }.holdout(&even, 0.2, 0).unwrap();
    assert_eq!((split.train(), split.test()), (&[0, 1, 2, 3, 4][..], &[8, 9][..]));
    // Rows 2..6 share a time: the border at row 5 falls back to row 2.
    let tied = rows(6, None, None, Some(vec![0.0, 1.0, 2.0, 2.0, 2.0, 2.0]));
    let split = ExpandingWindow { folds: 2, gap: 0 }.holdout(&tied, 0.2, 0).unwrap();
    assert_eq!((split.train(), split.test()), (&[0, 1][..], &[2, 3, 4, 5][..]));
    // Falling back to row 0 would leave nothing to fit on: the border moves on to row 5 instead.
    let early = rows(6, None, None, Some(vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0]));
    let split = ExpandingWindow { folds: 2, gap: 0 }.holdout(&early, 0.4, 0).unwrap();
    assert_eq!(split.test(), [5]);
    let all_tied = rows(3, None, None, Some(vec![1.0; 3]));
    let none = ExpandingWindow { folds: 2, gap: 0 }.holdout(&all_tied, 0.4, 0);
    assert!(matches!(none, Err(SplitError::NoHoldout { rows: 3, .. })));
}

#[test]
fn groups_repeat_while_there_is_another_way() {
    // Three groups divide into two folds in three ways, whatever their sizes.
    let rows = rows(10, None, Some(vec![3, 3, 3, 3, 3, 3, 5, 5, 5, 8]), None);
    let split = |repeats| GroupKFold { folds: 2, repeats }.split(&rows, 11);
    assert_eq!(split(2).unwrap().len(), 4);
    assert_eq!(split(4), Err(SplitError::RepeatsAlike { repeats: 4, folds: 2, count: 3, unit: "group" }));
}

#[test]
fn the_ratio_of_k_folds_is_one_to_the_others() {
    let splits = KFold { folds: 5, repeats: 2 }.split(&rows(50, None, None, None), 1).unwrap();
    assert!((test_over_train(&splits) - 0.25).abs() < 1e-15);
}

#[test]
fn the_bits_are_pinned() {
    // A changed shuffle would silently change every stored study: it must be a decision.
    let classes = vec![0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
    let groups = vec![0, 0, 0, 1, 1, 2, 2, 3, 3, 4];
    let rows = rows(10, Some(classes), Some(groups), None);
    let tests = |policy| {
        let splits = spec(policy, 3, 1).resolve(&rows).unwrap().split(&rows, 42).unwrap();
        splits.iter().map(|split| split.test().to_vec()).collect::<Vec<_>>()
    };
    let expected: [Vec<Vec<u32>>; 3] = [
        vec![vec![0, 4, 7, 8], vec![1, 3, 5], vec![2, 6, 9]],
        vec![vec![3, 4, 6, 9], vec![1, 2, 8], vec![0, 5, 7]],
        vec![vec![0, 1, 2], vec![3, 4, 9], vec![5, 6, 7, 8]],
    ];
    assert_eq!(SHUFFLING.map(tests), expected);
}
