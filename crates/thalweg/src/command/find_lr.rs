//! `thalweg find-lr`: the learning-rate range test.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, error::ErrorKind};
use thalweg_learn::train::RangeTest;

use super::compare::stop_on_signal;
use super::options::Options;
use super::progress::{bar, step};
use super::{Failure, print};
use crate::report::{self, find_lr, html};
use crate::study::{Plan, StudyError, find_rate};

/// Finds a learning rate for one optimizer by one short training whose rate grows from step to step.
///
/// The curve of the loss over the rate is flat where the rate is too small, falls where it is right, and comes apart
/// where it is too large. Two readings of it are suggested: where the smoothed loss falls fastest, and a tenth of the rate
/// at which it is lowest. Only rows are seen that the first fold of `thalweg compare` fits its first trials on.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:
  thalweg find-lr digits
  thalweg find-lr houses.csv --target price --optimizer sgd --batch-size 64
  thalweg find-lr wine --optimizer momentum --from 1e-5 --to 100 --steps 400
  thalweg find-lr digits --format csv --quiet > curve.csv
  thalweg find-lr --config study.toml               (the settings of compare that apply)"
)]
pub(super) struct FindLr {
    #[command(flatten)]
    options: Applicable,
    /// The optimizer (see `thalweg list optimizers`)
    #[arg(long, value_name = "NAME", default_value = "adam", help_heading = "Methods")]
    optimizer: String,
    /// The first learning rate
    #[arg(long, value_name = "RATE", default_value_t = RangeTest::default().from, help_heading = "Range test")]
    from: f64,
    /// The last learning rate, if the loss does not come apart before
    #[arg(long, value_name = "RATE", default_value_t = RangeTest::default().to, help_heading = "Range test")]
    to: f64,
    /// Steps from the first to the last
    #[arg(long, value_name = "N", default_value_t = RangeTest::default().steps, help_heading = "Range test")]
    steps: u32,
    /// How much of the smoothed loss each step keeps, in [0, 1)
    #[arg(long, value_name = "BETA", default_value_t = RangeTest::default().beta, help_heading = "Range test")]
    beta: f64,
    /// Read settings from a TOML file of `thalweg compare`; those that do not apply are left out; flags win
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    config: Option<PathBuf>,
}

impl FindLr {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { options: Applicable(options), from, to, steps, beta, .. } = self;
        let test = RangeTest { from, to, steps, beta };
        test.check().map_err(|error| Failure::usage(error.to_string()))?;
        let options = match &self.config {
            Some(path) => options.or(Options::read(path)?),
            None => options,
        };
        let spec = options.spec_of(&self.optimizer)?;
        let data = thalweg_data::open(&spec.data, &spec.dataset)?;
        let plan = Plan::new(spec, &data).map_err(|error| match error {
            // It has one, and another name for it.
            StudyError::Optimizer(why) => Failure::usage(format!("--optimizer: {why}")),
            other => other.into(),
        })?;
        let (quiet, format) = (options.quiet(), options.format());
        let folder = options.out(&data.name);
        let path = folder.join(format!("find-lr-{}.html", self.optimizer));
        check_place(&folder, &path)?;
        let stop = stop_on_signal()?;
        let progress = bar(u64::from(test.steps), quiet, "steps");
        let found = find_rate(&plan, &test, &|| {
            step(&progress);
            !stop.load(Ordering::Relaxed)
        });
        progress.finish_and_clear();
        let Some(search) = found else {
            return Err(Failure::Interrupted("interrupted: nothing was written".to_owned()));
        };
        let page = html::find_lr::render(&search).map_err(|error| Failure::failed(error.to_string()))?;
        std::fs::create_dir_all(&folder).and_then(|()| report::replace(&path, &page)).map_err(|cause| {
            Failure::usage(format!(
                "{}: the page cannot be written ({cause}); check the folder's permissions and free space, or name \
                 another with --out DIR",
                path.display()
            ))
        })?;
        print(&find_lr::render(&search, format))?;
        if !quiet {
            for warning in &data.warnings {
                eprintln!("note: {warning}");
            }
            eprintln!("\nPage: {}", path.display());
        }
        Ok(())
    }
}

/// Refuses a place where the page cannot be, before anything is computed.
fn check_place(folder: &std::path::Path, path: &std::path::Path) -> Result<(), Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::usage(format!(
            "--out {}: this is a file, not a folder; name a folder with --out DIR",
            folder.display()
        )));
    }
    if path.is_dir() {
        return Err(Failure::usage(format!(
            "{}: this is a folder, and the page is written there; move it away, or name another folder with --out DIR",
            path.display()
        )));
    }
    Ok(())
}

/// The settings of `compare`, without those that a single training has no use for.
#[derive(Debug)]
struct Applicable(Options);

/// What `compare` alone has, and what stands for it here.
const OTHERS: [(&str, &str); 9] = [
    ("regularizers", "it tests one method: name what regularizes it with --regularize"),
    ("optimizers", "it tests one method: name it with --optimizer"),
    ("learning_rates", "it finds them: say from where to where with --from and --to"),
    ("schedule", "its rate grows from step to step"),
    ("epochs", "say how many --steps"),
    ("patience", "it stops when the loss comes apart"),
    ("repeats", "it uses the first fold only"),
    ("metric", "it watches the training loss"),
    ("jobs", "it is one training on one thread"),
];

impl Args for Applicable {
    fn augment_args(command: Command) -> Command {
        let hide = |command: Command, (name, _): &(&'static str, _)| command.mut_arg(*name, hidden);
        OTHERS.iter().fold(Options::augment_args(command), hide)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn hidden(arg: Arg) -> Arg {
    arg.hide(true)
}

impl FromArgMatches for Applicable {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        for (name, instead) in OTHERS {
            if matches.contains_id(name) {
                let flag = name.replace('_', "-");
                return Err(Error::raw(
                    ErrorKind::ArgumentConflict,
                    format!("--{flag} is no setting of find-lr: {instead}\n"),
                ));
            }
        }
        Options::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
