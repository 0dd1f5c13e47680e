//! Whatever the file and the specification, a data set keeps its promises or is refused: never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use thalweg_data::{Dataset, FeatureColumn, MISSING, Preparation, Split, Target, Targets};

use crate::{dataset, spec};

/// One cell of a column whose cells are mostly of one kind.
fn cell(kind: u8) -> BoxedStrategy<String> {
    let usual = match kind {
        0 => (-3..4_i32).prop_map(|value| value.to_string()).boxed(),
        1 => prop_oneof![-5.0..5.0_f64, -1e308..1e308_f64, Just(5e-324)]
            .prop_map(|value| value.to_string())
            .boxed(),
        2 => prop_oneof!["yes", "no", "Yes"].boxed(),
        3 => "20[012][0-9]-0[1-9]-[12][0-9]".boxed(),
        4 => "[abc]".boxed(),
        _ => "[a-z]{1,6}".boxed(),
    };
    prop_oneof![20 => usual, 3 => prop_oneof!["", "NA", "\\?"], 1 => Just("7".to_owned())].boxed()
}

/// A header `a,b,c,(d,)y` and rows below it.
fn file() -> impl Strategy<Value = String> {
    (vec(0..6_u8, 4..6), 1..60_usize).prop_flat_map(|(kinds, rows)| {
        let names =
            "abcd"[..kinds.len() - 1].chars().map(|name| format!("{name},")).collect::<String>() + "y\n";
        let columns: Vec<_> = kinds.into_iter().map(|kind| vec(cell(kind), rows)).collect();
        columns.prop_map(move |columns| {
            let line =
                |row: usize| columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(",");
            (0..rows).fold(names.clone(), |text, row| text + &line(row) + "\n")
        })
    })
}

fn specification() -> impl Strategy<Value = String> {
    let list = || prop_oneof![3 => Just("[]"), 1 => Just(r#"["a"]"#), 1 => Just(r#"["b"]"#)];
    let column = || prop_oneof![9 => Just("null"), 1 => Just(r#""b""#), 1 => Just(r#""c""#)];
    let task = prop_oneof!["auto", "classification", "regression"];
    (task, list(), list(), column(), column(), prop_oneof![3 => Just(0), 1 => 1..9_u32]).prop_map(
        |(task, ignore, keep, group, time, lags)| {
            format!(
                r#"{{"task":"{task}","ignore":{ignore},"keep":{keep},"group":{group},"time":{time},"lags":{lags},"header":"yes"}}"#
            )
        },
    )
}

fn check(data: &Dataset) {
    let rows = data.rows();
    assert!(rows > 1 && !data.features.is_empty());
    let coded = |codes: &[u32], levels: &[String]| {
        assert!(
            codes.len() == rows
                && codes.iter().all(|&code| code == MISSING || (code as usize) < levels.len())
        );
    };
    for feature in &data.features {
        match &feature.column {
            FeatureColumn::Numbers(values) => {
                assert!(values.len() == rows && values.iter().all(|value| !value.is_infinite()));
            }
            FeatureColumn::Categories { codes, levels } => {
                coded(codes, levels);
                assert!(levels.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
    match &data.target {
        Target::Classes { codes, names } => {
            coded(codes, names);
            assert!(names.len() > 1 && !codes.contains(&MISSING));
            assert!((0..names.len()).all(|class| codes.contains(&(class as u32))));
        }
        Target::Values(values) => assert!(values.iter().all(|value| value.is_finite())),
    }
    assert!(data.groups.iter().all(|groups| groups.len() == rows));
    assert!(
        data.times.iter().all(|times| times.len() == rows && times.windows(2).all(|pair| pair[0] <= pair[1]))
    );
    assert_eq!(data.fingerprint(), data.clone().fingerprint());
}

proptest! {
    #[test]
    fn a_data_set_keeps_its_promises(text in file(), json in specification(), cut in 1..100_usize) {
        let Ok(data) = dataset(&text, &spec(&json)) else { return Ok(()) };
        check(&data);
        let rows = data.rows();
        let cut = 1 + cut % (rows - 1);
        let split = Split::new(rows, (0..cut as u32).collect(), (cut as u32..rows as u32).collect());
        let (train, test) = split.views(&data);
        let preparation = Preparation::fit(&train);
        for prepared in [preparation.apply(&train), preparation.apply(&test)] {
            prop_assert_eq!(prepared.x.len(), prepared.rows * preparation.width());
            prop_assert!(prepared.x.iter().all(|value| value.is_finite()));
            prop_assert_eq!(prepared.y.len(), prepared.rows);
            if let Targets::Values { scaled, .. } = &prepared.y {
                prop_assert!(scaled.iter().all(|value| value.is_finite()));
            }
        }
    }
}
