//! The verdict: the ranking in plain sentences. «Cannot be told apart» is a first-class answer.

use serde::{Deserialize, Serialize};
use thalweg_eval::Metric;
use thalweg_optim::registry;

use super::method::NONE;
use super::summary::{MethodSummary, StudyRecord, Versus, VersusNone};

/// What a study says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The method with the best mean score; `None` if no method finished every fold.
    pub best: Option<String>,
    /// The methods that the data cannot tell apart from the best.
    pub tied: Vec<String>,
    /// The methods that are worse than the best, least first.
    pub worse: Vec<String>,
    /// The methods that did not finish every fold.
    pub unfinished: Vec<String>,
    /// About the smallest difference from the best that this study could have told from 0.
    pub resolution: Option<f64>,
    /// The verdict in words, a sentence or two each.
    pub sentences: Vec<String>,
    /// What to be careful about.
    pub cautions: Vec<String>,
    /// The one line that puts the best method into PyTorch (dialect torch only).
    pub torch_call: Option<String>,
}

impl Verdict {
    pub(crate) fn new(
        study: &StudyRecord,
        metric: Metric,
        ranking: &[MethodSummary],
        resolution: Option<f64>,
    ) -> Self {
        let names = |keep: &dyn Fn(&MethodSummary) -> bool| -> Vec<String> {
            ranking.iter().filter(|method| keep(method)).map(|method| method.method.clone()).collect()
        };
        let best = ranking.first().filter(|method| method.failed_folds == 0 && method.score.mean.is_some());
        let is_best = |method: &MethodSummary| best.is_some_and(|best| best.method == method.method);
        let mut verdict = Self {
            best: best.map(|best| best.method.clone()),
            tied: names(&|method| method.tied_with_best && !is_best(method)),
            worse: names(&|method| method.failed_folds == 0 && !method.tied_with_best),
            unfinished: names(&|method| method.failed_folds > 0),
            resolution,
            sentences: Vec::new(),
            cautions: Vec::new(),
            torch_call: best
                .filter(|_| study.protocol.dialect == "torch" && !study.is_of_regularization())
                .and_then(torch_call),
        };
        verdict.sentences = sentences(&verdict, study, metric, ranking, best);
        verdict.cautions = cautions(study, metric, ranking, best);
        verdict
    }
}

fn torch_call(best: &MethodSummary) -> Option<String> {
    let rate = best.learning_rate?;
    let entry = registry::find(&best.method).ok()?;
    Some(entry.info.calls.torch?.replace("{lr}", &rate_text(rate)))
}

fn sentences(
    verdict: &Verdict,
    study: &StudyRecord,
    metric: Metric,
    ranking: &[MethodSummary],
    best: Option<&MethodSummary>,
) -> Vec<String> {
    let Some(best) = best else {
        return vec![
            "No method finished every fold, so none can be called best. Try smaller learning rates \
             (--learning-rates) or fewer epochs."
                .to_owned(),
        ];
    };
    let score = score_text(best.score.mean.unwrap_or(f64::NAN));
    let mut sentences = vec![if best.method == NONE {
        format!("Without any technique the mean {metric} is best: {score}{}.", interval_text(best))
    } else {
        let title = sentence_start(title(&best.method));
        format!("{title} has the best mean {metric}: {score}{}.", interval_text(best))
    }];
    if verdict.tied.is_empty() && !verdict.worse.is_empty() {
        sentences.push("Every other method that finished is worse by more than chance explains.".to_owned());
    } else if !verdict.tied.is_empty() {
        let seen = seen(ranking).map_or(String::new(), |seen| format!(" ({seen} would have shown)"));
        let tied: Vec<String> = verdict.tied.iter().map(|name| title(name).to_owned()).collect();
        sentences.push(format!("It cannot be told apart from {}{seen}.", list(&tied)));
    }
    let worse = ranking.iter().filter(|method| verdict.worse.contains(&method.method));
    sentences.extend(worse.filter_map(|method| {
        let versus = method.versus_best?;
        Some(format!(
            "{} is worse by {} ({} to {}, {}).",
            title(&method.method),
            score_text(versus.difference),
            score_text(versus.low),
            score_text(versus.high),
            p_text(versus.p),
        ))
    }));
    for method in ranking.iter().filter(|method| method.failed_folds > 0) {
        sentences.push(format!(
            "{} did not finish {} of {} folds, so it is ranked last.",
            title(&method.method),
            method.failed_folds,
            study.protocol.test_rows.len()
        ));
    }
    sentences.extend(against_none(study, ranking));
    if !study.spec.schedule.is_default() {
        sentences.push(format!(
            "Every learning rate is multiplied by the schedule {}, laid over {} epochs; take it along with the rate.",
            study.protocol.schedule, study.protocol.epochs
        ));
    }
    if !study.protocol.wrap.is_empty() {
        sentences.push(format!(
            "Every method had {} around it, inner to outer; the call below does not say so: take it along.",
            study.protocol.wrap.join(", ")
        ));
    }
    sentences
}

