//! «Did you mean …?»: the nearest known name to one that is not known.

/// The candidate closest to `name` (Damerau–Levenshtein distance, case ignored), if it is close enough to be a
/// plausible misspelling: at most a third of the letters differ, or one name begins with the other.
///
/// ```
/// use thalweg_optim::suggest::closest;
/// assert_eq!(closest("adm", ["sgd", "adam"]), Some("adam"));
/// assert_eq!(closest("xyzzy", ["sgd", "adam"]), None);
/// ```
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&wanted, &known);
            let letters = wanted.chars().count().max(known.chars().count());
            let prefix = wanted.len() >= 3 && (known.starts_with(&wanted) || wanted.starts_with(&known));
            (distance * 3 <= letters || prefix).then_some((distance, candidate))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean «adam»?`, or nothing: ready to be put behind an error's first clause.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(name, candidates).map(|found| format!("; did you mean «{found}»?")).unwrap_or_default()
}
