//! Categories as codes, for embeddings.

use thalweg_data::{Form, Preparation, Split, TrainView};

use crate::{csv, dataset, spec};

/// A column by name, of all prepared rows.
fn column(fitted: &Preparation, x: &[f32], name: &str) -> Vec<f32> {
    let at = fitted.feature_names().iter().position(|known| known == name).expect(name);
    x.iter().skip(at).step_by(fitted.width()).copied().collect()
}

#[test]
fn a_category_is_one_column_behind_the_numbers() {
    let text = "c,x,d,n,y\nred,1.5,p,1,1.5\n,2.5,q,,2.5\nblue,,p,3,3.5\nred,4.5,q,7,4.5\ngreen,2.5,q,4,5.5\nred,1.5,q,6,0.5\n";
    let data = dataset(text, &spec("{}")).expect("a data set");
    let split = Split::new(6, vec![0, 1, 2, 3], vec![4, 5]);
    let (train, test) = split.views(&data);
    let fitted = Preparation::fit_as(&train, Form::Codes).expect("codes");
    assert_eq!(fitted.feature_names(), ["x", "n", "c is missing", "x is missing", "n is missing", "c", "d"]);
    assert_eq!(fitted.categories(), [3, 3]);
    assert_eq!((fitted.form(), fitted.shape()), (Form::Codes, None));
    let prepared = fitted.apply(&train);
    // blue 1, red 2; a missing one is the most frequent, red.
    assert_eq!(column(&fitted, &prepared.x, "c"), [2.0, 2.0, 1.0, 2.0]);
    assert_eq!(column(&fitted, &prepared.x, "c is missing"), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(column(&fitted, &prepared.x, "d"), [1.0, 2.0, 1.0, 2.0]);
    // What was not seen is 0.
    assert_eq!(column(&fitted, &fitted.apply(&test).x, "c"), [0.0, 2.0]);
    // All else is as in a table.
    let table = Preparation::fit(&train);
    for name in ["x", "n", "x is missing", "n is missing", "c is missing"] {
        let theirs = column(&table, &table.apply(&train).x, name);
        assert_eq!(column(&fitted, &prepared.x, name), theirs, "{name}");
    }
    assert!(table.categories().is_empty());
    let saved = serde_json::to_string(&fitted).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Preparation>(&saved).expect("a preparation").apply(&test),
        fitted.apply(&test)
    );
}

#[test]
fn codes_are_one_hot_columns_counted_from_one() {
    let text = csv("c,e,y", 300, |row| format!("l{},{},{}.5", row * row % 77, row % 3, row % 11));
    let data = dataset(&text, &spec(r#"{"task": "regression"}"#)).expect("a data set");
    let split = Split::new(300, (0..150).collect(), (150..300).collect());
    let (train, test) = split.views(&data);
    let (codes, table) = (Preparation::fit_as(&train, Form::Codes).expect("codes"), Preparation::fit(&train));
    let hot: Vec<usize> =
        (0..table.width()).filter(|&at| table.feature_names()[at].starts_with("c=")).collect();
    assert_eq!(codes.categories(), [hot.len() + 1]);
    for (row, code) in column(&codes, &codes.apply(&test).x, "c").into_iter().enumerate() {
        let x = &table.apply(&test).x[row * table.width()..][..table.width()];
        let expected = hot.iter().position(|&at| x[at] == 1.0).map_or(0, |at| at + 1);
        assert_eq!(code, expected as f32, "row {row}");
    }
}

#[test]
fn dropped_columns_take_no_place() {
    let text = "one,c,k,x,y\n1,p,same,1.5,1.5\n1,q,same,2.5,2.5\n1,p,same,4.5,3.5\n";
    let data = dataset(text, &spec("{}")).expect("a data set");
    let fitted = Preparation::fit_as(&TrainView::all(&data), Form::Codes).expect("codes");
    assert_eq!(fitted.feature_names(), ["x", "c"]);
    assert_eq!(fitted.notes().len(), 2);
}
