//! Which block goes where.

use super::layers;
use super::spec::{GroupSpec, Preset};
use crate::hyper::{OptimError, Range, check_finite, check_value};
use crate::params::{Block, Layout, Role};
use crate::real::Real;
use crate::suggest::{closest, did_you_mean};

/// What is the same for the blocks that one optimizer moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    /// The group's index.
    pub(super) group: usize,
    pub(super) learning_rate: f64,
    pub(super) decay: f64,
}

/// The share of each block.
pub(super) fn assign<T: Real>(
    layout: &Layout,
    groups: &[GroupSpec],
    presets: &[Preset],
) -> Result<Vec<Share>, OptimError> {
    for group in groups {
        for (name, factor) in [("learning-rate", group.learning_rate), ("decay", group.decay)] {
            check_value("groups", name, factor, Range::NON_NEGATIVE)?;
            check_finite::<T>("groups", name, factor, 1.0, Range::NON_NEGATIVE)?;
        }
        if let Some(role) = &group.role {
            role_named(role)?;
        }
    }
    let mut used = vec![false; groups.len()];
    let mut shares = Vec::with_capacity(layout.blocks().len());
    for block in layout.blocks() {
        let Some(group) = groups.iter().position(|group| fits(group, block)) else {
            return Err(wrong(format!(
                "«{}» is in none of them; add a last group {{}} for everything else",
                block.name
            )));
        };
        used[group] = true;
        let GroupSpec { learning_rate, decay, .. } = groups[group];
        shares.push(Share { group, learning_rate, decay });
    }
    if let Some(unused) = used.iter().position(|used| !used) {
        return Err(never(&groups[unused], groups, layout));
    }
    presets.iter().try_for_each(|preset| adjust(preset, layout, &mut shares))?;
    Ok(shares)
}

pub(super) fn wrong(what: String) -> OptimError {
    OptimError::Groups { what }
}

/// A group that no block goes to. The groups before it may have taken all that fit.
fn never(group: &GroupSpec, groups: &[GroupSpec], layout: &Layout) -> OptimError {
    let names = || layout.blocks().iter().map(|block| block.name.as_str());
    let what = match (&group.pattern, &group.role) {
        (Some(pattern), None) => format!("match = «{pattern}»"),
        (Some(pattern), Some(role)) => format!("match = «{pattern}», role = «{role}»"),
        (None, Some(role)) => format!("role = «{role}»"),
        (None, None) => "{} (everything else)".to_owned(),
    };
    if layout.blocks().iter().any(|block| fits(group, block)) {
        let index = groups.iter().position(|other| other == group).unwrap_or_default();
        return wrong(format!(
            "no block is left for group {} ({what}): those before it take all that it fits; move it up, or take it out",
            index + 1
        ));
    }
    let hint = group.pattern.as_deref().map(|pattern| hint(pattern, layout)).unwrap_or_default();
    let end = if hint.is_empty() { "." } else { "" };
    let names = names().collect::<Vec<_>>().join(", ");
    wrong(format!("no block fits {what}{hint}{end} There are: {names}"))
}

/// «Did you mean», for a pattern that fits no name.
fn hint(pattern: &str, layout: &Layout) -> String {
    let names: Vec<&str> = layout.blocks().iter().map(|block| block.name.as_str()).collect();
    if names.iter().any(|name| glob(pattern, name)) {
        return String::new();
    }
    let corrected = corrected(pattern, &names, glob).map(|found| format!("; did you mean «{found}»?"));
    corrected.unwrap_or_else(|| did_you_mean(pattern, names))
}

/// The pattern with each of its parts (between dots and stars) as names spell it, if it fits one then.
pub(super) fn corrected(pattern: &str, names: &[&str], fits: impl Fn(&str, &str) -> bool) -> Option<String> {
    let known = || names.iter().flat_map(|name| name.split('.'));
    let spell = |part: &str| closest(part, known()).unwrap_or(part).to_owned();
    let mut found = String::new();
    for part in pattern.split_inclusive(['.', '*']) {
        let own = part.trim_end_matches(['.', '*']);
        found += &spell(own);
        found += &part[own.len()..];
    }
    names.iter().any(|name| fits(&found, name)).then_some(found)
}

fn fits(group: &GroupSpec, block: &Block) -> bool {
    let name = group.pattern.as_ref().is_none_or(|pattern| glob(pattern, &block.name));
    name && group.role.as_ref().is_none_or(|role| role_named(role).is_ok_and(|role| role == block.role))
}

fn role_named(name: &str) -> Result<Role, OptimError> {
    match name {
        "weight" => Ok(Role::Weight),
        "bias" => Ok(Role::Bias),
        "scale" => Ok(Role::Scale),
        _ => {
            let hint = did_you_mean(name, ["weight", "bias", "scale"]);
            let end = if hint.is_empty() { "." } else { "" };
            Err(wrong(format!("there is no role «{name}»{hint}{end} There are: weight, bias, scale")))
        }
    }
}

/// Whether `name` is `pattern` with some text in place of each `*`.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // Each part as early as it goes leaves the most for those behind it.
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn adjust(preset: &Preset, layout: &Layout, shares: &mut [Share]) -> Result<(), OptimError> {
    match preset {
        Preset::NoBiasDecay => {
            for (share, block) in shares.iter_mut().zip(layout.blocks()) {
                if block.role != Role::Weight {
                    share.decay = 0.0;
                }
            }
            Ok(())
        }
        Preset::LayerwiseDecay(factor) => {
            slow_down("layerwise-decay", *factor, &layers::by_module(layout), shares)
        }
        Preset::LayerwiseDecayBy { factor, layer } => {
            slow_down("layerwise-decay-by", *factor, &layers::by_number(layout, layer)?, shares)
        }
    }
}

/// Multiplies each rate by the factor to the power of how many layers it lies before the last.
fn slow_down(
    preset: &'static str,
    factor: f64,
    layers: &[usize],
    shares: &mut [Share],
) -> Result<(), OptimError> {
    check_value("presets", preset, factor, Range::SHARE)?;
    let last = layers.iter().copied().max().unwrap_or_default();
    for (share, layer) in shares.iter_mut().zip(layers) {
        share.learning_rate *= factor.powi((last - layer) as i32);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "0.dense.weight", true),
            ("0.dense.weight", "0.dense.weight", true),
            ("0.dense", "0.dense.weight", false),
            ("*.bias", "0.dense.bias", true),
            ("*.bias", "0.dense.bias2", false),
            ("0.*", "0.dense.bias", true),
            ("0.*", "10.dense.bias", false),
            ("0.*.w*t", "0.dense.weight", true),
            ("a*a", "a", false),
            ("a*ab*b", "aababb", true),
            ("a**b", "ab", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern, name), fits, "{pattern} on {name}");
        }
    }
}
