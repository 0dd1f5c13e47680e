//! Progress on standard error: a bar with an ETA on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of `total` units, whose plural is `noun`; silent if `quiet` or off a terminal.
pub(super) fn bar(total: u64, quiet: bool, noun: &'static str) -> ProgressBar {
    let target = if quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let template = if plain {
        "{pos}/{len} {msg} [{bar:32}] {elapsed} elapsed, about {eta} left"
    } else {
        "{pos}/{len} {msg} [{bar:32.cyan}] {elapsed} elapsed, about {eta} left"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(noun)
}

/// Counts a question whether to go on, as the bar's units are. There may be a few more of them than units: also what comes
/// before the first step can be interrupted. The bar does not go beyond its end.
pub(super) fn step(bar: &ProgressBar) {
    if bar.length().is_none_or(|total| bar.position() < total) {
        bar.inc(1);
    }
}
