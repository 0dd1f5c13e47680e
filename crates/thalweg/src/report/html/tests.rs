//! The page is made from made-up trials, and asked for what a reader needs and for what must never be in it.

use thalweg_data::Task;
use thalweg_eval::Metric;
use thalweg_learn::train::{EpochRecord, StopReason};

use super::render;
use crate::study::spec::{LearningRates, StudySpec};
use crate::study::summary::{DataInfo, Protocol, StudyRecord};
use crate::study::{Role, Summary, TrialRecord};

/// A study that never ran.
struct Study {
    record: StudyRecord,
    trials: Vec<TrialRecord>,
}

/// How a made-up study differs from seven methods on five folds of a classification.
struct Shape {
    optimizers: Vec<String>,
    metric: Metric,
    folds: usize,
    repeats: usize,
    baseline: Option<f64>,
    /// The methods that diverge at every rate.
    broken: Vec<String>,
    epochs: u32,
}

impl Default for Shape {
    fn default() -> Self {
        let optimizers = StudySpec::default().optimizers;
        Self {
            optimizers,
            metric: Metric::Accuracy,
            folds: 5,
            repeats: 1,
            baseline: Some(0.1),
            broken: vec![],
            epochs: 40,
        }
    }
}

impl Shape {
    fn study(&self) -> Study {
        let record = self.record();
        let trials = (0..self.folds * self.repeats)
            .flat_map(|fold| (0..self.optimizers.len()).map(move |method| (fold, method)))
            .flat_map(|(fold, method)| self.trials(&record, fold, method))
            .collect();
        Study { record, trials }
    }

    fn record(&self) -> StudyRecord {
        let regression = self.metric.task() == Task::Regression;
        let all = self.folds * self.repeats;
        let learning_rates = LearningRates::default();
        StudyRecord {
            data: DataInfo {
                name: "made-up".to_owned(),
                rows: 1797,
                features: 64,
                task: self.metric.task(),
                target: "digit".to_owned(),
                classes: if regression { vec![] } else { (0..10).map(|class| class.to_string()).collect() },
                fingerprint: "b3f1c0ffee".to_owned(),
                warnings: vec!["Column «id» looks like an identifier.".to_owned()],
                inputs: 4,
                preparation: vec!["Column «flat» is constant in training.".to_owned()],
            },
            protocol: Protocol {
                methods: Vec::new(),
                left_out: Vec::new(),
                network: "mlp".to_owned(),
                schedule: "constant".to_owned(),
                wrap: Vec::new(),
                cv: if regression { "k-fold" } else { "stratified" }.to_owned(),
                folds: self.folds,
                repeats: self.repeats,
                gap: 0,
                train_rows: vec![1437; all],
                test_rows: vec![360; all],
                validation_rows: vec![287; all],
                test_over_train: 0.25,
                higher_is_better: self.metric.higher_is_better(),
                baseline: self.baseline,
                validation_baseline: self.baseline,
                init: "auto".to_owned(),
                learning_rates: learning_rates.values().to_vec(),
                loss: if regression { "mean-squared-error" } else { "cross-entropy" }.to_owned(),
                dialect: "torch".to_owned(),
                hidden: vec![64],
                activation: "relu".to_owned(),
                epochs: self.epochs,
                patience: 10,
                batch_size: "32".to_owned(),
                seed: 7,
                alpha: 0.05,
                cpu_level: "x86-64-v3".to_owned(),
                version: "0.1.0".to_owned(),
                command: "thalweg compare made-up --seed 7".to_owned(),
            },
            spec: StudySpec {
                optimizers: self.optimizers.clone(),
                metric: Some(self.metric),
                learning_rates,
                ..StudySpec::default()
            },
        }
    }

