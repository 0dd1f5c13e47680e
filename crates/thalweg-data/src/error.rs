//! Why a table does not become a data set: what, where, and what to do.

use crate::arrays::ArrayError;
use crate::images::ImageShape;
use crate::read::ReadError;

/// Why a data set could not be made. Each message names the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Arrays that make no table.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// Neither a built-in set nor a file.
    #[error("there is no built-in data set «{name}», nor a file of that name{hint} Built in are: {known}")]
    UnknownDataset {
        /// What was asked for.
        name: String,
        /// «did you mean», ready to be appended.
        hint: String,
        /// The built-in names.
        known: String,
    },
    /// No target column was named.
    #[error(
        "{source_name}: which column is to be predicted? Name it with --target; the columns are: {columns}"
    )]
    NoTarget {
        /// The file.
        source_name: String,
        /// Its columns.
        columns: String,
    },
    /// A column that is not there.
    #[error("{source_name} has no column «{name}» ({role}){hint} The columns are: {columns}")]
    UnknownColumn {
        /// The file.
        source_name: String,
        /// The flag that named it.
        role: &'static str,
        /// The name.
        name: String,
        /// «did you mean», ready to be appended.
        hint: String,
        /// The columns there are.
        columns: String,
    },
    /// A column that was there in training is not there.
    #[error(
        "{source_name} has no column «{name}», which the model was trained on{hint} Add it (its cells may be empty where \
         the value is not known), or rename the column that holds it. The columns are: {columns}"
    )]
    MissingColumn {
        /// The file.
        source_name: String,
        /// The name.
        name: String,
        /// «did you mean», ready to be appended.
        hint: String,
        /// The columns there are.
        columns: String,
    },
    /// A cell that is not what its column was in training.
    #[error(
        "{place}, column «{column}»: «{cell}» is not {expected}, which this column was in training; mend the cell, or \
         leave it empty if the value is missing"
    )]
    WrongKind {
        /// File and line.
        place: String,
        /// The column.
        column: String,
        /// The cell's text.
        cell: String,
        /// What it must be.
        expected: String,
    },
    /// One column with two roles that exclude each other.
    #[error("column «{column}» is named by both {first} and {second}; it can be only one of them")]
    RoleClash {
        /// The column.
        column: String,
        /// The first flag.
        first: &'static str,
        /// The second flag.
        second: &'static str,
    },
    /// NaN or ∞ in a column of numbers.
    #[error(
        "{place}, column «{column}»: «{cell}» is not a finite number; if it means a missing value, leave the cell empty \
         or name it with --missing {cell}; otherwise mend the cell or leave the column out with --ignore {column}"
    )]
    NotFinite {
        /// File and line.
        place: String,
        /// The column.
        column: String,
        /// The cell's text.
        cell: String,
    },
    /// A regression target with text in it.
    #[error(
        "{place}: the target «{column}» must be a number for regression, but is «{cell}»; mend the cell, name it with \
         --missing {cell} if it means a missing value, or predict classes with --task classification"
    )]
    NonNumericTarget {
        /// File and line.
        place: String,
        /// The column.
        column: String,
        /// The cell's text.
        cell: String,
    },
    /// A target that never varies.
    #[error(
        "{source_name}: the target «{column}» is «{value}» in every row; there is nothing to predict, choose another \
         --target or add rows with other values"
    )]
    ConstantTarget {
        /// The file.
        source_name: String,
        /// The column.
        column: String,
        /// The only class, or the only value.
        value: String,
    },
    /// A target without any value.
    #[error("{source_name}: the target «{column}» is missing in every row; choose another --target")]
    EmptyTarget {
        /// The file.
        source_name: String,
        /// The column.
        column: String,
    },
    /// A row whose group or time is missing.
    #[error("{place}: {role} «{column}» is missing here; fill it in or take the row out")]
    MissingKey {
        /// File and line.
        place: String,
        /// What the column is for (`the group`, `the time`).
        role: &'static str,
        /// The column.
        column: String,
    },
    /// A time column that is no time.
    #[error(
        "{place}: the time «{column}» is «{cell}»; expected a number or a date such as 2024-01-31, in every row alike"
    )]
    NotATime {
        /// File and line.
        place: String,
        /// The column.
        column: String,
        /// The cell's text.
        cell: String,
    },
    /// No column left to learn from.
    #[error(
        "{source_name}: no feature is left beside the target «{target}»{left_out}; keep a column with --keep, or learn \
         from the series' own past with --lags 12"
    )]
    NoFeatures {
        /// The file.
        source_name: String,
        /// The target.
        target: String,
        /// What was left out, ready to be appended.
        left_out: String,
    },
    /// Lags of something other than a series of numbers.
    #[error("--lags needs {needed}; {remedy}")]
    LagsImpossible {
        /// What it needs.
        needed: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// More lags than rows to lag.
    #[error(
        "--lags {lags} leaves {left} of the {rows} rows of «{target}» to learn from, and at least 2 are needed; ask for \
         at most {most} lags"
    )]
    TooManyLags {
        /// The lags asked for.
        lags: usize,
        /// The rows with a target.
        rows: usize,
        /// The rows left.
        left: usize,
        /// The most lags that are possible.
        most: usize,
        /// The target.
        target: String,
    },
    /// A column that has the name of a lag.
    #[error(
        "{source_name}: the column «{column}» has the name of a lagged feature; rename it, or --ignore {column}"
    )]
    LagNameTaken {
        /// The file.
        source_name: String,
        /// The column.
        column: String,
    },
    /// A set that is known but not on this computer.
    #[error(
        "the data set «{name}» is not installed: there is no {file} in {folders}. On Debian and Ubuntu: sudo apt install \
         {package}. Elsewhere, get the files from {home} and name the one of images, such as \
         ./train-images-idx3-ubyte.gz"
    )]
    NotInstalled {
        /// Its name.
        name: &'static str,
        /// The file that was looked for.
        file: &'static str,
        /// Where.
        folders: String,
        /// The package that brings it.
        package: &'static str,
        /// Where it comes from.
        home: &'static str,
    },
    /// Columns that are not the pixels of an image of that shape.
    #[error(
        "{source_name}: an image of {shape} has {expected} pixels, but {found}; give --image the shape that they have, or \
         --ignore the columns that are no pixels"
    )]
    NotPixels {
        /// The file.
        source_name: String,
        /// The shape that was asked for.
        shape: ImageShape,
        /// height · width · channels.
        expected: usize,
        /// What there is, in words.
        found: String,
    },
    /// The image form of data that are no images.
    #[error(
        "{name} is no set of images, as a network of convolutions needs them; if its columns are the pixels of images, \
         say of which shape, such as --image 28x28 or --image 32x32x3"
    )]
    NoImages {
        /// The data set.
        name: String,
    },
    /// New rows of another kind than the training rows.
    #[error("{name} holds {found}, but the model was trained on {trained_on}; name a file of those")]
    OtherInputs {
        /// The file.
        name: String,
        /// What it holds.
        found: &'static str,
        /// What the model takes.
        trained_on: String,
    },
    /// A setting about columns, and there are none.
    #[error("{source_name} holds images, which have no columns; leave {flag} out")]
    ColumnOfImages {
        /// The file.
        source_name: String,
        /// The flag.
        flag: &'static str,
    },
    /// Another shape than the one that the file has.
    #[error(
        "{source_name}: its images are {found}, not {asked}; give images of {asked}, or leave --image out if it is given"
    )]
    OtherShape {
        /// The file.
        source_name: String,
        /// The images' shape.
        found: ImageShape,
        /// The shape that was asked for.
        asked: ImageShape,
    },
    /// Not a label per image.
    #[error(
        "{source_name} has {images} images, but {labels_source} has {labels} labels; there must be one for each"
    )]
    LabelCount {
        /// The images' file.
        source_name: String,
        /// How many there are.
        images: usize,
        /// The labels' file.
        labels_source: String,
        /// How many there are.
        labels: usize,
    },
    /// ∞ among the pixels.
    #[error(
        "{source_name}: a pixel of image {row} (counted from 0) is {value}; pixels must be finite, and NaN marks a missing \
         one"
    )]
    InfinitePixel {
        /// The file.
        source_name: String,
        /// The image, from 0.
        row: usize,
        /// ∞ or −∞.
        value: f32,
    },
}
