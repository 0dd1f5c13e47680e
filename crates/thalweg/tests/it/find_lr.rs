//! `find-lr` in working order: formats, settings, the page, and what may not matter.

use serde_json::Value;

use crate::common::Folder;

fn rate(found: &Value, which: &str) -> f64 {
    found["suggestions"][which].as_f64().unwrap_or_else(|| panic!("{which} in {}", found["suggestions"]))
}

#[test]
fn real_data_get_rates_that_train() {
    let folder = Folder::new("find-lr");
    for (data, optimizer, low, high) in
        [("digits", "adam", 1e-3, 3e-2), ("digits", "sgd", 1e-2, 1.0), ("wine", "sgd", 3e-3, 0.5)]
    {
        let found = folder.json(&format!("find-lr {data} --optimizer {optimizer}"));
        let (steepest, tenth) = (rate(&found, "steepest_descent"), rate(&found, "minimum_over_10"));
        assert!((low..high).contains(&steepest) && (low..high).contains(&tenth), "{data} {steepest} {tenth}");
        let points = found["points"].as_array().expect("points");
        assert_eq!(found["stop"], "grew");
        assert!(points.len() > 100 && points.len() < 200);
        // The rates that compare would choose from score far better than the constant prediction.
        let study = folder.json(&format!(
            "compare {data} --optimizers {optimizer} --learning-rates {steepest} --folds 3 --epochs 10 --out {data}"
        ));
        let score = study["ranking"][0]["score"]["mean"].as_f64().expect("a mean");
        assert!(score > 0.9, "{data} {optimizer} at {steepest}: {score}");
    }
}

#[test]
fn every_format_says_the_same_and_the_page_stands_alone() {
    let folder = Folder::new("find-lr-formats");
    let found = folder.json("find-lr wine --steps 120 --seed 3");
    let again = folder.json("find-lr wine --steps 120 --seed 3 --out elsewhere");
    assert_eq!(found, again, "equal seeds, equal bits");
    assert_ne!(found, folder.json("find-lr wine --steps 120 --seed 4 --out o"));
    let table = folder.good("find-lr wine --steps 120 --seed 3");
    for word in
        ["wine: learning-rate range test of Adam", "steepest descent", "Minimum / 10", "--learning-rates"]
    {
        assert!(table.out.contains(word), "no «{word}» in:\n{}", table.out);
    }
    assert!(table.err.contains("Page: runs/wine/find-lr-adam.html"), "{}", table.err);
    let markdown = folder.good("find-lr wine --steps 120 --seed 3 --format markdown").out;
    assert!(markdown.starts_with("# wine") && markdown.contains("- Steepest descent"), "{markdown}");
    let csv_text = folder.good("find-lr wine --steps 120 --seed 3 --format csv --quiet").out;
    let points = found["points"].as_array().expect("points");
    assert_eq!(csv_text.lines().count(), points.len() + 1);
    for (line, point) in csv_text.lines().skip(1).zip(points) {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        assert_eq!(Some(cells[1]), point["learning_rate"].as_f64());
        assert_eq!(Some(cells[3]), point["smoothed"].as_f64());
    }
    let page = std::fs::read_to_string(folder.path().join("runs/wine/find-lr-adam.html")).expect("a page");
    assert!(page.contains("Content-Security-Policy") && page.contains("steepest descent:"));
    // Its own part; behind it comes the script that draws the chart.
    let (own, script) = page.split_once("<footer>").expect("a footer");
    assert!(!own.contains("://") && script.contains("plotly.js"), "it opens offline");
    let command = found["command"].as_str().expect("a command");
    assert_eq!(command, "thalweg find-lr wine --seed 3 --optimizer adam --steps 120");
}

#[test]
fn it_takes_the_settings_of_a_comparison_and_sees_its_training_rows_only() {
    let folder = Folder::new("find-lr-config");
    folder.write(
        "s.toml",
        "data = \"iris\"\noptimizers = [\"sgd\"]\nlearning-rates = [0.1]\nhidden = 8\nfolds = 3\nseed = 5\n\
         schedule = \"cosine\"\nepochs = 4\nquiet = true\n",
    );
    let file = folder.json("find-lr --config s.toml --out file");
    let flags = folder.json("find-lr iris --hidden 8 --folds 3 --seed 5 --out flags");
    assert_eq!(file, flags);
    let study = folder.json("compare --config s.toml --out study");
    let fold = |key: &str| study["protocol"][key][0].as_u64().expect("rows");
    assert_eq!(file["train_rows"].as_u64(), Some(fold("train_rows") - fold("validation_rows")));
}

#[test]
fn a_range_without_a_fall_suggests_nothing() {
    let folder = Folder::new("find-lr-flat");
    let ran = folder.good("find-lr diabetes --optimizer sgd --from 100 --to 1000");
    assert!(ran.out.contains("None: the smoothed loss fell nowhere"), "{}", ran.out);
}