    /// The inner trials of one method in one fold, and its refit.
    fn trials(&self, study: &StudyRecord, fold: usize, method: usize) -> Vec<TrialRecord> {
        let broken = self.broken.contains(&self.optimizers[method]);
        let rates = &study.protocol.learning_rates;
        let best = 3 + (method + fold % 2) % 5;
        let inner = rates.iter().enumerate().map(|(index, &rate)| {
            let off = (index as f64 - best as f64) / 3.0;
            let quality = (0.985 - 0.004 * method as f64) * (-off * off).exp() + 0.003 * wave(fold + method);
            let diverged = broken || (method < 3 && index == 8) || (method == 3 && index == 8 && fold == 0);
            self.trial(Role::Inner, fold, method, rate, (!diverged).then_some(quality))
        });
        let mut trials: Vec<TrialRecord> = inner.collect();
        if !broken {
            let quality = 0.98 - 0.004 * method as f64 + 0.006 * wave(3 * fold + method);
            trials.push(self.trial(Role::Refit, fold, method, rates[best], Some(quality)));
        }
        trials
    }

    /// `quality` is near 0 for bad and near 1 for good; `None` diverged.
    fn trial(&self, role: Role, fold: usize, method: usize, rate: f64, quality: Option<f64>) -> TrialRecord {
        let score = |quality: f64| match self.metric {
            Metric::R2 => 1.0 - 3.0 * (1.0 - quality),
            metric if metric.higher_is_better() => quality,
            _ => 40.0 + 60.0 * (1.0 - quality),
        };
        let epochs = if quality.is_some() { self.epochs - (fold % 3) as u32 } else { 1 };
        let loss = |epoch: u32, floor: f64| floor + 2.3 * (-f64::from(epoch) / (4.0 + method as f64)).exp();
        let history = (0..epochs).map(|epoch| EpochRecord {
            train_loss: if quality.is_some() { loss(epoch, 0.004) } else { f64::NAN },
            valid_loss: (quality.is_some() && role == Role::Inner)
                .then(|| loss(epoch, 0.08 + 0.01 * wave(fold))),
            valid_cost: None,
        });
        let inner = role == Role::Inner;
        TrialRecord {
            key: format!("{role:?}-{fold}-{method}-{rate}"),
            fold,
            method: self.optimizers[method].clone(),
            strength: None,
            role,
            learning_rate: rate,
            stop: if quality.is_some() {
                StopReason::EarlyStopped
            } else {
                StopReason::Diverged { step: 17 }
            },
            epoch: quality.map(|_| epochs.saturating_sub(5).max(1)),
            epochs,
            steps: u64::from(epochs) * 45,
            valid_score: quality.filter(|_| inner).map(score),
            valid_loss: quality.filter(|_| inner).map(|quality| 1.0 - quality),
            train_score: quality.filter(|_| !inner).map(|quality| score(quality + 0.015)),
            test_score: quality.filter(|_| !inner).map(score),
            history: history.collect(),
            seconds: 0.21,
        }
    }
}

/// Something between −1 and 1.
fn wave(number: usize) -> f64 {
    (number as f64 * 1.7).sin()
}

impl Study {
    fn summary(&self) -> Summary {
        Summary::new(&self.record, &self.trials)
    }

    fn page(&self) -> String {
        render(&self.summary(), &self.trials).unwrap()
    }
}

/// The page without the script that draws the charts, which is not ours.
fn without_plotly(page: &str) -> String {
    page.replace(&super::charts::plotly_script(), "")
}

/// What the browser would take as the page's scripts' and data's text, in order.
fn scripts(page: &str) -> Vec<&str> {
    let parts = page.split("<script").skip(1);
    parts.map(|part| part.split_once('>').unwrap().1.split("</script").next().unwrap()).collect()
}

