//! One network in one way: every contender's turns become a table, and the ratios are taken within a repeat.

use serde_json::{Value, json};

use super::plan::{Contender, Network, Part, Way};
use super::rival::Turn;
use crate::bench::optim::median;

/// A contender's turns, one a repeat: trials that run at once are one turn.
pub(super) struct Row {
    pub(super) contender: &'static Contender,
    pub(super) ready: Value,
    pub(super) turns: Vec<Turn>,
}

/// What trials that ran at once gave together: their samples add up, their steps last as long as on average.
pub(super) fn together(trials: &[Turn]) -> Turn {
    Turn {
        samples_per_second: trials.iter().map(|turn| turn.samples_per_second).sum(),
        step_us: trials.iter().map(|turn| turn.step_us).sum::<f64>() / trials.len() as f64,
    }
}

/// The table. `absent` are contenders that could not, and why.
pub(super) fn table(
    network: &Network,
    way: &Way,
    rows: &[Row],
    absent: &[(&'static Contender, String)],
) -> Value {
    let own = fastest(rows, Part::Own);
    let measure = fastest(rows, Part::Measure);
    let times = own.zip(measure).map(|(own, rival)| ratios(own, rival));
    let asked = way.asked(network);
    let rows_out: Vec<Value> = rows
        .iter()
        .map(|row| {
            let steps: Vec<f64> = row.turns.iter().map(|turn| turn.step_us).collect();
            json!({
                "contender": row.contender.name,
                "version": row.ready["version"],
                "samples_per_second": median_of(&speeds(row)),
                "samples_per_second_range": range(&speeds(row)),
                "step_us": median_of(&steps),
                "times_as_fast_is_thalweg": own.map(|own| median_of(&ratios(own, row))),
            })
        })
        .collect();
    let absent: Vec<Value> =
        absent.iter().map(|(who, why)| json!({"contender": who.name, "why": why})).collect();
    json!({
        "network": network.name, "title": network.title, "way": way.title, "threads": way.threads,
        "asked": asked, "own": own.map(|row| row.contender.name), "measured_against": measure.map(|row| row.contender.name),
        "times_pytorch": times.as_deref().map(median_of),
        "times_pytorch_range": times.as_deref().map(range),
        "met": times.as_deref().map(|times| median_of(times) >= asked),
        "rows": rows_out, "absent": absent,
    })
}

fn fastest(rows: &[Row], part: Part) -> Option<&Row> {
    let speed = |row: &&Row| median_of(&speeds(row));
    rows.iter().filter(|row| row.contender.part == part).max_by(|a, b| speed(a).total_cmp(&speed(b)))
}

fn speeds(row: &Row) -> Vec<f64> {
    row.turns.iter().map(|turn| turn.samples_per_second).collect()
}

/// One's speed over another's, repeat by repeat.
fn ratios(own: &Row, rival: &Row) -> Vec<f64> {
    speeds(own).iter().zip(speeds(rival)).map(|(own, rival)| own / rival).collect()
}

fn median_of(values: &[f64]) -> f64 {
    median(values.to_vec()).unwrap_or(f64::NAN)
}

fn range(values: &[f64]) -> [f64; 2] {
    let fold = |f: fn(f64, f64) -> f64| values.iter().copied().reduce(f).unwrap_or(f64::NAN);
    [fold(f64::min), fold(f64::max)]
}

/// At best 3/4 of the made-up rows are right, for half of the pairs have two classes; at chance 1/2 or 1/10.
const ACCURACY_MIN: f64 = 0.6;
/// A start may lose half or twice as much as chance.
const START_FACTOR: f64 = 2.0;

/// Whether a contender learns what the others learn, before it is timed.
///
/// # Errors
/// What is not as expected, in words.
pub(super) fn check(network: &Network, ready: &Value, parameters: Option<u64>) -> Result<(), String> {
    let number = |key: &str| ready[key].as_f64().unwrap_or(f64::NAN);
    let own = ready["parameters"].as_u64();
    if own.is_none() || parameters.is_some_and(|others| own != Some(others)) {
        return Err(format!("{} parameters, the others have {parameters:?}", ready["parameters"]));
    }
    let start = number("loss_start");
    let near = (network.loss_of_chance / START_FACTOR)..=(network.loss_of_chance * START_FACTOR);
    // Who cannot tell its loss before the first step leaves it out.
    if !ready["loss_start"].is_null() && !near.contains(&start) {
        return Err(format!("it starts at a loss of {start}, chance loses {:.3}", network.loss_of_chance));
    }
    let (first, second) = (number("loss_epoch_1"), number("loss_epoch_2"));
    if !(second < first && second < network.loss_of_chance) {
        return Err(format!("its loss does not fall: {first} in the first epoch, {second} in the second"));
    }
    let accuracy = number("accuracy");
    if accuracy.is_nan() || accuracy < ACCURACY_MIN {
        return Err(format!(
            "after two epochs {} of the rows are right, expected {ACCURACY_MIN}",
            ready["accuracy"]
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::plan::{CONTENDERS, NETWORKS, WAYS};
    use super::*;

    fn row(name: &str, speeds: &[f64]) -> Row {
        let contender = CONTENDERS.iter().find(|contender| contender.name == name).expect("a contender");
        let turn = |speed: &f64| Turn { samples_per_second: *speed, step_us: 1e6 / speed };
        Row { contender, ready: json!({"version": "1"}), turns: speeds.iter().map(turn).collect() }
    }

    #[test]
    fn the_fastest_eager_rival_is_the_measure_and_ratios_stay_within_a_repeat() {
        let rows = [
            row("Thalweg", &[300.0, 100.0, 200.0]),
            row("Thalweg, batch undivided", &[150.0, 90.0, 90.0]),
            row("PyTorch", &[100.0, 20.0, 50.0]),
            row("PyTorch, channels last", &[100.0, 50.0, 80.0]),
            row("PyTorch, compiled", &[400.0, 400.0, 400.0]),
        ];
        let lenet = NETWORKS.iter().find(|network| network.name == "lenet").expect("a network");
        let table = table(lenet, &WAYS[0], &rows, &[(&CONTENDERS[6], "not built".into())]);
        assert_eq!(table["measured_against"], "PyTorch, channels last");
        assert_eq!((&table["times_pytorch"], &table["met"]), (&json!(2.5), &json!(true)));
        assert_eq!(table["times_pytorch_range"], json!([2.0, 3.0]));
        assert_eq!(table["own"], "Thalweg");
        assert_eq!(table["rows"][4]["times_as_fast_is_thalweg"], json!(0.5));
        assert_eq!(table["rows"][0]["samples_per_second_range"], json!([100.0, 300.0]));
        assert_eq!(table["absent"][0]["why"], "not built");
    }

    #[test]
    fn without_an_own_row_nothing_is_met() {
        let table = table(&NETWORKS[0], &WAYS[2], &[row("PyTorch", &[1.0])], &[]);
        assert!(table["met"].is_null() && table["times_pytorch"].is_null());
    }

    #[test]
    fn samples_of_trials_add_up() {
        let trials = [10.0, 30.0].map(|speed| Turn { samples_per_second: speed, step_us: speed });
        assert_eq!(together(&trials), Turn { samples_per_second: 40.0, step_us: 20.0 });
    }

    #[test]
    fn who_learns_nothing_is_refused() {
        let good = json!({"parameters": 5, "loss_start": 2.4, "loss_epoch_1": 1.9, "loss_epoch_2": 0.9, "accuracy": 0.7});
        let network = &NETWORKS[1];
        assert_eq!(check(network, &good, Some(5)), Ok(()));
        for (key, value, word) in [
            ("parameters", json!(6), "parameters"),
            ("loss_start", json!(9.0), "starts"),
            ("loss_epoch_2", json!(1.95), "does not fall"),
            ("loss_epoch_1", json!(null), "does not fall"),
            ("accuracy", json!(0.1), "right"),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            let error = check(network, &bad, Some(5)).expect_err(key);
            assert!(error.contains(word), "{error}");
        }
    }
}