/// Which techniques can be told from none, in score or in generalization gap, and which cannot.
fn against_none(study: &StudyRecord, ranking: &[MethodSummary]) -> Vec<String> {
    let tested: Vec<_> = ranking.iter().filter_map(|method| Some((method, method.versus_none?))).collect();
    if tested.is_empty() {
        return Vec::new();
    }
    let words = |what: &str, verb: [&str; 2], versus: &dyn Fn(&VersusNone) -> Versus| -> Vec<String> {
        let line = |(method, against): &(&MethodSummary, VersusNone)| {
            let Versus { difference, low, high, p } = versus(against);
            let verb = verb[usize::from(difference < 0.0)];
            let (low, high) = if difference < 0.0 { (-high, -low) } else { (low, high) };
            (p < study.protocol.alpha).then(|| {
                format!(
                    "Against none, {} {verb} {what} by {} ({} to {}, {}).",
                    method.method,
                    score_text(difference.abs()),
                    score_text(low),
                    score_text(high),
                    p_text(p)
                )
            })
        };
        tested.iter().filter_map(line).collect()
    };
    let mut sentences = words("the score", ["betters", "worsens"], &|against| against.score);
    sentences.extend(words("the generalization gap", ["shrinks", "widens"], &|against| against.gap));
    let alpha = study.protocol.alpha;
    let like_none: Vec<String> = tested
        .iter()
        .filter(|(_, against)| against.score.p >= alpha && against.gap.p >= alpha)
        .map(|(method, _)| method.method.clone())
        .collect();
    if !like_none.is_empty() {
        sentences.push(format!("Neither in score nor in gap can be told from none: {}.", list(&like_none)));
    }
    sentences
}

/// What differences from the best the study could have told from 0: half the widths of the tied methods' intervals.
fn seen(ranking: &[MethodSummary]) -> Option<String> {
    let tied = ranking.iter().filter(|method| method.tied_with_best);
    let halves: Vec<f64> = tied
        .filter_map(|method| method.versus_best)
        .map(|versus| 0.5 * (versus.high - versus.low))
        .filter(|half| *half > 1e-12)
        .collect();
    let least = halves.iter().copied().min_by(f64::total_cmp)?;
    let most = halves.iter().copied().max_by(f64::total_cmp)?;
    Some(if most > 1.2 * least {
        format!(
            "a difference of about {} to {}, depending on the method,",
            score_text(least),
            score_text(most)
        )
    } else {
        format!("a difference of about {}", score_text(most))
    })
}

fn cautions(
    study: &StudyRecord,
    metric: Metric,
    ranking: &[MethodSummary],
    best: Option<&MethodSummary>,
) -> Vec<String> {
    let mut cautions = Vec::new();
    if study.spec.label_noise > 0.0 {
        cautions.push(format!(
            "Training scores are those on the labels as they were shown, of which a share of {} was replaced; validation \
             and test labels are the true ones. So the gap is smaller by what cannot be learned.",
            rate_text(study.spec.label_noise)
        ));
    }
    for reason in &study.protocol.left_out {
        cautions.push(format!("Left out: {reason}."));
    }
    let folds = study.protocol.test_rows.len();
    let (low, high) = study.spec.learning_rates.ends();
    for (at_low, end, which) in [(true, low, "smallest"), (false, high, "largest")] {
        let on_edge: Vec<String> = ranking
            .iter()
            .map(|method| (method, if at_low { method.edge.low } else { method.edge.high }))
            .filter(|&(_, count)| count > 0)
            .map(|(method, count)| format!("{} ({count} of {folds} folds)", title(&method.method)))
            .collect();
        if !on_edge.is_empty() {
            cautions.push(format!(
                "The {which} learning rate tried, {}, was chosen by {}: what lies beyond was not tried; widen the grid \
                 with --learning-rates.",
                rate_text(end),
                list(&on_edge),
            ));
        }
    }
    if let (Some(best), Some(baseline)) = (best, study.protocol.baseline) {
        let mean = best.score.mean.unwrap_or(f64::NAN);
        if metric.better(mean, baseline).is_le() {
            cautions.push(format!(
                "Not even the best method beats the constant prediction that ignores every feature ({metric} {}).",
                score_text(baseline)
            ));
        }
    }
    cautions
}

/// A name at the beginning of a sentence: techniques are written small.
fn sentence_start(name: &str) -> String {
    match name {
        NONE => "No technique".to_owned(),
        name => name.to_owned(),
    }
}

/// The name in prose.
pub(crate) fn title(optimizer: &str) -> &str {
    registry::find(optimizer).map_or(optimizer, |entry| entry.info.title)
}

/// A score with about four significant digits, never in exponent form.
pub fn score_text(score: f64) -> String {
    let digits = match score.abs() {
        x if x < 9.9995 => 4,
        x if x < 99.995 => 3,
        x if x < 999.95 => 2,
        _ => 1,
    };
    // A proper minus sign lines up with digits in tables and cannot be taken for a hyphen.
    format!("{score:.digits$}").replace('-', "−")
}

/// A learning rate or another setting as a person writes it: at most four significant digits.
pub fn rate_text(rate: f64) -> String {
    let rounded: f64 = format!("{rate:.3e}").parse().unwrap_or(rate);
    match rounded.abs() {
        0.0 => "0".to_owned(),
        size if (1e-4..1e4).contains(&size) => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

/// A p-value with its sign: `p = 0.012`, `p < 0.001`.
pub fn p_text(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

fn interval_text(method: &MethodSummary) -> String {
    match (method.score.low, method.score.high) {
        (Some(low), Some(high)) => format!(" (95 % interval {} to {})", score_text(low), score_text(high)),
        _ => String::new(),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(score_text(0.97412), "0.9741");
        assert_eq!(score_text(-54.321), "−54.321");
        assert_eq!(score_text(12345.678), "12345.7");
        assert_eq!(rate_text(0.0031622776601683795), "0.003162");
        assert_eq!(rate_text(1e-5), "1e-5");
        assert_eq!(p_text(0.0004), "p < 0.001");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
