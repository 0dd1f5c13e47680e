//! A table: named, typed columns, as a reader found them. What they mean (target, group, time) is not known here.

/// Typed columns of equal length, and where they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A short name (the file's stem).
    pub name: String,
    /// What to call the source in an error: the path as the user gave it.
    pub source: String,
    /// The columns, in file order; their names differ.
    pub columns: Vec<Column>,
    /// The line (from 1) on which each row starts; empty if the source has no lines.
    pub lines: Vec<u64>,
}

/// One named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in the header, or one made up (`c1`, `unnamed_1`).
    pub name: String,
    /// The cells.
    pub values: Values,
    /// The first NaN or ∞ among the numbers. An error as soon as the column is used.
    pub not_finite: Option<NotFinite>,
}

/// A cell that is a number, but no finite one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFinite {
    /// Its row, from 0.
    pub row: usize,
    /// Its text.
    pub text: String,
}

/// The cells of a column by type. A missing number is NaN, a missing text is [`MISSING`](crate::MISSING).
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers, each exact in an `f64` (below 2⁵³ in absolute value).
    Integers(Vec<f64>),
    /// Numbers.
    Reals(Vec<f64>),
    /// 0 and 1, with the words for them (`no`, `yes`).
    Booleans {
        /// A 0 or 1 per row.
        values: Vec<f64>,
        /// The word for 0 and the word for 1.
        names: [String; 2],
    },
    /// Days since 1970-01-01T00:00.
    Dates(Vec<f64>),
    /// Anything else: codes into sorted levels.
    Text {
        /// A code per row.
        codes: Vec<u32>,
        /// The distinct texts, sorted by their bytes.
        levels: Vec<String>,
    },
}

impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The position of the column `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The columns' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Where a row stands, for an error: `data.csv, line 17`.
    pub(crate) fn place(&self, row: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}, line {line}", self.source),
            None => format!("{}, row {}", self.source, row + 1),
        }
    }
}

impl Values {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Text { codes, .. } => codes.len(),
            Self::Integers(values) | Self::Reals(values) | Self::Dates(values) => values.len(),
            Self::Booleans { values, .. } => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers behind everything but text.
    pub fn numbers(&self) -> Option<&[f64]> {
        match self {
            Self::Text { .. } => None,
            Self::Integers(values) | Self::Reals(values) | Self::Dates(values) => Some(values),
            Self::Booleans { values, .. } => Some(values),
        }
    }

    /// Whether the cell of `row` is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Text { codes, .. } => codes[row] == crate::MISSING,
            _ => self.numbers().is_some_and(|values| values[row].is_nan()),
        }
    }

    /// The number of missing cells.
    pub fn missing(&self) -> usize {
        (0..self.len()).filter(|&row| self.is_missing(row)).count()
    }

    /// The type's name, for messages and listings.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Integers(_) => "integers",
            Self::Reals(_) => "numbers",
            Self::Booleans { .. } => "booleans",
            Self::Dates(_) => "dates",
            Self::Text { .. } => "text",
        }
    }
}
