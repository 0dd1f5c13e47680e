//! The protocol in words: every convention that a number in the report rests on.

use thalweg_data::Task;
use thalweg_learn::regularize;
use thalweg_optim::{Schedule, registry};

use super::text;
use crate::study::summary::{Protocol, Summary};
use crate::study::verdict;

/// A few conventions under one heading.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) points: Vec<String>,
}

pub(super) fn conventions(summary: &Summary) -> Vec<Section> {
    vec![
        Section { title: "Which rows are learned from and which are scored", points: folds(summary) },
        Section { title: "Equal budgets", points: budgets(summary) },
        Section { title: "How a learning rate is chosen", points: choice(summary) },
        Section { title: "Preparation, network and loss", points: training(summary) },
        Section { title: "The statistics", points: statistics(summary) },
        Section { title: "What the columns and curves mean", points: columns(summary) },
        Section { title: "Update rules and reproduction", points: reproduction(summary) },
    ]
}

fn folds(summary: &Summary) -> Vec<String> {
    let protocol = &summary.protocol;
    let mut points = vec![format!(
        "Nested cross-validation. The outer level ({}, {}) only scores: its training parts hold {} rows, its test parts \
         {}. The inner level, within each outer training part, makes every choice.",
        protocol.cv,
        text::folds(protocol),
        text::range(&protocol.train_rows),
        text::range(&protocol.test_rows),
    )];
    points.push(format!(
        "From each outer training part, {} rows are set aside to validate on, by the same policy as the outer folds; all \
         methods share the same parts.",
        text::range(&protocol.validation_rows)
    ));
    match protocol.cv.as_str() {
        "stratified" => points.push("Each class is dealt evenly over the folds.".to_owned()),
        "group" => {
            points.push("Groups stay whole: no group is in both a training and a test part.".to_owned())
        }
        "time-series" => points.push(time_series(protocol)),
        _ => {}
    }
    if protocol.repeats > 1 {
        points.push(format!(
            "The folds are drawn {} times, each time with a fresh shuffle. In tables, fold 2.3 is the third fold of the \
             second repeat.",
            protocol.repeats
        ));
    }
    points
}

fn time_series(protocol: &Protocol) -> String {
    let gap = match protocol.gap {
        0 => String::new(),
        gap => format!(" {} between past and future are left out.", text::plural(gap, "row")),
    };
    format!(
        "Every model is fitted on the past and scored on what follows; the past grows from fold to fold.{gap} Take the \
         intervals and tests with more care than usual: early folds train on fewer rows than late ones, neighbouring \
         folds resemble each other, and the correction for overlap below was derived for random splits, so it is an \
         approximation here."
    )
}

fn budgets(summary: &Summary) -> Vec<String> {
    let protocol = &summary.protocol;
    let rates: Vec<String> = protocol.learning_rates.iter().map(|&rate| verdict::rate_text(rate)).collect();
    vec![
        format!(
            "Every method tries the same {} in every outer fold: {}. Other hyperparameters stay at the dialect's \
             defaults.",
            text::plural(rates.len(), "learning rate"),
            rates.join(", ")
        ),
        "Adadelta has no learning rate in its textbook form. Its multiplier (1 in the textbook) is tuned on the same \
         grid, so that it gets neither more nor fewer tries than the others."
            .to_owned(),
        format!(
            "Every training has the same limit of {} and the same {}.",
            text::plural(protocol.epochs as usize, "epoch"),
            batch(protocol)
        ),
        schedule(protocol),
        wrap(protocol),
        regularization(summary),
        "All methods of a fold start from the same weights and see the same batches, shuffled anew in each epoch."
            .to_owned(),
    ]
}

fn schedule(protocol: &Protocol) -> String {
    let Protocol { schedule, epochs, .. } = protocol;
    if Schedule::default().to_string() == *schedule {
        return "The learning rate of a training is the same in all its steps.".to_owned();
    }
    format!(
        "In each step the learning rate is multiplied by the schedule {schedule}. It is laid over {}, also where a \
         training ends earlier: a refit has the rates that were validated, not the whole schedule in fewer epochs.",
        text::plural(*epochs as usize, "epoch")
    )
}

fn wrap(protocol: &Protocol) -> String {
    match &protocol.wrap[..] {
        [] => {
            "Nothing is wrapped around the methods: no clipping, no added decay, no average of the weights."
                .to_owned()
        }
        wrap => format!("Around every method, inner to outer: {}.", wrap.join(", ")),
    }
}

