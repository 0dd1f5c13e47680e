//! Images from files and from columns, and what a preparation makes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thalweg_data::{
    ArrayColumn, DataError, Dataset, DatasetSpec, FeatureColumn, Form, ImageShape, Images, Pixels,
    Preparation, Split, Target, Targets, TrainView, View, builtin, open, open_images,
};

#[derive(Deserialize)]
struct Golden {
    train_rows: u32,
    images: BTreeMap<String, Scaled>,
    table: FirstRow,
}

#[derive(Deserialize)]
struct Scaled {
    mean: Vec<f64>,
    std: Vec<f64>,
    x: Vec<f64>,
}

#[derive(Deserialize)]
struct FirstRow {
    first_row: Vec<f64>,
    y: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../goldens/images.json")).expect("a golden file")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens")
}

fn npy(name: &str, spec: &str) -> Result<Dataset, DataError> {
    open(&folder().join(format!("{name}.npy")).display().to_string(), &crate::spec(spec))
}

fn shape(height: usize, width: usize, channels: usize) -> ImageShape {
    ImageShape { height, width, channels }
}

/// The first rows to train on, the others to test on.
fn split(data: &Dataset, train: u32) -> Split {
    let rows = data.rows() as u32;
    Split::new(data.rows(), (0..train).collect(), (train..rows).collect())
}

