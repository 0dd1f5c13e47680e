//! From the texts of a column to its type.

use std::collections::BTreeMap;

use crate::dataset::MISSING;
use crate::date::parse_days;
use crate::table::{Column, NotFinite, Values};

/// Texts that mean «missing» in every file. `NaN` and `inf` are not among them: in a column of numbers they are far
/// more often the trace of a computation that went wrong than a gap, so the user must say so.
pub(crate) const MISSING_TOKENS: [&str; 10] =
    ["", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "Null"];

/// Below this, 2⁵³, an `f64` holds every whole number exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Which texts are missing values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missing<'a> {
    /// The user's own tokens.
    pub(crate) extra: &'a [String],
}

impl Missing<'_> {
    /// Whether a (trimmed) cell is missing.
    pub(crate) fn is(&self, cell: &str) -> bool {
        (cell.len() <= 4 && MISSING_TOKENS.contains(&cell))
            || self.extra.iter().any(|token| token.trim() == cell)
    }
}

/// The texts of one column, end to end in one string.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    /// Appends a cell.
    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// The cells from row `first` on.
    pub(crate) fn iter_from(&self, first: usize) -> impl Iterator<Item = &str> {
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        let mut from = start;
        self.ends[first..].iter().map(move |&end| &self.text[std::mem::replace(&mut from, end)..end])
    }

    /// The cell of row `row`.
    pub(crate) fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    /// The number of cells.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// What all cells of a column have in common, from the narrowest type to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No cell has a value.
    Nothing,
    /// One pair of words, in any case: `BOOLEANS[pair]`.
    Boolean(usize),
    Integer,
    Real,
    Date,
    Text,
}

const BOOLEANS: [[&str; 2]; 2] = [["false", "true"], ["no", "yes"]];

/// The narrowest kind of one cell that is not missing.
fn kind_of(cell: &str) -> Kind {
    let first = cell.as_bytes().first().copied().unwrap_or(b' ');
    // Only what starts like a number or like `nan`, `inf` is worth parsing.
    if first.is_ascii_digit() || b"+-.nNiI".contains(&first) {
        if let Ok(value) = cell.parse::<f64>() {
            let whole = cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'+');
            return if whole && value.abs() < EXACT { Kind::Integer } else { Kind::Real };
        }
        if parse_days(cell).is_some() {
            return Kind::Date;
        }
    }
    match BOOLEANS.iter().position(|pair| pair.iter().any(|word| cell.eq_ignore_ascii_case(word))) {
        Some(pair) => Kind::Boolean(pair),
        None => Kind::Text,
    }
}

/// The kind of all cells from row `first` on (at most `limit` of them).
pub(crate) fn kind(cells: &Cells, first: usize, limit: usize, missing: Missing<'_>) -> Kind {
    let mut common = Kind::Nothing;
    for cell in cells.iter_from(first).take(limit).filter(|cell| !missing.is(cell)) {
        common = match (common, kind_of(cell)) {
            (Kind::Nothing, kind) => kind,
            (known, kind) if known == kind => known,
            (Kind::Integer | Kind::Real, Kind::Integer | Kind::Real) => Kind::Real,
            _ => return Kind::Text,
        };
    }
    common
}

/// The typed column of the cells from row `first` on.
pub(crate) fn column(name: String, cells: &Cells, first: usize, missing: Missing<'_>) -> Column {
    let numbers = |parse: &dyn Fn(&str) -> f64| -> Vec<f64> {
        cells.iter_from(first).map(|cell| if missing.is(cell) { f64::NAN } else { parse(cell) }).collect()
    };
    let number = |cell: &str| cell.parse::<f64>().unwrap_or(f64::NAN);
    let values = match kind(cells, first, usize::MAX, missing) {
        Kind::Nothing | Kind::Real => Values::Reals(numbers(&number)),
        Kind::Integer => Values::Integers(numbers(&number)),
        Kind::Date => Values::Dates(numbers(&|cell| parse_days(cell).unwrap_or(f64::NAN))),
        Kind::Boolean(pair) => Values::Booleans {
            values: numbers(&|cell| f64::from(u8::from(cell.eq_ignore_ascii_case(BOOLEANS[pair][1])))),
            names: BOOLEANS[pair].map(str::to_owned),
        },
        Kind::Text => dictionary(cells, first, missing),
    };
    let not_finite = match &values {
        Values::Reals(values) => values
            .iter()
            .enumerate()
            .find(|&(row, value)| !value.is_finite() && !missing.is(cells.get(first + row)))
            .map(|(row, _)| NotFinite { row, text: cells.get(first + row).to_owned() }),
        _ => None,
    };
    Column { name, values, not_finite }
}

