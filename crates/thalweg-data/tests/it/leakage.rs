//! What a preparation learns depends on the training rows alone.

use proptest::prelude::*;
use thalweg_data::{
    Dataset, Feature, FeatureColumn, MISSING, Preparation, Reading, Split, Target, TrainView, builtin,
};

/// Numbers with gaps, categories with gaps, and a numeric target.
fn data(rows: usize) -> Dataset {
    let number = |row: usize| if row.is_multiple_of(7) { f64::NAN } else { (row as f64 * 1.37).sin() };
    let code = |row: usize| if row.is_multiple_of(5) { MISSING } else { (row % 3) as u32 };
    let levels = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let categories = FeatureColumn::Categories { codes: (0..rows).map(code).collect(), levels };
    Dataset {
        name: "made up".to_owned(),
        features: vec![
            Feature { name: "x".to_owned(), column: FeatureColumn::Numbers((0..rows).map(number).collect()) },
            Feature { name: "c".to_owned(), column: categories },
        ],
        images: None,
        target_name: "y".to_owned(),
        target: Target::Values((0..rows).map(|row| row as f64).collect()),
        groups: None,
        times: None,
        fixed_test: None,
        reading: Reading::default(),
        warnings: Vec::new(),
    }
}

/// The same data with other values in the rows `test`.
fn perturb(mut data: Dataset, test: &[u32], number: f64, code: u32, y: f64) -> Dataset {
    for feature in &mut data.features {
        for &row in test {
            match &mut feature.column {
                FeatureColumn::Numbers(values) => values[row as usize] = number,
                FeatureColumn::Categories { codes, .. } => codes[row as usize] = code,
            }
        }
    }
    if let Target::Values(values) = &mut data.target {
        test.iter().for_each(|&row| values[row as usize] = y);
    }
    data
}

fn bits(train: &TrainView<'_>) -> String {
    serde_json::to_string(&Preparation::fit(train)).expect("JSON")
}

proptest! {
    #[test]
    fn test_rows_never_change_a_preparation(
        in_test in proptest::collection::vec(any::<bool>(), 40),
        number in prop_oneof![Just(f64::NAN), -1e30..1e30],
        code in prop_oneof![Just(MISSING), 0..4_u32],
        y in -1e30..1e30,
    ) {
        let (test, train): (Vec<u32>, Vec<u32>) = (0..40).partition(|&row| in_test[row as usize]);
        prop_assume!(!test.is_empty() && !train.is_empty());
        let split = Split::new(40, train, test);
        let (before, after) = (data(40), perturb(data(40), split.test(), number, code, y));
        prop_assert_eq!(bits(&split.views(&before).0), bits(&split.views(&after).0));
        // An inner split is as tight: the validation part does not reach the fit either.
        let len = split.train().len() as u32;
        prop_assume!(len > 1);
        let inner = Split::new(len as usize, (0..len / 2).collect(), (len / 2..len).collect());
        let validation: Vec<u32> = split.train()[(len / 2) as usize..].to_vec();
        let after = perturb(before.clone(), &validation, number, code, y);
        let fit = |data: &Dataset| bits(&split.views(data).0.inner(&inner).0);
        prop_assert_eq!(fit(&before), fit(&after));
    }
}

#[test]
fn training_rows_do_change_it() {
    let split = Split::new(40, (0..30).collect(), (30..40).collect());
    let (before, after) = (data(40), perturb(data(40), &[3], 9.0, 3, 9.0));
    assert_ne!(bits(&split.views(&before).0), bits(&split.views(&after).0));
}

#[test]
fn a_saved_preparation_prepares_the_same_bits() {
    for set in builtin::all() {
        let data = set.load();
        let train = TrainView::all(&data);
        let fitted = Preparation::fit(&train);
        let saved = serde_json::to_string(&fitted).expect("JSON");
        let loaded: Preparation = serde_json::from_str(&saved).expect("a preparation");
        assert_eq!(loaded, fitted);
        assert_eq!(loaded.apply(&train), fitted.apply(&train));
    }
}

#[test]
fn levels_are_found_by_name_even_where_their_codes_differ() {
    let train = data(40);
    let fitted = Preparation::fit(&TrainView::all(&train));
    let mut other = train.clone();
    if let FeatureColumn::Categories { codes, levels } = &mut other.features[1].column {
        levels.insert(0, "A".to_owned());
        codes.iter_mut().filter(|code| **code != MISSING).for_each(|code| *code += 1);
    }
    assert_eq!(fitted.apply(&TrainView::all(&other)), fitted.apply(&TrainView::all(&train)));
}