fn regularization(summary: &Summary) -> String {
    if !summary.is_of_regularization() {
        return "All methods have the same regularization, if any.".to_owned();
    }
    "Each technique is tried at as many learning rates as none, its strengths taking turns over them, so that every \
     method has equally many trials. Unless the technique is to stop early, a trial runs through all its epochs and is \
     judged by the last. Differences from none are paired over the outer folds; their p-values carry Holm's correction \
     over all techniques, their intervals hold together."
        .to_owned()
}

fn batch(protocol: &Protocol) -> String {
    match protocol.batch_size.as_str() {
        "full" => "batch: all training rows in each step".to_owned(),
        "1" => "batch size: 1 row in each step (stochastic)".to_owned(),
        rows => format!("batch size: {rows} rows in each step"),
    }
}

fn choice(summary: &Summary) -> Vec<String> {
    let protocol = &summary.protocol;
    let techniques = summary.is_of_regularization();
    let stopping = match protocol.patience {
        _ if techniques => {
            "An inner trial runs through all its epochs, unless the technique is to stop early.".to_owned()
        }
        0 => "An inner trial runs through all its epochs (no early stopping).".to_owned(),
        patience => format!(
            "An inner trial stops early after {} without a better validation {}.",
            text::plural(patience as usize, "epoch"),
            summary.metric
        ),
    };
    let epochs = if techniques {
        "A trial is judged by its last epoch, averaged with the two before it; where the technique is to stop early, by its \
         best epoch, averaged with those on either side."
    } else {
        "Each epoch is judged by its validation score averaged with those of the two epochs on either side: a refit can \
         repeat the number of epochs, but not the luck of one. The best epoch so judged gives the trial its score."
    };
    vec![
        stopping,
        format!(
            "The learning rate with the best validation {} is chosen; of equals, the one with the smaller validation \
             loss; of equals in that too, the smaller rate. A rate that diverged cannot be chosen.",
            summary.metric
        ),
        epochs.to_owned(),
        "With this rate the network is fitted anew on the whole outer training part, for as many epochs as the best \
         inner trial needed, and scored once on the outer test part. No outer test row had a part in any choice."
            .to_owned(),
        "A training whose loss or weights become NaN or infinite has diverged: that is a result, it is counted, and a \
         method without a score in some fold is ranked after all that have one in every fold."
            .to_owned(),
    ]
}

fn training(summary: &Summary) -> Vec<String> {
    let protocol = &summary.protocol;
    let network = match protocol.hidden.as_slice() {
        _ if protocol.network != "mlp" => format!("the network {}", protocol.network),
        [] => "a linear model (no hidden layer)".to_owned(),
        widths => {
            let list: Vec<String> = widths.iter().map(usize::to_string).collect();
            format!(
                "a multilayer perceptron with hidden layers of {} units and {}",
                list.join(", "),
                protocol.activation
            )
        }
    };
    let mut points = vec![
        "Preparation is fitted on the training rows of each training alone, never on the rows it is then scored on: \
         missing numbers become the median, missing categories the most frequent one, each with a column that says so; \
         numbers are standardized, categories become 0/1 columns (at most 50 for a feature: rarer levels share one, and a \
         level that training did not show goes there, or to none), constant columns are dropped."
            .to_owned(),
        format!(
            "The model is {network}; it minimizes {}. Weights start {}, biases at 0.",
            protocol.loss,
            match protocol.init.as_str() {
                "he" => "as He et al. (2015) propose",
                "glorot" => "as Glorot and Bengio (2010) propose",
                _ => "as He et al. (2015) propose before a rectifier, as Glorot and Bengio (2010) elsewhere",
            }
        ),
    ];
    if summary.data.task == Task::Regression {
        points.push(
            "The target is standardized for training, with the training rows' mean and standard deviation; scores are in \
             its own unit."
                .to_owned(),
        );
    }
    points
}

