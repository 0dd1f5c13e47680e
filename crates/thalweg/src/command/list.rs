//! `thalweg list`: what can be named.

use clap::{Args, ValueEnum};
use thalweg_data::Task;
use thalweg_eval::metric::METRICS;
use thalweg_eval::split::SPLITTERS;
use thalweg_learn::nn::spec::KINDS;
use thalweg_learn::nn::{Activation, Architecture, Loss};
use thalweg_learn::regularize::TECHNIQUES;
use thalweg_optim::functions::{self, REGISTRY as FUNCTIONS};
use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::schedule::{self, Setting};
use thalweg_optim::wrap::WRAPPERS;
use thalweg_optim::{Dialect, OptimizerSpec};

use super::{Failure, print};
use crate::race::{figure, place};
use crate::report::Format;
use crate::report::grid::Grid;
use crate::study::verdict::rate_text;

/// Lists what can be named, with formulas and defaults.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  thalweg list optimizers
  thalweg list schedules
  thalweg list datasets --format markdown
  thalweg list metrics --format json")]
pub(super) struct List {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Update rules: formulas, defaults and papers
    Optimizers,
    /// What goes around optimizers (--wrap): formulas, settings and papers
    Wrappers,
    /// Learning-rate schedules: formulas, settings and sources
    Schedules,
    /// Regularization techniques: formulas, settings and sources
    Regularizers,
    /// Built-in data sets: sizes, sources and licences
    Datasets,
    /// Metrics: formulas, ranges and conventions
    Metrics,
    /// Ways to split rows (--cv)
    Splitters,
    /// Test functions of `thalweg race`: formulas, minima and starts
    Functions,
    /// Named networks, and what each is for
    Architectures,
    /// Layers of networks, but for activations
    Layers,
    /// Activations
    Activations,
    /// Losses
    Losses,
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        let grid = match self.what {
            What::Optimizers => optimizers(),
            What::Wrappers => wrappers(),
            What::Schedules => schedules(),
            What::Regularizers => regularizers(),
            What::Datasets => datasets(),
            What::Metrics => metrics(),
            What::Splitters => splitters(),
            What::Functions => functions(),
            What::Architectures => summaries(Architecture::ALL.map(|a| (a.name(), a.summary()))),
            What::Layers => summaries(KINDS.iter().map(|kind| (kind.name, kind.summary))),
            What::Activations => pairs("formula", Activation::ALL.map(|a| (a.name(), a.formula()))),
            What::Losses => pairs("formula", Loss::ALL.map(|loss| (loss.name(), loss.formula()))),
        };
        print(&grid.render(self.format))
    }
}