#[test]
fn what_numpy_writes_is_read() {
    let grey = npy("x_grey", r#"{"task": "classification"}"#).expect("images");
    assert_eq!((grey.image_shape(), grey.rows(), grey.inputs()), (Some(shape(3, 4, 1)), 12, 12));
    assert_eq!((grey.name.as_str(), grey.target_name.as_str()), ("x_grey", "label"));
    assert_eq!(grey.class_names(), ["0", "1", "2"]);
    assert!(matches!(&grey.images, Some(Images { pixels: Pixels::Bytes(bytes), .. }) if bytes.len() == 144));
    let colour = npy("x_colour", "{}").expect("images");
    assert_eq!(colour.image_shape(), Some(shape(2, 3, 3)));
    assert_eq!(colour.class_names(), ["cat", "dog", "Ölfass"]);
    let gaps = npy("x_gaps", r#"{"target": "late"}"#).expect("images");
    assert_eq!(
        (gaps.class_names(), gaps.target_name.as_str()),
        (&["false".into(), "true".into()][..], "late")
    );
    let (table, expected) = (npy("x_table", "{}").expect("a table"), golden().table);
    assert_eq!((table.features.len(), &table.images, table.target_name.as_str()), (12, &None, "y"));
    let Target::Values(y) = &table.target else { panic!("not numbers") };
    assert!(y.iter().zip(&expected.y).all(|(ours, theirs)| (ours - theirs).abs() < 1e-9));
    for (feature, expected) in table.features.iter().zip(expected.first_row) {
        let FeatureColumn::Numbers(values) = &feature.column else { panic!("not numbers") };
        assert!((values[0] - expected).abs() < 1e-9, "{}", feature.name);
    }
}

#[test]
fn every_pixel_is_that_of_scikit_learn() {
    let golden = golden();
    let rgb = format!(r#"{{"labels": {:?}}}"#, folder().join("y_colour.npy").display().to_string());
    for (name, spec) in [
        ("x_grey", r#"{"task": "classification"}"#),
        ("x_rgb", &rgb),
        ("x_colour", "{}"),
        ("x_gaps", "{}"),
        // One block from two dimensions, and one from columns.
        ("x_table", r#"{"image": "3x2x2"}"#),
    ] {
        let data = npy(name, spec).expect(name);
        let expected = &golden.images[name];
        check(&data, expected, golden.train_rows, name);
    }
    let table = npy("x_table", "{}").expect("a table");
    let columns = Images { shape: shape(3, 2, 2), pixels: Pixels::Columns };
    check(
        &Dataset { images: Some(columns), ..table },
        &golden.images["x_table"],
        golden.train_rows,
        "columns",
    );
}

fn check(data: &Dataset, expected: &Scaled, train_rows: u32, name: &str) {
    let split = split(data, train_rows);
    let (train, test) = split.views(data);
    let fitted = Preparation::fit_as(&train, Form::Images).expect("images");
    assert_eq!((fitted.shape(), fitted.form()), (data.image_shape(), Form::Images), "{name}");
    let json: serde_json::Value = serde_json::to_value(&fitted).expect("JSON");
    for (channel, (mean, std)) in expected.mean.iter().zip(&expected.std).enumerate() {
        let ours = |key: &str| json["pixels"]["channels"][channel][key].as_f64().expect("a number");
        assert!((ours("mean") - mean).abs() <= 1e-8 * mean.abs().max(1.0), "{name}: {}", ours("mean"));
        assert!((ours("std") - std).abs() <= 1e-8 * std, "{name}: {}", ours("std"));
    }
    let both = [fitted.apply(&train), fitted.apply(&test)];
    assert_eq!((both[0].shape, both[0].width), (data.image_shape(), fitted.width()), "{name}");
    let x: Vec<f32> = both.iter().flat_map(|prepared| &prepared.x).copied().collect();
    assert_eq!(x.len(), expected.x.len(), "{name}");
    for (at, (ours, theirs)) in x.iter().zip(&expected.x).enumerate() {
        assert!(
            (f64::from(*ours) - theirs).abs() <= 1e-6 * theirs.abs().max(1.0),
            "{name}, {at}: {ours} for {theirs}"
        );
    }
    // A block as a table is the same, flattened, and a saved preparation too.
    if data.features.is_empty() {
        let table = Preparation::fit(&train);
        assert_eq!((table.apply(&test).x, table.apply(&test).shape), (both[1].x.clone(), None), "{name}");
        assert_eq!(table.feature_names().len(), table.width());
    }
    let saved = serde_json::to_string(&fitted).expect("JSON");
    assert_eq!(serde_json::from_str::<Preparation>(&saved).expect("a preparation").apply(&test), both[1]);
}

#[test]
fn files_that_do_not_fit_together_are_refused() {
    let grey = folder().join("y_grey.npy").display().to_string();
    for (name, spec, words) in [
        ("x_fortran", format!(r#"{{"labels": {grey:?}}}"#), &["x_fortran.npy", "Fortran order"][..]),
        ("x_fortran", "{}".to_owned(), &["Fortran order"]),
        ("y_grey", "{}".to_owned(), &["which file has its labels", "--labels"]),
        ("y_grey", format!(r#"{{"labels": {grey:?}}}"#), &["an array of 12;", "rows × height × width"]),
        ("x_table", r#"{"image": "3x3"}"#.to_owned(), &["3x3x1 has 9 pixels", "there are 12 columns"]),
        ("x_grey", r#"{"image": "4x3"}"#.to_owned(), &["are 3x4x1, not 4x3x1"]),
        ("x_grey", r#"{"lags": 2}"#.to_owned(), &["holds images", "leave --lags out"]),
        ("x_grey", r#"{"ignore": ["a"]}"#.to_owned(), &["leave --ignore out"]),
        ("x_grey", r#"{"labels": "none.npy"}"#.to_owned(), &["no file «none.npy»"]),
        ("x_none", "{}".to_owned(), &["there is no file", "x_none.npy"]),
    ] {
        let error = npy(name, &spec).expect_err(name).to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{name}: no «{word}» in: {error}"));
    }
}

fn block(rows: usize, pixels: Pixels) -> Result<Dataset, DataError> {
    let labels = ArrayColumn::Texts((0..rows).map(|row| Some(["a", "b"][row % 2].to_owned())).collect());
    let spec = DatasetSpec::default();
    Dataset::from_images("made", Images { shape: shape(2, 1, 1), pixels }, labels, &spec)
}

#[test]
fn what_is_no_block_of_images_is_refused() {
    let refused = |rows, pixels| block(rows, pixels).expect_err("no images").to_string();
    assert!(refused(2, Pixels::Bytes(vec![1, 2, 3])).contains("not a whole number"));
    assert!(refused(2, Pixels::Columns).contains("not a whole number"));
    assert!(refused(3, Pixels::Bytes(vec![1; 4])).contains("made has 2 images, but the labels has 3 labels"));
    assert!(
        refused(0, Pixels::Bytes(vec![])).contains("at least one"),
        "{}",
        refused(0, Pixels::Bytes(vec![]))
    );
    assert!(refused(1, Pixels::Bytes(vec![1, 2])).contains("is «a» in every row"));
    let error = refused(2, Pixels::Numbers(vec![0.0, f32::NAN, 1.0, f32::NEG_INFINITY]));
    assert!(error.contains("image 1 (counted from 0) is -inf"), "{error}");
}

#[test]
fn constant_and_empty_channels_become_zeros() {
    for pixels in
        [Pixels::Bytes(vec![9; 4]), Pixels::Numbers(vec![9.5; 4]), Pixels::Numbers(vec![f32::NAN; 4])]
    {
        let data = block(2, pixels).expect("images");
        let train = TrainView::all(&data);
        let fitted = Preparation::fit_as(&train, Form::Images).expect("images");
        assert_eq!(fitted.apply(&train).x, [0.0; 4]);
        assert_eq!(fitted.notes().len(), 1);
    }
}

#[test]
fn rows_without_a_label_are_dropped_with_their_pixels() {
    let labels = ["a", "", "b"].map(|text| (!text.is_empty()).then(|| text.to_owned())).to_vec();
    let images = Images { shape: shape(1, 2, 1), pixels: Pixels::Bytes(vec![0, 1, 2, 3, 4, 5]) };
    let spec = DatasetSpec::default();
    let data = Dataset::from_images("made", images, ArrayColumn::Texts(labels), &spec).expect("images");
    assert_eq!(data.images.map(|images| images.pixels), Some(Pixels::Bytes(vec![0, 1, 4, 5])));
    assert!(data.warnings[0].contains("1 row has no value"), "{:?}", data.warnings);
}

#[test]
fn test_pixels_never_reach_the_fit() {
    let bits = |pixels: Vec<u8>| {
        let data = block(4, Pixels::Bytes(pixels)).expect("images");
        let fitted = Preparation::fit_as(&split(&data, 2).views(&data).0, Form::Images).expect("images");
        serde_json::to_string(&fitted).expect("JSON")
    };
    assert_eq!(bits(vec![1, 2, 3, 4, 5, 6, 7, 8]), bits(vec![1, 2, 3, 4, 255, 0, 1, 99]));
    assert_ne!(bits(vec![1, 2, 3, 4, 5, 6, 7, 8]), bits(vec![1, 2, 3, 5, 5, 6, 7, 8]));
}

#[test]
fn digits_are_images_as_well() {
    let digits = builtin::find("digits").expect("a set").load();
    assert_eq!(digits.image_shape(), Some(shape(8, 8, 1)));
    let split = split(&digits, 1000);
    let (train, test) = split.views(&digits);
    let table = Preparation::fit(&train);
    assert!(table.width() < 64, "a table drops the pixels that are constant");
    let images = Preparation::fit_as(&train, Form::Images).expect("images");
    let prepared = images.apply(&test);
    assert_eq!((images.width(), prepared.x.len(), prepared.shape), (64, 797 * 64, Some(shape(8, 8, 1))));
    // One scale for all: equal greys stay equal, and the order of the columns is kept.
    let raw: Vec<f64> = digits
        .features
        .iter()
        .map(|feature| match &feature.column {
            FeatureColumn::Numbers(values) => values[test.rows()[0] as usize],
            FeatureColumn::Categories { .. } => f64::NAN,
        })
        .collect();
    let black = prepared.x[0];
    for (at, (&raw, &x)) in raw.iter().zip(&prepared.x).enumerate() {
        assert_eq!(x == black, raw == 0.0, "pixel {at}");
    }
    // Without a column they are none.
    let spec = crate::spec(r#"{"ignore": ["pixel_0_0"]}"#);
    let cut = open("digits", &spec);
    assert!(matches!(&cut, Ok(data) if data.image_shape().is_none()), "{cut:?}");
}

#[test]
fn a_table_has_no_image_form() {
    let iris = builtin::find("iris").expect("a set").load();
    let error = Preparation::fit_as(&TrainView::all(&iris), Form::Images).expect_err("no images").to_string();
    assert!(error.contains("iris is no set of images") && error.contains("--image 28x28"), "{error}");
}

#[test]
fn a_regression_on_images_standardizes_its_target() {
    let images = Images { shape: shape(1, 1, 1), pixels: Pixels::Bytes(vec![0, 1, 2]) };
    let labels = ArrayColumn::Numbers(vec![1.5, 2.5, 6.5]);
    let data = Dataset::from_images("made", images, labels, &DatasetSpec::default()).expect("images");
    let train = TrainView::all(&data);
    let fitted = Preparation::fit_as(&train, Form::Images).expect("images");
    let Targets::Values { raw, scaled } = fitted.apply(&train).y else { panic!("not numbers") };
    assert_eq!(raw, [1.5, 2.5, 6.5]);
    assert!(scaled.iter().sum::<f32>().abs() < 1e-6);
    assert!((fitted.restore_target(scaled[2]) - 6.5).abs() < 1e-6);
}

#[test]
fn new_images_are_prepared_like_the_old() {
    let data = npy("x_colour", "{}").expect("images");
    let train = TrainView::all(&data);
    let images = data.images.as_ref().expect("images");
    for form in [Form::Images, Form::Table] {
        let fitted = Preparation::fit_as(&train, form).expect("images");
        let (new, old) = (fitted.apply_images("new", images).expect("images"), fitted.apply(&train));
        assert_eq!((new.x, new.rows, new.width, new.shape), (old.x, old.rows, old.width, old.shape));
        let other = Images { shape: shape(3, 2, 3), ..images.clone() };
        let error = fitted.apply_images("new", &other).expect_err("another shape").to_string();
        assert!(error.contains("new: its images are 3x2x3, not 2x3x3"), "{error}");
    }
    assert_eq!(data.schema().image, Some(shape(2, 3, 3)));
}

#[test]
fn new_images_need_no_labels() {
    let path = |name: &str| folder().join(name);
    let new = |name: &str, shape| open_images(&path(name), shape, None);
    let colour = new("x_colour.npy", shape(2, 3, 3)).expect("images");
    assert_eq!((Some(colour.images), colour.files), (npy("x_colour", "{}").expect("images").images, vec![]));
    let flat = new("x_table.npy", shape(3, 2, 2)).expect("images").images;
    assert_eq!((flat.shape, flat.rows()), (shape(3, 2, 2), Some(12)));
    let error = new("x_table.npy", shape(2, 2, 2)).expect_err("12 columns").to_string();
    assert!(error.contains("2x2x2 has 8 pixels, but there are 12 columns"), "{error}");
    let error = new("images.json", shape(2, 2, 2)).expect_err("no images").to_string();
    assert!(error.contains("is no IDX file of images"), "{error}");
}

#[test]
fn tables_and_images_are_not_taken_for_each_other() {
    let iris = builtin::find("iris").expect("a set").load();
    let colour = npy("x_colour", "{}").expect("images");
    let of_table = Preparation::fit(&TrainView::all(&iris));
    let of_images = Preparation::fit(&TrainView::all(&colour));
    let error = of_table.apply_images("new", colour.images.as_ref().expect("images")).expect_err("images");
    assert!(
        error.to_string().contains("new holds images, but the model was trained on the columns"),
        "{error}"
    );
    let table = iris.schema().parse("new.csv", b"a\n1\n".to_vec()).expect("a table");
    let error = of_images.apply_table(&table, &colour.schema()).expect_err("a table").to_string();
    assert!(error.contains("new.csv holds a table, but the model was trained on images of 2x3x3"), "{error}");
}

#[test]
fn fashion_mnist_is_read_or_says_how_to_get_it() {
    let Ok(data) = open("fashion-mnist-test", &DatasetSpec::default()).map_err(|error| {
        assert!(error.to_string().contains("sudo apt install dataset-fashion-mnist"), "{error}");
    }) else {
        return;
    };
    assert_eq!((data.rows(), data.image_shape(), data.inputs()), (10_000, Some(shape(28, 28, 1)), 784));
    assert_eq!(
        (&data.class_names()[0], &data.class_names()[9]),
        (&"T-shirt/top".into(), &"Ankle boot".into())
    );
    let Target::Classes { codes, .. } = &data.target else { panic!("not classes") };
    assert_eq!(codes[..5], [9, 2, 1, 1, 6]);
    assert!((0..10).all(|class| codes.iter().filter(|&&code| code == class).count() == 1_000));
    let Some(Images { pixels: Pixels::Bytes(bytes), .. }) = &data.images else { panic!("not bytes") };
    // The published mean of the test images is 0.2868 of 255.
    let mean = bytes.iter().map(|&byte| f64::from(byte)).sum::<f64>() / bytes.len() as f64 / 255.0;
    assert!((mean - 0.2868).abs() < 1e-4, "{mean}");
}
