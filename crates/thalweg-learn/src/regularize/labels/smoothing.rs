//! Label smoothing.

use thalweg_optim::Range;

use super::super::technique::{Family, Info, Setting, Site, Technique};

/// Training asks for (1 − ε)·\[class\] + ε/K instead of \[class\], over K classes (Szegedy et al. 2016, and PyTorch's
/// `label_smoothing`). With mixed rows, the mixture is smoothed.
pub(crate) struct LabelSmoothing;

impl Technique for LabelSmoothing {
    fn info(&self) -> &Info {
        &Info {
            name: "label-smoothing",
            family: Family::Labels,
            summary: "spreads a part of each label over all classes",
            formula: "p = (1 − ε)·[class] + ε/K",
            source: "Szegedy et al. 2016",
            settings: &[Setting { key: "epsilon", symbol: "ε", range: Range::DECAY, default: 0.1 }],
            strengths: &[0.05, 0.1, 0.2],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        if site.has_classes() {
            return Ok(());
        }
        Err(format!(
            "it spreads labels over classes, and the loss {} has numbers: use mixup",
            site.loss.name()
        ))
    }

    fn smoothing(&self, values: &[f64]) -> Option<f64> {
        Some(values[0])
    }
}