fn chart_specs(page: &str) -> Vec<serde_json::Value> {
    let data = page.split("<script type=\"application/json\"").skip(1);
    data.map(|part| part.split_once('>').unwrap().1.split("</script>").next().unwrap())
        .map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

#[test]
fn the_page_tells_what_the_summary_says() {
    let study = Shape::default().study();
    let summary = study.summary();
    let page = without_plotly(&study.page());
    for sentence in
        summary.verdict.sentences.iter().chain(&summary.verdict.cautions).chain(&summary.data.warnings)
    {
        assert!(
            page.contains(&askama::filters::escape(sentence, askama::filters::Html).unwrap().to_string()),
            "{sentence}"
        );
    }
    for method in &summary.ranking {
        for number in [method.score.mean, method.score.low, method.score.high, method.train_score] {
            let number = crate::study::verdict::score_text(number.unwrap());
            assert!(page.contains(&number), "{}: {number}", method.method);
        }
    }
    for fact in [
        "1\u{202f}797 rows × 64 features",
        "10 classes",
        "accuracy (higher is better)",
        "thalweg compare made-up --seed 7",
        "b3f1c0ffee",
        "torch.optim.",
        "Nadeau",
        "Holm",
        "Bonferroni",
        "x86-64-v3",
        "seed 7",
        "running mean",
        "To use the winner in PyTorch",
    ] {
        assert!(page.contains(fact), "{fact}");
    }
}

#[test]
fn sections_come_in_the_order_of_a_reader() {
    let page = Shape::default().study().page();
    let headings = [
        ">Verdict<",
        ">Methods, best first<",
        ">Scores and their intervals<",
        ">How much the learning rate matters<",
        ">Learning curves<",
        ">Every outer fold<",
        ">The protocol in words<",
        ">To use the winner in PyTorch<",
    ];
    let places: Vec<usize> = headings.iter().map(|heading| page.find(heading).expect(heading)).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = Shape::default().study().page();
    assert!(page.contains("default-src 'none'"));
    let own = without_plotly(&page);
    assert!(own.len() < page.len() / 2, "the drawing script is inside the page");
    for loader in [" src=", " href=", "http://", "https://", "@import", "url(", "fetch(", "XMLHttpRequest"] {
        assert!(!own.contains(loader), "{loader}");
    }
    // Nor does the other script, for formulas, come along.
    assert!(!page.contains("MathJax.loader"));
    assert!(page.len() < 5_200_000, "{} bytes", page.len());
}

#[test]
fn what_a_file_brings_along_stays_text() {
    let attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'><!--";
    let mut study =
        Shape { optimizers: vec!["adam".to_owned(), attack.to_owned()], ..Shape::default() }.study();
    let data = &mut study.record.data;
    data.name = attack.to_owned();
    data.target = attack.to_owned();
    data.classes = vec![attack.to_owned(); 2];
    data.warnings = vec![attack.to_owned()];
    data.fingerprint = attack.to_owned();
    let protocol = &mut study.record.protocol;
    protocol.command = attack.to_owned();
    protocol.loss = attack.to_owned();
    protocol.cv = attack.to_owned();
    let page = without_plotly(&study.page());
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains("<!--"));
    let harmless = without_plotly(
        &Shape { optimizers: vec!["adam".to_owned(), "sgd".to_owned()], ..Shape::default() }.study().page(),
    );
    assert_eq!(scripts(&page).len(), scripts(&harmless).len(), "as many scripts as without the attack");
    // In the charts, which read a little HTML, the name is escaped once more.
    for chart in chart_specs(&page) {
        let text = chart.to_string();
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
    }
}

#[test]
fn no_number_is_missing_or_endless() {
    let shapes = [
        Shape { folds: 1, ..Shape::default() },
        Shape { broken: vec!["adam".to_owned()], ..Shape::default() },
        Shape { broken: StudySpec::default().optimizers, ..Shape::default() },
        Shape { metric: Metric::Rmse, baseline: Some(77.0), ..Shape::default() },
        Shape { metric: Metric::R2, baseline: Some(-0.01), ..Shape::default() },
        Shape { baseline: None, ..Shape::default() },
        Shape { optimizers: vec!["sgd".to_owned()], ..Shape::default() },
        Shape { optimizers: (0..30).map(|n| format!("method-{n}")).collect(), ..Shape::default() },
        Shape { repeats: 3, epochs: 500, ..Shape::default() },
    ];
    for shape in shapes {
        let page = without_plotly(&shape.study().page());
        let text = page.replace("ended in NaN", "").replace("become NaN", "").replace("became NaN", "");
        assert!(!text.contains("NaN") && !text.contains(">inf"), "{} methods", shape.optimizers.len());
        let charts = chart_specs(&page);
        let curves = shape.optimizers.len() - shape.broken.len();
        assert_eq!(charts.len(), 2 + curves);
        for chart in charts {
            for trace in chart["data"].as_array().unwrap() {
                let (x, y) = (trace["x"].as_array().unwrap(), trace["y"].as_array().unwrap());
                assert_eq!(x.len(), y.len());
                assert!(x.iter().all(serde_json::Value::is_number));
            }
            for axis in ["xaxis", "yaxis"] {
                let range = chart["layout"][axis]["range"].as_array().unwrap();
                assert!(range[0].as_f64().unwrap() < range[1].as_f64().unwrap(), "{axis}: {range:?}");
            }
        }
    }
}

