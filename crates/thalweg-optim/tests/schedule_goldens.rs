//! Schedules against the learning rates of `torch.optim.lr_scheduler` and optax in `goldens/schedules.json` (made by
//! `goldens/schedules.py`).

use serde::Deserialize;
use serde_json::Value;
use thalweg_optim::schedule::{
    Anneal, Constant, Cosine, Exponential, Length, MultiStep, OneCycle, Part, Plateau, Polynomial,
    ReduceOnPlateau, Sequence, Step, Threshold, WarmRestarts, WarmUp,
};
use thalweg_optim::{Horizon, Schedule};

#[derive(Deserialize)]
struct Golden {
    torch_version: String,
    optax_version: String,
    torch: Vec<Run>,
    optax: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    schedule: String,
    learning_rate: Option<f64>,
    #[serde(default)]
    hyperparameters: Value,
    #[serde(default)]
    parts: Vec<Run>,
    #[serde(default)]
    milestones: Vec<u64>,
    #[serde(default)]
    metrics: Vec<f64>,
    #[serde(default)]
    values: Vec<f64>,
}

impl Run {
    fn number(&self, name: &str) -> f64 {
        self.hyperparameters[name].as_f64().unwrap_or_else(|| panic!("{}: {name}", self.schedule))
    }

    fn span(&self, name: &str) -> Length {
        Length::Steps(self.whole(name))
    }

    fn whole(&self, name: &str) -> u64 {
        self.hyperparameters[name].as_u64().unwrap_or_else(|| panic!("{}: {name}", self.schedule))
    }

    fn is(&self, name: &str, word: &str) -> bool {
        self.hyperparameters[name].as_str().unwrap_or_else(|| panic!("{}: {name}", self.schedule)) == word
    }
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../goldens/schedules.json")).expect("the golden file is readable")
}

/// One schedule for some steps, then another.
fn after(steps: u64, first: impl Into<Schedule>, then: impl Into<Schedule>) -> Schedule {
    let parts = vec![
        Part { length: Some(Length::Steps(steps)), schedule: first.into() },
        Part { length: None, schedule: then.into() },
    ];
    Sequence { parts }.into()
}

/// torch's schedule of base rate `rate`, in our terms.
fn from_torch(run: &Run, rate: f64) -> Schedule {
    match run.schedule.as_str() {
        "StepLR" => Step { every: run.span("step_size"), gamma: run.number("gamma") }.into(),
        "MultiStepLR" => {
            let milestones = run.hyperparameters["milestones"].as_array().expect("a list");
            let milestones = milestones.iter().filter_map(Value::as_u64).map(Length::Steps).collect();
            MultiStep { milestones, gamma: run.number("gamma") }.into()
        }
        "ExponentialLR" => {
            Exponential { steps: Length::Steps(1), gamma: run.number("gamma"), minimum: 0.0 }.into()
        }
        "PolynomialLR" => {
            Polynomial { steps: run.span("total_iters"), power: run.number("power"), last: 0.0 }.into()
        }
        "LinearLR" if run.number("end_factor") == 1.0 => {
            let start = run.number("start_factor");
            WarmUp { steps: run.span("total_iters"), start, times: Box::default() }.into()
        }
        "LinearLR" => {
            assert_eq!(run.number("start_factor"), 1.0);
            Polynomial { steps: run.span("total_iters"), power: 1.0, last: run.number("end_factor") }.into()
        }
        "ConstantLR" => {
            after(run.whole("total_iters"), Constant { factor: run.number("factor") }, Constant::default())
        }
        "CosineAnnealingLR" => {
            Cosine { steps: run.span("T_max"), last: run.number("eta_min") / rate, power: 1.0 }.into()
        }
        "CosineAnnealingWarmRestarts" => WarmRestarts {
            steps: run.span("T_0"),
            multiplier: run.whole("T_mult"),
            last: run.number("eta_min") / rate,
        }
        .into(),
        "OneCycleLR" => OneCycle {
            steps: run.span("total_steps"),
            rise: run.number("pct_start"),
            start: 1.0 / run.number("div_factor"),
            last: 1.0 / run.number("div_factor") / run.number("final_div_factor"),
            phases: if run.hyperparameters["three_phase"] == true { 3 } else { 2 },
            anneal: if run.is("anneal_strategy", "cos") { Anneal::Cosine } else { Anneal::Linear },
        }
        .into(),
        "ReduceLROnPlateau" => ReduceOnPlateau {
            gamma: run.number("factor"),
            patience: run.whole("patience"),
            threshold: run.number("threshold"),
            unit: if run.is("threshold_mode", "rel") { Threshold::Relative } else { Threshold::Absolute },
            cooldown: run.whole("cooldown"),
            minimum: run.number("min_lr") / rate,
            epsilon: run.number("eps") / rate,
        }
        .into(),
        "SequentialLR" => {
            let starts = std::iter::once(&0).chain(&run.milestones);
            let mut spans = run.milestones.iter().zip(starts).map(|(end, start)| Length::Steps(end - start));
            let part = |part| Part { length: spans.next(), schedule: from_torch(part, rate) };
            Sequence { parts: run.parts.iter().map(part).collect() }.into()
        }
        other => panic!("{other} has no counterpart"),
    }
}