/// The column of the cells from row `first` on, as text whatever they look like.
pub(crate) fn text_column(name: String, cells: &Cells, first: usize, missing: Missing<'_>) -> Column {
    Column { name, values: dictionary(cells, first, missing), not_finite: None }
}

/// Codes into the sorted distinct texts.
fn dictionary(cells: &Cells, first: usize, missing: Missing<'_>) -> Values {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let mut codes: Vec<u32> = Vec::with_capacity(cells.len() - first);
    for cell in cells.iter_from(first) {
        let next = known.len() as u32;
        codes.push(if missing.is(cell) { MISSING } else { *known.entry(cell).or_insert(next) });
    }
    // From the order of appearance to the order of the names.
    let mut sorted = vec![0_u32; known.len()];
    for (rank, &appeared) in known.values().enumerate() {
        sorted[appeared as usize] = rank as u32;
    }
    for code in codes.iter_mut().filter(|code| **code != MISSING) {
        *code = sorted[*code as usize];
    }
    Values::Text { codes, levels: known.into_keys().map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer(texts: &[&str], extra: &[&str]) -> Column {
        let mut cells = Cells::default();
        texts.iter().for_each(|text| cells.push(text));
        let extra: Vec<String> = extra.iter().map(|&token| token.to_owned()).collect();
        column("x".to_owned(), &cells, 0, Missing { extra: &extra })
    }

    #[test]
    fn each_type_is_found() {
        for (texts, kind) in [
            (&["1", "-2", "", "+3"][..], "integers"),
            (&["1", "2.5", "?"], "numbers"),
            (&["1e3", ".5", "5."], "numbers"),
            (&["9007199254740993"], "numbers"),
            (&["true", "FALSE", "NA"], "booleans"),
            (&["Yes", "no"], "booleans"),
            (&["yes", "true"], "text"),
            (&["2020-01", "2020-02-03", "null"], "dates"),
            (&["2020-01", "7"], "text"),
            (&["1", "x"], "text"),
            (&["", "?"], "numbers"),
            (&["infinite jest", "1"], "text"),
        ] {
            assert_eq!(infer(texts, &[]).values.kind(), kind, "{texts:?}");
        }
    }

    #[test]
    fn text_becomes_codes_into_sorted_levels() {
        let column = infer(&["pear", "apple", "?", "pear"], &[]);
        let levels = vec!["apple".to_owned(), "pear".to_owned()];
        assert_eq!(column.values, Values::Text { codes: vec![1, 0, MISSING, 1], levels });
        assert_eq!(column.values.missing(), 1);
    }

    #[test]
    fn a_number_that_is_not_finite_is_remembered_with_its_row() {
        for text in ["NaN", "nan", "inf", "-Infinity", "1e999"] {
            let found = infer(&["1", "", text, "2"], &[]).not_finite;
            assert_eq!(found, Some(NotFinite { row: 2, text: text.to_owned() }));
            assert_eq!(infer(&["1", "", text, "2"], &[text]).not_finite, None);
        }
    }

    #[test]
    fn extra_tokens_are_missing() {
        let column = infer(&["-999", "1", "2"], &["-999"]);
        assert!(column.values.is_missing(0));
        assert_eq!(column.values.missing(), 1);
    }
}