fn grid<const N: usize>(columns: [(&'static str, &str); N], rows: Vec<[String; N]>) -> Grid {
    Grid {
        columns: columns.map(|(key, heading)| (key, heading.to_owned(), false)).to_vec(),
        rows: rows.into_iter().map(|row| row.to_vec()).collect(),
    }
}

fn pairs<const N: usize>(key: &'static str, rows: [(&'static str, &'static str); N]) -> Grid {
    let rows = rows.map(|(name, text)| [name.to_owned(), text.to_owned()]);
    grid([("name", "name"), (key, key)], rows.to_vec())
}

fn summaries(rows: impl IntoIterator<Item = (&'static str, &'static str)>) -> Grid {
    let rows = rows.into_iter().map(|(name, summary)| [name, summary].map(str::to_owned));
    grid([("name", "name"), ("summary", "what it does")], rows.collect())
}

fn optimizers() -> Grid {
    let columns = [
        ("name", "name"),
        ("dialect", "dialect"),
        ("formula", "formula"),
        ("defaults", "defaults"),
        ("states", "state"),
        ("state_bytes", "state bytes a parameter (f32)"),
        ("step_bytes", "bytes a step moves"),
        ("call", "how the package makes it"),
        ("paper", "source"),
    ];
    let rows = REGISTRY.iter().flat_map(|entry| {
        Dialect::ALL.map(|dialect| {
            let symbols = (entry.hyper)();
            let values =
                OptimizerSpec::named(entry.info.name).dialect(dialect).resolved().unwrap_or_default();
            let hyper = values.iter().zip(&symbols).map(|((name, value), (_, symbol, range))| {
                format!("{symbol} = {name} = {} in {range}", rate_text(*value))
            });
            let rate = format!("η = {}", rate_text(entry.info.learning_rate.get(dialect)));
            let defaults: Vec<String> = std::iter::once(rate).chain(hyper).collect();
            // W is read and written, its gradient read, each number of state read and written.
            let slots = entry.states.len();
            let [state_bytes, step_bytes] = match entry.kind {
                Kind::Elementwise => [4 * slots, 12 + 8 * slots].map(|bytes| bytes.to_string()),
                Kind::Shaped => ["by shape", "by shape"].map(str::to_owned),
                Kind::Search => ["by history", "by search"].map(str::to_owned),
            };
            let none = if dialect == Dialect::Textbook { "" } else { "does not have it: as textbook" };
            [
                entry.info.name.to_owned(),
                dialect.name().to_owned(),
                entry.info.formula.get(dialect).to_owned(),
                defaults.join(", "),
                entry.states.join(", "),
                state_bytes,
                step_bytes,
                entry.info.calls.get(dialect).unwrap_or(none).to_owned(),
                entry.info.paper.to_owned(),
            ]
        })
    });
    grid(columns, rows.collect())
}

fn wrappers() -> Grid {
    let columns = [
        ("name", "name"),
        ("summary", "what it does"),
        ("formula", "formula"),
        ("settings", "settings, in the order of --wrap name=first:second"),
        ("states", "state"),
        ("paper", "source"),
    ];
    let rows = WRAPPERS.iter().map(|entry| {
        let settings = (entry.settings)()
            .into_iter()
            .map(|row| format!("{} = {} = {} in {}", row.symbol, row.key, rate_text(row.default), row.range));
        let states: Vec<_> = entry.slot.into_iter().chain(entry.count).collect();
        [
            entry.info.name.to_owned(),
            entry.info.summary.to_owned(),
            entry.info.formula.to_owned(),
            settings.collect::<Vec<_>>().join(", "),
            states.join(", "),
            entry.info.paper.to_owned(),
        ]
    });
    grid(columns, rows.collect())
}

fn schedules() -> Grid {
    let columns = [
        ("name", "name"),
        ("summary", "what it does"),
        ("formula", "factor of step t"),
        ("settings", "settings"),
        ("source", "source"),
    ];
    let rows = schedule::REGISTRY.iter().map(|entry| {
        let settings = (entry.default)().settings();
        let setting = |setting: &Setting| {
            let Setting { name, symbol, value, range } = setting;
            let symbol = if symbol == name { String::new() } else { format!("{symbol} = ") };
            format!("{symbol}{name} = {value} ({range})")
        };
        [
            entry.info.name.to_owned(),
            entry.info.summary.to_owned(),
            entry.info.formula.to_owned(),
            settings.iter().map(setting).collect::<Vec<_>>().join("; "),
            entry.info.source.to_owned(),
        ]
    });
    grid(columns, rows.collect())
}

fn regularizers() -> Grid {
    let columns = [
        ("name", "name"),
        ("family", "family"),
        ("summary", "what it does"),
        ("formula", "formula"),
        ("settings", "settings, in the order of name=first:second"),
        ("strengths", "strengths that are tried"),
        ("source", "source"),
    ];
    let rows = TECHNIQUES.iter().map(|technique| {
        let info = technique.info();
        let settings = info.settings.iter().map(|setting| {
            let default = rate_text(setting.default);
            format!("{} = {} = {default} in {}", setting.symbol, setting.key, setting.range)
        });
        [
            info.name.to_owned(),
            info.family.name().to_owned(),
            info.summary.to_owned(),
            info.formula.to_owned(),
            settings.collect::<Vec<_>>().join(", "),
            info.strengths.iter().map(|&strength| rate_text(strength)).collect::<Vec<_>>().join(", "),
            info.source.to_owned(),
        ]
    });
    grid(columns, rows.collect())
}

fn datasets() -> Grid {
    let columns = [
        ("name", "name"),
        ("rows", "rows"),
        ("features", "features"),
        ("task", "task"),
        ("description", "what it holds"),
        ("source", "source"),
        ("licence", "licence"),
    ];
    let task = |task: Task| match task {
        Task::Classification => "classification",
        Task::Regression => "regression",
    };
    let built_in = thalweg_data::builtin::all().iter().map(|set| {
        let (name, rows, features) = (set.name, set.rows.to_string(), set.features.to_string());
        let description = set.description.to_owned();
        [
            name.to_owned(),
            rows,
            features,
            task(set.task).to_owned(),
            description,
            set.source.to_owned(),
            set.licence.to_owned(),
        ]
    });
    let installed = thalweg_data::installed::all().iter().map(|set| {
        let (name, rows, features) = (set.name, set.rows.to_string(), set.image.len().to_string());
        let description = format!("{} (in the package {})", set.description, set.package);
        [
            name.to_owned(),
            rows,
            features,
            task(set.task).to_owned(),
            description,
            set.source.to_owned(),
            set.licence.to_owned(),
        ]
    });
    grid(columns, built_in.chain(installed).collect())
}

fn metrics() -> Grid {
    let columns = [
        ("name", "name"),
        ("better", "better"),
        ("range", "range"),
        ("formula", "formula"),
        ("convention", "convention"),
    ];
    let rows = METRICS.iter().map(|row| {
        let better = if row.higher_is_better { "higher" } else { "lower" };
        [row.name, better, row.range, row.formula, row.convention].map(str::to_owned)
    });
    grid(columns, rows.collect())
}

fn functions() -> Grid {
    let columns = [
        ("name", "name"),
        ("formula", "formula"),
        ("start", "start"),
        ("lowest", "lowest"),
        ("lesson", "what it shows"),
        ("source", "source"),
    ];
    let rows = FUNCTIONS.iter().map(|row| {
        let minima = row.minima();
        let places = minima
            .iter()
            .filter(|minimum| minimum.kind == functions::Kind::Lowest)
            .map(|minimum| place(minimum.at));
        [
            row.name.to_owned(),
            row.formula.to_owned(),
            place(row.start),
            format!("{} at {}", figure(row.lowest), places.collect::<Vec<_>>().join(", ")),
            row.lesson.to_owned(),
            row.source.to_owned(),
        ]
    });
    grid(columns, rows.collect())
}

fn splitters() -> Grid {
    let columns = [("name", "name"), ("summary", "what it does"), ("chosen_for", "auto takes it")];
    let rows = SPLITTERS.iter().map(|row| [row.name, row.summary, row.chosen_for].map(str::to_owned));
    grid(columns, rows.collect())
}