fn statistics(summary: &Summary) -> Vec<String> {
    let protocol = &summary.protocol;
    let row = summary.metric.row();
    let level = format!("{:.0} %", 100.0 * (1.0 - protocol.alpha));
    vec![
        format!("{} is {}; range {}; {}.", row.name, row.formula, row.range, row.convention),
        format!(
            "Intervals of means are at 95 % and allow for the overlap of the training parts: mean ± t · √((1/J + \
             n_test/n_train) · s²), with J = {} scores, n_test/n_train = {} and s their standard deviation (Nadeau and \
             Bengio, «Inference for the generalization error», Machine Learning 52, 2003). They derived it for \
             differences; for a single mean the same correlation is assumed. It is symmetric, but cut where the metric's \
             range ends.",
            protocol.test_rows.len(),
            verdict::score_text(protocol.test_over_train),
        ),
        "Each method is compared with the best by their differences in the same folds: a paired t-test with the same \
         correction. A difference says how much worse the method is, whichever way the metric counts."
            .to_owned(),
        format!(
            "The p-values are adjusted for the number of comparisons by Holm's method (1979); below {} a method is called \
             worse. The intervals of the differences are simultaneous (Bonferroni): all of them hold together with {level} \
             confidence. Holm's method is sharper, so it may tell a method apart whose interval still touches 0.",
            protocol.alpha,
        ),
        "The best method is picked by the very scores that it is then reported with, so its mean is on average a little \
         too good, and the differences from it a little too large: the more so, the more methods are nearly equal and \
         the fewer the rows. The list of methods that cannot be told apart allows for this better than the rank does."
            .to_owned(),
        "«Cannot be told apart» means that this study could not see a difference, not that there is none.".to_owned(),
    ]
}

fn columns(summary: &Summary) -> Vec<String> {
    let baseline = match summary.protocol.baseline.filter(|score| score.is_finite()) {
        Some(score) => format!(
            "The baseline ({}) is the prediction that ignores every feature: the class frequencies or the mean of each \
             outer training part, scored on its test part; the mean over the folds.",
            text::score(Some(score))
        ),
        None => {
            format!("There is no baseline: {} is not defined for a constant prediction here.", summary.metric)
        }
    };
    vec![
        "The generalization gap is how much worse the test score is than the training score of the same refitted models, \
         whichever way the metric counts; negative if the test score is better."
            .to_owned(),
        "The chosen learning rate and the epochs are medians over the folds (the lower of the two middle ones). A rate at \
         the edge of the grid is marked: a better one may lie beyond."
            .to_owned(),
        "Usable decades say how forgiving a method is: over how many powers of ten around its best learning rate the mean \
         validation score keeps at least 95 % of the way from the baseline on the same validation rows to its best. A rate that diverged in any fold \
         does not count."
            .to_owned(),
        "Steps, seconds and diverged trials are summed over all trials of a method, refits included. Seconds are summed \
         over threads, so they can exceed the time you waited; they depend on the machine and are the only numbers here \
         that differ from run to run."
            .to_owned(),
        "The training loss of an epoch is the running mean over its batches while the weights moved; the validation loss \
         is taken at the epoch's end. So the training loss lags behind, and may start above the validation loss."
            .to_owned(),
        baseline,
    ]
}

fn reproduction(summary: &Summary) -> Vec<String> {
    let protocol = &summary.protocol;
    let dialect = match protocol.dialect.as_str() {
        "torch" => "The update rules are PyTorch's forms (dialect torch), with its defaults.".to_owned(),
        "keras" => "The update rules are Keras's forms (dialect keras), with its defaults.".to_owned(),
        "optax" => "The update rules are optax's forms (dialect optax), with its defaults.".to_owned(),
        "textbook" => "The update rules are the textbook's forms (dialect textbook).".to_owned(),
        other => format!("The update rules are those of the dialect {other}."),
    };
    let mut points = vec![dialect];
    points.extend(summary.ranking.iter().filter_map(|method| {
        let info = regularize::find(&method.method).ok()?.info();
        Some(format!("{}: {} ({})", info.name, info.formula, info.source))
    }));
    let textbook = protocol.dialect == "textbook";
    points.extend(summary.ranking.iter().filter_map(|method| {
        let info = registry::find(&method.method).ok()?.info;
        let formula = if textbook { info.formula.textbook } else { info.formula.torch };
        Some(format!("{}: {formula} ({})", info.title, info.paper))
    }));
    points.push(format!(
        "Every random draw comes from seed {}. The same data, settings and CPU feature level (here {}) give the same bits, \
         on however many threads. Made by thalweg {}.",
        protocol.seed, protocol.cpu_level, protocol.version
    ));
    points
}
