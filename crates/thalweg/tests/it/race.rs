//! `race`: the table, the page, the same bits, and what the theory says.

use serde_json::Value;

use crate::common::Folder;

/// The methods of the first course, as JSON.
fn methods(result: &Value) -> &Vec<Value> {
    result["courses"][0]["methods"].as_array().expect("methods")
}

fn method<'a>(result: &'a Value, name: &str) -> &'a Value {
    methods(result).iter().find(|method| method["optimizer"] == name).expect("it was raced")
}

#[test]
fn a_race_is_a_table_and_a_page() {
    let folder = Folder::new("race");
    let ran = folder.good("race");
    for word in [
        "Rosenbrock's valley",
        "optimizer",
        "steps to 1e−4",
        "path length",
        "What one sees",
        "Momentum",
        "rate:",
    ] {
        assert!(ran.out.contains(word), "no «{word}» in:\n{}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 132), "{}", ran.out);
    assert!(ran.err.contains("Picture: runs/race-rosenbrock.html"), "{}", ran.err);
    let page = folder.contents().remove(&folder.path().join("runs/race-rosenbrock.html")).expect("a page");
    let page = String::from_utf8(page).expect("text");
    assert!(page.contains("id=\"play\"") && page.contains("id=\"scrub\"") && page.contains("Momentum"));
    assert!(page.len() < 600_000, "{} bytes", page.len());
}

#[test]
fn equal_commands_give_equal_bits() {
    let folder = Folder::new("race-bits");
    let command = "race --function all --steps 200 --out deep/er/walks.html --format json --quiet";
    let read = || std::fs::read(folder.path().join("deep/er/walks.html")).expect("a page");
    let first = (folder.good(command).out, read());
    let second = (folder.good(command).out, read());
    assert_eq!(first, second);
    assert_eq!(folder.contents().len(), 3, "two folders and a page");
}

#[test]
fn every_format_has_every_method() {
    let folder = Folder::new("race-formats");
    let run = |format: &str| {
        let arguments = "race --function booth,saddle --optimizers sgd,nag --steps 100 --quiet --format";
        let ran = folder.good(&format!("{arguments} {format}"));
        assert_eq!(ran.err, "");
        ran.out
    };
    for format in ["table", "markdown"] {
        let text = run(format);
        for word in ["Booth's function", "Saddle with two valleys", "SGD", "NAG"] {
            assert!(text.contains(word), "--format {format}: no «{word}» in:\n{text}");
        }
    }
    let csv = run("csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    let named: Vec<[&str; 2]> = rows.iter().map(|row| [&row[0], &row[2]]).collect();
    assert_eq!(named.len(), 4);
    assert!(named.contains(&["booth", "sgd"]) && named.contains(&["saddle", "nag"]), "{named:?}");
    let json: Value = serde_json::from_str(&run("json")).expect("one JSON value");
    assert_eq!(json["courses"].as_array().map(Vec::len), Some(2));
    let sgd = method(&json, "sgd");
    let rank = methods(&json).iter().position(|method| method["optimizer"] == "sgd").expect("raced");
    let row = rows.iter().find(|row| &row[0] == "booth" && &row[2] == "sgd").expect("a row");
    assert_eq!(row[1].parse(), Ok(rank + 1));
    assert_eq!(row[7].parse::<f64>().ok(), sgd["chosen"]["final_value"].as_f64());
    assert_eq!(sgd["tried"].as_array().map(Vec::len), Some(21), "an equal budget");
}

/// On a quadratic, plain descent has a closed form: after k steps a coordinate is (1 − ηλ)ᵏ times the first.
#[test]
fn plain_descent_ends_where_the_closed_form_says() {
    let folder = Folder::new("race-closed");
    let result = folder.json("race --function quadratic --optimizers sgd --steps 50 --lr 0.015 --start 4,-2");
    let chosen = &method(&result, "sgd")["chosen"];
    let (x, y) = (4.0 * (1.0_f64 - 0.015).powi(50), -2.0 * (1.0_f64 - 1.5).powi(50));
    let number = |value: &Value| value.as_f64().expect("a number");
    assert!((number(&chosen["final_point"][0]) - x).abs() < 1e-12);
    assert!((number(&chosen["final_point"][1]) - y).abs() < 1e-12);
    assert!((number(&chosen["final_value"]) - 0.5 * (x * x + 100.0 * y * y)).abs() < 1e-12);
    // The first step leads half as far to the other side along the steep direction, and never beyond along the flat.
    assert!((number(&chosen["overshoot"]) - 0.5).abs() < 1e-12);
    assert_eq!(chosen["overshoot_flat"], 0.0);
    // A half to the power of nine is the last swing that is above a thousandth.
    assert_eq!(chosen["swings"], 9);
    assert!((number(&chosen["first_effective_rate"]) - 0.015).abs() < 1e-15);
    // At ten times the rate the steep coordinate grows 14-fold each step.
    assert!(method(&result, "sgd")["faster"]["diverged_at"].is_u64());
    assert!(method(&result, "sgd")["faster"]["final_value"].is_null());
}

#[test]
fn momentum_overshoots_and_nag_less() {
    let folder = Folder::new("race-momentum");
    for dialect in ["torch", "textbook"] {
        let result = folder.json(&format!(
            "race --function quadratic --optimizers momentum,nag --lr 0.005 --dialect {dialect}"
        ));
        let overshoot =
            |name: &str| method(&result, name)["chosen"]["overshoot"].as_f64().expect("it settles");
        let (momentum, nag) = (overshoot("momentum"), overshoot("nag"));
        assert!(momentum > 0.5 && nag < 0.7 * momentum, "{dialect}: {momentum} against {nag}");
    }
}

#[test]
fn adagrad_slows_while_sgd_does_not() {
    let folder = Folder::new("race-adagrad");
    let result = folder.json("race --function rosenbrock --optimizers adagrad,sgd --steps 500");
    let falls = |name: &str| {
        let along =
            method(&result, name)["chosen"]["effective_rates_along"].as_array().expect("x and y").clone();
        along
            .iter()
            .map(|pair| pair[1].as_f64().expect("it moves") / pair[0].as_f64().expect("it moves"))
            .collect::<Vec<_>>()
    };
    assert!(falls("adagrad").iter().all(|fall| *fall < 0.6), "{:?}", falls("adagrad"));
    assert!(falls("sgd").iter().all(|fall| (fall - 1.0).abs() < 1e-6), "{:?}", falls("sgd"));
}

#[test]
fn a_walk_on_the_ridge_ends_at_the_saddle() {
    let folder = Folder::new("race-ridge");
    let result = folder.json("race --function saddle --start -1.5,0 --steps 400 --optimizers sgd,momentum,nag,adagrad,adadelta,rmsprop,adam");
    for method in methods(&result) {
        assert_eq!(method["chosen"]["final_point"][1], 0.0, "{method:#}");
        assert!(method["chosen"]["steps_to_tolerance"].is_null());
    }
    let sentences = result["courses"][0]["sentences"].to_string();
    assert!(sentences.contains("at the saddle (0, 0)"), "{sentences}");
}

#[test]
fn a_method_that_diverges_at_every_rate_is_a_result() {
    let folder = Folder::new("race-lost");
    let ran = folder.good("race --function quadratic --optimizers sgd,adam --lr 5,7,9");
    assert!(ran.out.contains("diverged at"), "{}", ran.out);
    assert!(
        ran.out.lines().position(|line| line.contains("Adam"))
            < ran.out.lines().position(|line| line.contains("SGD"))
    );
}
