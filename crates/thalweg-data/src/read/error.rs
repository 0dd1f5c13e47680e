//! What can be wrong with a file, where, and what to do about it.

use std::path::PathBuf;

use crate::images::ImageShape;

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
    #[error(
        "«{}» is a folder; name one CSV file in it, or a folder that has a folder of PNG or JPEG images for each class",
        path.display()
    )]
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
    /// Not an IDX file, or one of another kind.
    #[error(
        "{source_name} is no IDX file of {expected}: it starts with {found}, perhaps it is another file; fetch it again, or \
         name the file of images, such as train-images-idx3-ubyte.gz"
    )]
    NotIdx {
        /// What was read.
        source_name: String,
        /// What it should be, and its first bytes.
        expected: &'static str,
        /// The first bytes.
        found: String,
    },
    /// An NPY file that is damaged or of a kind that is not read.
    #[error("{source_name} cannot be read as an NPY file: {problem}; {remedy}")]
    BadNpy {
        /// What was read.
        source_name: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// An array with another number of dimensions than data or labels have.
    #[error("{source_name} is an array of {sizes}; expected {expected}")]
    WrongSizes {
        /// What was read.
        source_name: String,
        /// The sizes.
        sizes: String,
        /// Which they should be, and what to do.
        expected: &'static str,
    },
    /// A block that is not as long as it says.
    #[error(
        "{source_name} says that it holds {sizes}, {expected} bytes, but it has {}; it is damaged or cut off, fetch or \
         save it again", if found > expected { "more".to_owned() } else { found.to_string() }
    )]
    WrongLength {
        /// What was read.
        source_name: String,
        /// The sizes that it claims.
        sizes: String,
        /// The bytes that they need.
        expected: u64,
        /// The bytes that there are, or at least how many.
        found: u64,
    },
    /// A block in which nothing is.
    #[error("{source_name} holds {sizes}: it is empty; every size must be at least 1")]
    EmptyBlock {
        /// What was read.
        source_name: String,
        /// The sizes.
        sizes: String,
    },
    /// More rows than a row number can count.
    #[error("{source_name} says that it holds {rows} rows; at most {} can be read, take a sample", u32::MAX - 1)]
    TooManyRowsInBlock {
        /// What was read.
        source_name: String,
        /// How many it claims.
        rows: usize,
    },
    /// No labels beside the images.
    #[error("{source_name}: {looked_for}; say where the labels are with --labels FILE")]
    NoLabels {
        /// What was read.
        source_name: String,
        /// Where they were looked for.
        looked_for: String,
    },
    /// A file that is no image, or a damaged one.
    #[error("«{}» cannot be read as an image: {cause}; save it again as PNG or JPEG, or take it away", path.display())]
    BadImage {
        /// The file.
        path: PathBuf,
        /// The decoder's own words.
        cause: String,
    },
    /// Images of different sizes.
    #[error(
        "«{}» is {found}, but «{}», the first image, is {expected} (height, width, channels); all need one size: {remedy}",
        path.display(), first.display()
    )]
    ImageSize {
        /// The first file that differs.
        path: PathBuf,
        /// Its shape.
        found: ImageShape,
        /// The first file of all.
        first: PathBuf,
        /// Its shape.
        expected: ImageShape,
        /// What to do.
        remedy: &'static str,
    },
    /// A class without images.
    #[error("the folder «{}» has no PNG or JPEG image in it; put some in, or take the folder away", path.display())]
    EmptyClass {
        /// The folder.
        path: PathBuf,
    },
    /// A build without the decoders.
    #[error("«{}» is a folder, and this build reads no PNG or JPEG images; enable the feature `images`", path.display())]
    NoDecoders {
        /// The folder.
        path: PathBuf,
    },
}
