//! A settings file: read whole, and what is wrong with it told with its line and key.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use thalweg_optim::suggest::did_you_mean;

use super::Failure;
use super::written::plain;

/// The settings in a TOML file, which are of these keys.
pub(super) fn read<S: DeserializeOwned>(path: &Path, keys: &[&str]) -> Result<S, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Failure::usage(format!("--config {place}: {}", unreadable(path, &cause))))?;
    let wrong = |error: toml::de::Error| {
        Failure::usage(format!("--config {place}{}", located(&text, error.span(), error.message())))
    };
    let table: toml::Table = toml::from_str(&text).map_err(wrong)?;
    let known = || keys.iter().map(|key| key.replace('_', "-"));
    if let Some(key) = table.keys().find(|key| !known().any(|known| known == **key)) {
        let names: Vec<String> = known().collect();
        let hint = did_you_mean(key, names.iter().map(String::as_str));
        let end = if hint.is_empty() { "." } else { "" };
        return Err(Failure::usage(format!(
            "--config {place}: there is no setting «{key}»{hint}{end} There are: {}",
            names.join(", ")
        )));
    }
    toml::from_str(&text).map_err(wrong)
}

/// Why a settings file is not read, and what to do.
fn unreadable(path: &Path, cause: &std::io::Error) -> String {
    match cause.kind() {
        ErrorKind::NotFound => {
            "there is no file of that name; check the spelling and the folder you are in".to_owned()
        }
        ErrorKind::InvalidData => "the file is not UTF-8 text; save it as UTF-8".to_owned(),
        _ if path.is_dir() => "this is a folder; name a TOML file in it".to_owned(),
        _ => format!("the file cannot be read ({cause}); check its permissions"),
    }
}

/// What is wrong with a TOML text, behind its line and its key.
fn located(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let message = plain(message.trim()).replace('\n', "; ");
    let Some(before) = span.and_then(|span| text.get(..span.start)) else { return format!(": {message}") };
    let number = before.matches('\n').count();
    let key = text
        .lines()
        .nth(number)
        .and_then(|line| line.split_once('='))
        .map(|(key, _)| key.trim_matches(|c: char| "{[\"".contains(c) || c.is_whitespace()));
    match key.filter(|key| !key.is_empty()) {
        Some(key) => format!(", line {}, {key}: {message}", number + 1),
        None => format!(", line {}: {message}", number + 1),
    }
}
