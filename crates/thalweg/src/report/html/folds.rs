//! The table of outer folds.

use std::collections::BTreeMap;

use super::text;
use crate::study::summary::Summary;
use crate::study::trial::{Role, TrialRecord};
use crate::study::verdict;

/// One method in one fold.
pub(super) struct Row {
    /// The fold, or nothing where it is the one of the row above.
    pub(super) fold: String,
    pub(super) title: String,
    pub(super) rate: String,
    pub(super) epochs: String,
    pub(super) train_score: String,
    pub(super) test_score: String,
    /// How the refit ended, if it is not by finishing.
    pub(super) end: String,
}

/// A row per fold and method, in the order of the folds and, within one, of the ranking.
pub(super) fn rows(summary: &Summary, records: &[TrialRecord]) -> Vec<Row> {
    let refits: BTreeMap<(usize, &str), &TrialRecord> = records
        .iter()
        .filter(|record| record.role == Role::Refit)
        .map(|record| ((record.fold, record.method.as_str()), record))
        .collect();
    let folds = 0..summary.protocol.test_rows.len();
    let pairs = folds.flat_map(|fold| summary.ranking.iter().map(move |method| (fold, method)));
    pairs
        .map(|(fold, method)| {
            let refit = refits.get(&(fold, method.method.as_str())).copied();
            Row {
                fold: text::fold(&summary.protocol, fold),
                title: verdict::title(&method.method).to_owned(),
                rate: text::rate(refit.map(|record| record.learning_rate)),
                epochs: refit.map_or_else(|| text::NONE.to_owned(), |record| text::count(record.epochs)),
                train_score: text::score(refit.and_then(|record| record.train_score)),
                test_score: text::score(refit.and_then(|record| record.test_score)),
                end: end(refit),
            }
        })
        .collect()
}

fn end(refit: Option<&TrialRecord>) -> String {
    match refit {
        None => "every learning rate diverged, so none was refitted".to_owned(),
        Some(record) if record.test_score.is_none() => record.stop.to_string(),
        Some(_) => String::new(),
    }
}
