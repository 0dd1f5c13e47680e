//! What can be wrong with a wish to split, each with its remedy.

/// Why these rows cannot be split this way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Fewer than two folds.
    #[error("--folds {folds}: cross-validation needs at least 2 folds; give --folds 2 or more")]
    TooFewFolds {
        /// The folds asked for.
        folds: usize,
    },
    /// No repeat at all.
    #[error("--repeats 0: nothing would be run; give --repeats 1 or more")]
    NoRepeats,
    /// More repeats than anyone has time for.
    #[error("--repeats {repeats}: give --repeats {most} or fewer")]
    TooManyRepeats {
        /// The repeats asked for.
        repeats: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// A fold would have no row.
    #[error("--folds {folds}: there are only {rows} rows; give --folds {rows} or fewer, or more data")]
    MoreFoldsThanRows {
        /// The folds asked for.
        folds: usize,
        /// The rows there are.
        rows: usize,
    },
    /// Too few rows for any split.
    #[error("{rows} {} cannot be split into a part to fit on and a part to score; give at least 2 rows", rows_word(*rows))]
    TooFewRows {
        /// The rows there are.
        rows: usize,
    },
    /// A fold would have no group.
    #[error(
        "--folds {folds}: the --group column has only {groups} different value(s), and a group is never divided; \
         give {}another --group", fewer_folds(*groups)
    )]
    MoreFoldsThanGroups {
        /// The folds asked for.
        folds: usize,
        /// The groups there are.
        groups: usize,
    },
    /// A fold would lack a class.
    #[error("{}", small_class(&format!("number {class}"), *members, *folds))]
    SmallClass {
        /// The code of the class.
        class: u32,
        /// Its rows.
        members: usize,
        /// The folds asked for.
        folds: usize,
    },
    /// Whole groups were asked for, but no row says its group.
    #[error(
        "--cv group needs to know the groups; name their column with --group COLUMN, or use another --cv"
    )]
    GroupsMissing,
    /// Time order was asked for, but no row says its time.
    #[error("--cv time-series needs a time axis; name its column with --time COLUMN, or use another --cv")]
    TimesMissing,
    /// Classes were to be dealt evenly, but the target is a number.
    #[error(
        "--cv stratified deals classes evenly, but the target is a number; use --cv k-fold, or --task classification"
    )]
    ClassesMissing,
    /// Repeats of the one order that time has.
    #[error(
        "--repeats {repeats}: time has only one order, so a repeat of --cv time-series would be the same again; \
         give --repeats 1, or more --folds"
    )]
    RepeatsInTime {
        /// The repeats asked for.
        repeats: usize,
    },
    /// More repeats than there are ways to divide.
    #[error(
        "--repeats {repeats}: {count} {unit}s do not divide into {folds} folds in that many different ways, so a repeat \
         would be the same again; give fewer --repeats or fewer --folds"
    )]
    RepeatsAlike {
        /// The repeats asked for.
        repeats: usize,
        /// The folds asked for.
        folds: usize,
        /// How many rows or groups there are.
        count: usize,
        /// `row` or `group`.
        unit: &'static str,
    },
    /// Groups that the policy would take apart.
    #[error(
        "--group: --cv {policy} would put rows of one group on both sides; use --cv group, or drop --group"
    )]
    GroupsDivided {
        /// The policy asked for.
        policy: &'static str,
    },
    /// A gap where there is no time.
    #[error(
        "--gap {gap}: a gap lies between past and future, but --cv {policy} has no time; use --cv time-series, or drop --gap"
    )]
    GapWithoutTime {
        /// The gap asked for, in rows.
        gap: usize,
        /// The policy in force.
        policy: &'static str,
    },
    /// The first window has nothing to fit on.
    #[error(
        "--folds {folds} with --gap {gap} leaves the first window of --cv time-series no row to fit on ({rows} rows); \
         give fewer --folds or a smaller --gap"
    )]
    WindowTooSmall {
        /// The rows there are.
        rows: usize,
        /// The folds asked for.
        folds: usize,
        /// The gap asked for, in rows.
        gap: usize,
    },
    /// Rows of equal time cannot be divided, and there are too many of them.
    #[error(
        "--cv time-series never divides rows of equal time, and so many share one that fold {fold} of --folds {folds} \
         would be empty; give fewer --folds, a smaller --gap, or a finer --time column"
    )]
    TimesTied {
        /// The fold that would be empty, counted from 1.
        fold: usize,
        /// The folds asked for.
        folds: usize,
    },
    /// Not a part of a whole.
    #[error("the validation fraction must lie strictly between 0 and 1, not {fraction}; 0.2 is usual")]
    FractionOutOfRange {
        /// The fraction asked for.
        fraction: f64,
    },
    /// An inner split would have an empty part.
    #[error(
        "the {rows} training rows cannot give a validation part: {reason}; give more data, a larger \
         --train-size if it is given, more --folds (each training part grows), or another --cv"
    )]
    NoHoldout {
        /// The rows that were to be split.
        rows: usize,
        /// What stood in the way.
        reason: &'static str,
    },
    /// No such policy.
    #[error("--cv {given}: no such way to split{hint} (known: {known})")]
    UnknownPolicy {
        /// What was asked for.
        given: String,
        /// The nearest name, as a clause, or nothing.
        hint: String,
        /// Every name.
        known: String,
    },
}

impl SplitError {
    /// The message with the class called by its name: `names[code]`.
    pub fn with_class_names(&self, names: &[String]) -> String {
        match self {
            Self::SmallClass { class, members, folds } => match names.get(*class as usize) {
                Some(name) => small_class(&format!("«{name}»"), *members, *folds),
                None => self.to_string(),
            },
            _ => self.to_string(),
        }
    }
}

fn small_class(class: &str, members: usize, folds: usize) -> String {
    format!(
        "class {class} has {members} {}, fewer than the {folds} folds, so some fold would lack it; give {}\
         --cv k-fold, or merge or drop the class",
        rows_word(members),
        fewer_folds(members)
    )
}

fn rows_word(count: usize) -> &'static str {
    if count == 1 { "row" } else { "rows" }
}

/// The advice to give at most `most` folds, where that is possible at all.
fn fewer_folds(most: usize) -> String {
    if most >= 2 { format!("--folds {most} or fewer, or ") } else { String::new() }
}
