//! What can be wrong with a file, where, and what to do about it.

use std::path::PathBuf;

/// Why a file could not be read as a table. Each message names the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing is there.
    #[error("there is no file «{}»; check the spelling and the folder you are in", path.display())]
    NoSuchFile {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder, not a file.
    #[error("«{}» is a folder; name one CSV file in it", path.display())]
    Folder {
        /// The path as given.
        path: PathBuf,
    },
    /// The system refused.
    #[error("«{}» cannot be read: {cause}; check its permissions", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's own words.
        cause: std::io::Error,
    },
    /// No bytes, or only blank lines.
    #[error("{source_name} is empty; expected a header and rows, one a line")]
    Empty {
        /// What was read.
        source_name: String,
    },
    /// A header and nothing below it.
    #[error(
        "{source_name} has a header but no rows below it; add data, or say that line 1 is data (--header no)"
    )]
    HeaderOnly {
        /// What was read.
        source_name: String,
    },
    /// A row with another number of fields than the first.
    #[error(
        "{source_name}, line {line}: {found} instead of {expected} fields, which the first row has (separated by \
         {delimiter}); quote a field that contains the separator, or mend the line"
    )]
    Ragged {
        /// What was read.
        source_name: String,
        /// The line on which the row starts.
        line: u64,
        /// Its number of fields.
        found: usize,
        /// The first row's number of fields.
        expected: usize,
        /// The separator, in words.
        delimiter: &'static str,
    },
    /// Not text in UTF-8.
    #[error("{source_name}, line {line}: not UTF-8 text{guess}; save the file as UTF-8 CSV")]
    NotUtf8 {
        /// What was read.
        source_name: String,
        /// The line of the first wrong byte.
        line: u64,
        /// What it may be instead, ready to be appended.
        guess: &'static str,
    },
    /// A field beyond any sensible length.
    #[error(
        "{source_name}, line {line}, column {column}: a field of {len_bytes} bytes starts here, the limit is \
         {limit_bytes}; a quote that is never closed is the usual cause"
    )]
    GiganticField {
        /// What was read.
        source_name: String,
        /// The line on which the field starts.
        line: u64,
        /// The column's number, from 1.
        column: usize,
        /// The field's length.
        len_bytes: usize,
        /// The longest allowed.
        limit_bytes: usize,
    },
    /// The file ends inside quotes.
    #[error(
        "{source_name}, line {line}: a quote is opened here and never closed; close it, or double it if it is meant"
    )]
    UnclosedQuote {
        /// What was read.
        source_name: String,
        /// The line of the opening quote.
        line: u64,
    },
    /// Starts like gzip but cannot be unpacked.
    #[error(
        "{source_name} is a damaged or cut-off gzip file ({cause}); fetch it again, or unpack it by hand to see"
    )]
    CorruptGzip {
        /// What was read.
        source_name: String,
        /// The decoder's own words.
        cause: std::io::Error,
    },
    /// Two columns of one name.
    #[error(
        "{source_name}, line {line}: columns {first} and {second} are both named «{name}»; rename one of them, or say \
         that the first row is data (--header no)"
    )]
    DuplicateColumn {
        /// What was read.
        source_name: String,
        /// The header's line.
        line: u64,
        /// The name.
        name: String,
        /// The first one's number, from 1.
        first: usize,
        /// The second one's number, from 1.
        second: usize,
    },
    /// More rows than a row number can count.
    #[error("{source_name}, line {line}: more than {limit} rows; sample the file first")]
    TooManyRows {
        /// What was read.
        source_name: String,
        /// The line of the first row too many.
        line: u64,
        /// How many are allowed.
        limit: usize,
    },
    /// The CSV decoder failed for another reason.
    #[error("{source_name}: {cause}")]
    Malformed {
        /// What was read.
        source_name: String,
        /// The decoder's own words.
        cause: ::csv::Error,
    },
}