#[test]
fn a_method_that_diverged_everywhere_is_told() {
    let study = Shape { broken: vec!["adam".to_owned()], ..Shape::default() }.study();
    let page = without_plotly(&study.page());
    for fact in
        ["did not finish", "no score in 5 of 5 folds", "No learning curve", "every learning rate diverged"]
    {
        assert!(page.contains(fact), "{fact}");
    }
    let charts = chart_specs(&page);
    let crosses = |trace: &&serde_json::Value| trace["marker"]["symbol"] == "x-thin-open";
    let adam = charts[1]["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(crosses)
        .map(|trace| trace["x"].as_array().unwrap().len());
    assert_eq!(adam.max(), Some(9), "a cross for each of the nine rates");
}

#[test]
fn the_curves_are_those_of_the_chosen_rates() {
    let mut study = Shape { optimizers: vec!["sgd".to_owned()], folds: 3, ..Shape::default() }.study();
    let chosen: Vec<f64> = study
        .trials
        .iter()
        .filter(|trial| trial.role == Role::Refit)
        .map(|trial| trial.learning_rate)
        .collect();
    for trial in &mut study.trials {
        let loss =
            if trial.learning_rate == chosen[trial.fold] && trial.role == Role::Inner { 0.5 } else { 99.0 };
        trial.history.iter_mut().for_each(|epoch| epoch.train_loss = loss);
    }
    let charts = chart_specs(&study.page());
    let training = charts[2]["data"][2]["y"].as_array().unwrap();
    // Folds train for 40, 39 and 38 epochs: at the last one only one of three does, so there is no median.
    assert_eq!(training.len(), 40);
    assert!(training[..39].iter().all(|loss| loss == 0.5) && training[39].is_null(), "{training:?}");
}

#[test]
fn time_series_and_textbook_say_so() {
    let mut study = Shape { metric: Metric::Rmse, baseline: Some(77.0), ..Shape::default() }.study();
    study.record.protocol.cv = "time-series".to_owned();
    study.record.protocol.gap = 2;
    study.record.protocol.dialect = "textbook".to_owned();
    let page = without_plotly(&study.page());
    for fact in
        ["scored on what follows", "2 rows between past and future", "dialect textbook", "lower is better"]
    {
        assert!(page.contains(fact), "{fact}");
    }
    assert!(!page.contains("To use the winner in PyTorch"));
}

/// Writes sample pages into the folder `THALWEG_SAMPLES`, to be looked at, and tells how long each took.
#[test]
#[ignore = "writes files for a person to look at"]
fn sample_pages() {
    let folder = std::path::PathBuf::from(std::env::var_os("THALWEG_SAMPLES").expect("THALWEG_SAMPLES"));
    let names = |count: usize| (0..count).map(|n| format!("a-very-long-method-name-{n}")).collect();
    let shapes = [
        ("seven", Shape::default()),
        ("broken", Shape { broken: vec!["adam".to_owned(), "nag".to_owned()], ..Shape::default() }),
        ("rmse", Shape { metric: Metric::Rmse, baseline: Some(77.0), repeats: 4, ..Shape::default() }),
        ("r2", Shape { metric: Metric::R2, baseline: Some(-0.01), ..Shape::default() }),
        ("one", Shape { optimizers: vec!["adam".to_owned()], folds: 1, baseline: None, ..Shape::default() }),
        ("thirty", Shape { optimizers: names(30), folds: 10, epochs: 400, ..Shape::default() }),
    ];
    for (name, shape) in shapes {
        let study = shape.study();
        let summary = study.summary();
        let start = std::time::Instant::now();
        let page = render(&summary, &study.trials).unwrap();
        println!("{name}: {} bytes in {:?}", page.len(), start.elapsed());
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}
