//! A study as comma-separated values: one line per method.

use crate::study::Summary;

/// The ranking, best first. Numbers are written so that they read back exactly; what does not exist is empty.
pub fn render(summary: &Summary) -> String {
    let header = [
        "rank",
        "method",
        "metric",
        "score",
        "score_low",
        "score_high",
        "train_score",
        "gap",
        "learning_rate",
        "strength",
        "tied_with_best",
        "worse_by",
        "worse_by_low",
        "worse_by_high",
        "p",
        "better_than_none_by",
        "better_low",
        "better_high",
        "better_p",
        "shrinks_gap_by",
        "shrinks_low",
        "shrinks_high",
        "shrinks_p",
        "usable_decades",
        "diverged",
        "failed_folds",
        "steps",
        "seconds",
    ];
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let rows = summary.ranking.iter().enumerate().map(|(index, method)| {
        let versus = method.versus_best;
        let (score, gap) =
            (method.versus_none.map(|none| none.score), method.versus_none.map(|none| none.gap));
        vec![
            (index + 1).to_string(),
            method.method.clone(),
            summary.metric.to_string(),
            number(method.score.mean),
            number(method.score.low),
            number(method.score.high),
            number(method.train_score),
            number(method.gap),
            number(method.learning_rate),
            number(method.strength),
            method.tied_with_best.to_string(),
            number(versus.map(|versus| versus.difference)),
            number(versus.map(|versus| versus.low)),
            number(versus.map(|versus| versus.high)),
            number(versus.map(|versus| versus.p)),
            number(score.map(|versus| versus.difference)),
            number(score.map(|versus| versus.low)),
            number(score.map(|versus| versus.high)),
            number(score.map(|versus| versus.p)),
            number(gap.map(|versus| versus.difference)),
            number(gap.map(|versus| versus.low)),
            number(gap.map(|versus| versus.high)),
            number(gap.map(|versus| versus.p)),
            number(method.sensitivity.usable_decades),
            method.diverged.to_string(),
            method.failed_folds.to_string(),
            method.steps.to_string(),
            number(Some(method.seconds)),
        ]
    });
    lines(std::iter::once(header.map(str::to_owned).to_vec()).chain(rows))
}

/// Lines of cells, quoted where they need it.
pub(super) fn lines(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("memory takes every record of equal length");
    }
    let bytes = writer.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("texts are written as they are")
}