/// optax's schedule in our terms, and its base rate.
fn from_optax(run: &Run) -> (Schedule, f64) {
    let constant = Constant::default();
    match run.schedule.as_str() {
        "warmup_cosine_decay_schedule" => {
            let (peak, warm_up) = (run.number("peak_value"), run.whole("warmup_steps"));
            let start = run.number("init_value") / peak;
            let rise = WarmUp { steps: Length::Steps(warm_up), start, times: Box::default() };
            let fall = Cosine {
                steps: Length::Steps(run.whole("decay_steps") - warm_up),
                last: run.number("end_value") / peak,
                power: run.number("exponent"),
            };
            (after(warm_up, rise, fall), peak)
        }
        "cosine_decay_schedule" => {
            let (last, power) = (run.number("alpha"), run.number("exponent"));
            (Cosine { steps: run.span("decay_steps"), last, power }.into(), run.number("init_value"))
        }
        "exponential_decay" => {
            let (rate, gamma) = (run.number("init_value"), run.number("decay_rate"));
            let steps = run.span("transition_steps");
            let minimum = run.hyperparameters["end_value"].as_f64().unwrap_or(0.0) / rate;
            let decay: Schedule = if run.hyperparameters["staircase"] == true {
                assert_eq!(minimum, 0.0);
                Step { every: steps, gamma }.into()
            } else {
                Exponential { steps, gamma, minimum }.into()
            };
            (after(run.whole("transition_begin"), constant, decay), rate)
        }
        "polynomial_schedule" => {
            let rate = run.number("init_value");
            let (power, last) = (run.number("power"), run.number("end_value") / rate);
            let decay = Polynomial { steps: run.span("transition_steps"), power, last };
            (after(run.whole("transition_begin"), constant, decay), rate)
        }
        other => panic!("{other} has no counterpart"),
    }
}

/// The largest error, relative to the value; a value of a millionth of the base rate or less, to that.
fn largest_error(run: &Run, schedule: &Schedule, rate: f64) -> f64 {
    let curve = schedule.resolve(Horizon { steps: 1000, steps_per_epoch: 1 }).expect("valid settings");
    let mut state = Plateau::default();
    let mut worst = 0.0_f64;
    for (step, expected) in run.values.iter().enumerate() {
        let found = rate * curve.factor(step as u64) * state.factor;
        worst = worst.max((found - expected).abs() / expected.abs().max(1e-6 * rate));
        if let Some(&metric) = run.metrics.get(step) {
            // Here less is better.
            let cost = if run.is("mode", "max") { -metric } else { metric };
            state = curve.observe(state, cost);
        }
    }
    worst
}

#[test]
fn torch_has_the_same_rates() {
    let golden = golden();
    assert_eq!(golden.torch_version, "2.15.0");
    assert!(golden.torch.len() >= 28);
    for mut run in golden.torch {
        let rate = run.learning_rate.expect("a rate");
        if run.schedule == "CosineAnnealingLR" {
            // After its end torch's rises again, as documented.
            let end = run.whole("T_max") as usize;
            run.values.truncate(end + 1);
        }
        let error = largest_error(&run, &from_torch(&run, rate), rate);
        assert!(error <= 1e-12, "{} {}: {error:e}", run.schedule, run.hyperparameters);
    }
}

#[test]
fn optax_has_the_same_rates() {
    let golden = golden();
    assert_eq!(golden.optax_version, "0.2.8");
    assert!(golden.optax.len() >= 10);
    for run in golden.optax {
        let (schedule, rate) = from_optax(&run);
        let error = largest_error(&run, &schedule, rate);
        assert!(error <= 1e-12, "{} {}: {error:e}", run.schedule, run.hyperparameters);
    }
}
