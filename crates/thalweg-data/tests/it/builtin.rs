//! Every built-in set is what its row says.

use thalweg_data::{BuiltIn, DataError, DatasetSpec, FeatureColumn, Target, Task, builtin, open};

#[test]
fn each_loads_as_described() {
    for set in builtin::all() {
        let data = set.load();
        assert_eq!(
            (data.name.as_str(), data.rows(), data.features.len()),
            (set.name, set.rows, set.features)
        );
        assert_eq!((data.task(), data.target_name.as_str()), (set.task, set.target), "{}", set.name);
        assert!(data.warnings.is_empty(), "{}: {:?}", set.name, data.warnings);
        let complete = |column: &FeatureColumn| match column {
            FeatureColumn::Numbers(values) => values.iter().all(|value| value.is_finite()),
            FeatureColumn::Categories { .. } => false,
        };
        assert!(data.features.iter().all(|feature| complete(&feature.column)), "{}", set.name);
        assert!([set.description, set.source, set.licence].iter().all(|text| text.len() > 5), "{}", set.name);
        assert_eq!(open(set.name, &DatasetSpec::default()).expect("a built-in set"), data);
    }
}

fn column<'a>(set: &'a thalweg_data::Dataset, name: &str) -> &'a [f64] {
    match &set.features.iter().find(|feature| feature.name == name).expect("a feature").column {
        FeatureColumn::Numbers(values) => values,
        FeatureColumn::Categories { .. } => panic!("{name} is not numbers"),
    }
}

fn find(name: &str) -> &'static BuiltIn {
    builtin::find(name).expect("a built-in set")
}

#[test]
fn class_counts_are_the_published_ones() {
    for (name, expected) in [
        ("iris", vec![("setosa", 50), ("versicolor", 50), ("virginica", 50)]),
        ("wine", vec![("class_0", 59), ("class_1", 71), ("class_2", 48)]),
        ("breast-cancer", vec![("benign", 357), ("malignant", 212)]),
        (
            "digits",
            vec![
                ("0", 178),
                ("1", 182),
                ("2", 177),
                ("3", 183),
                ("4", 181),
                ("5", 182),
                ("6", 181),
                ("7", 179),
                ("8", 174),
                ("9", 180),
            ],
        ),
    ] {
        let Target::Classes { codes, names } = find(name).load().target else {
            panic!("{name} is not classes")
        };
        let counts = names.iter().enumerate().map(|(class, name)| {
            (name.as_str(), codes.iter().filter(|&&code| code as usize == class).count())
        });
        assert_eq!(counts.collect::<Vec<_>>(), expected, "{name}");
    }
}

#[test]
fn well_known_sums_hold() {
    let digits = find("digits").load();
    let pixels: f64 =
        digits.features.iter().map(|feature| column(&digits, &feature.name).iter().sum::<f64>()).sum();
    assert_eq!(pixels, 561_718.0);
    let diabetes = find("diabetes").load();
    assert_eq!(column(&diabetes, "age")[0], 59.0);
    let Target::Values(values) = diabetes.target else { panic!("not values") };
    assert_eq!((values[0], values.iter().sum::<f64>()), (151.0, 67_243.0));
}

#[test]
fn air_passengers_predicts_a_month_from_the_twelve_before() {
    let data = find("air-passengers").load();
    let Target::Values(values) = &data.target else { panic!("not values") };
    assert_eq!((values[0], values[131]), (115.0, 432.0));
    let first_year: Vec<f64> = (1..=12).rev().map(|lag| column(&data, &format!("lag_{lag}"))[0]).collect();
    assert_eq!(
        first_year,
        [112.0, 118.0, 132.0, 129.0, 121.0, 135.0, 148.0, 148.0, 136.0, 119.0, 104.0, 118.0]
    );
    assert_eq!(first_year.iter().sum::<f64>() + values.iter().sum::<f64>(), 40_363.0);
    // January 1950 to December 1960, in days since 1970.
    let times = data.times.as_deref().expect("a time axis");
    assert_eq!((times[0], times[131], times.len()), (-7305.0, -3318.0, 132));
}

#[test]
fn a_specification_goes_before_the_defaults() {
    let lags = |lags| DatasetSpec { lags: Some(lags), ..DatasetSpec::default() };
    let data = open("air-passengers", &lags(3)).expect("a data set");
    assert_eq!((data.rows(), data.features.len()), (141, 3));
    assert!(matches!(open("air-passengers", &lags(0)), Err(DataError::NoFeatures { .. })));
    let spec = DatasetSpec { ignore: vec!["month".to_owned()], ..DatasetSpec::default() };
    assert_eq!(open("air-passengers", &spec).expect("a data set").times.map(|times| times[0]), Some(12.0));
    let spec = DatasetSpec { target: Some("petal_width".to_owned()), ..DatasetSpec::default() };
    let data = open("iris", &spec).expect("a data set");
    assert_eq!((data.task(), data.features.len()), (Task::Regression, 4));
}

#[test]
fn a_path_is_never_a_built_in_name() {
    let spec = DatasetSpec::default();
    assert!(matches!(open("./digits", &spec), Err(DataError::Read(_))));
    assert!(matches!(open("digits.csv", &spec), Err(DataError::Read(_))));
    let Err(error) = open("digit", &spec) else { panic!("no such set") };
    assert!(error.to_string().contains("did you mean «digits»?"), "{error}");
}
