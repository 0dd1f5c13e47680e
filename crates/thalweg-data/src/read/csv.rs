//! CSV and its kin: fields separated by commas, tabs, semicolons or bars, plain or gzipped.
//!
//! UTF-8 with or without a byte order mark; lines end in LF or CRLF; fields may be quoted, and a doubled quote stands
//! for one. With semicolons, numbers may have decimal commas. Spaces around a field are trimmed, quoted or not. Blank lines are skipped, so the gap in a file of a
//! single column must be written as a missing-value token. The whole file is held in memory while it is read.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::{HeaderMode, ReadError, bytes, decimal, header, quotes, sniff};
use crate::infer::{Cells, Missing, column, text_column};
use crate::schema::Schema;
use crate::table::Table;

/// How to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first row names the columns.
    pub header: HeaderMode,
    /// Further texts that mean «missing».
    pub extra_missing: Vec<String>,
}

/// The bounds beyond which a file is refused.
#[derive(Debug, Clone, Copy)]
struct Limits {
    rows: usize,
    field_bytes: usize,
}

/// Row numbers and codes are `u32`, whose largest value means «missing».
const LIMITS: Limits = Limits { rows: u32::MAX as usize - 1, field_bytes: 1 << 20 };

/// Reads a file.
///
/// # Errors
/// See [`ReadError`]: every way in which a file can fail to be a table.
pub fn read(path: &Path, options: &CsvOptions) -> Result<Table, ReadError> {
    read_with(path, options, None)
}

/// Reads a file with the columns of a schema.
pub(crate) fn read_like(path: &Path, schema: &Schema) -> Result<Table, ReadError> {
    read_with(path, &options_of(schema), Some(schema))
}

fn read_with(path: &Path, options: &CsvOptions, like: Option<&Schema>) -> Result<Table, ReadError> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = file_name.strip_suffix(".gz").unwrap_or(&file_name);
    let tabs = [".tsv", ".tab"].iter().any(|end| plain.to_ascii_lowercase().ends_with(end));
    let stem = plain.rsplit_once('.').map_or(plain, |(stem, _)| stem);
    let name = if stem.is_empty() { plain } else { stem };
    let loaded = bytes::load(path)?;
    parse_with(name, &path.display().to_string(), loaded, tabs.then_some(b'\t'), options, like, LIMITS)
}

/// Parses bytes that are already in memory (plain or gzipped), called `name` in errors.
///
/// # Errors
/// See [`ReadError`].
pub fn parse(name: &str, bytes: Vec<u8>, options: &CsvOptions) -> Result<Table, ReadError> {
    parse_with(name, name, bytes, None, options, None, LIMITS)
}

/// Parses bytes with the columns of a schema.
pub(crate) fn parse_like(name: &str, bytes: Vec<u8>, schema: &Schema) -> Result<Table, ReadError> {
    parse_with(name, name, bytes, None, &options_of(schema), Some(schema), LIMITS)
}

fn options_of(schema: &Schema) -> CsvOptions {
    CsvOptions { header: HeaderMode::Auto, extra_missing: schema.missing.clone() }
}

fn parse_with(
    name: &str,
    source: &str,
    bytes: Vec<u8>,
    delimiter: Option<u8>,
    options: &CsvOptions,
    like: Option<&Schema>,
    limits: Limits,
) -> Result<Table, ReadError> {
    let text = bytes::decode(source, bytes)?;
    let delimiter = delimiter.unwrap_or_else(|| sniff::delimiter(&text));
    let text = quotes::tidy(&text, delimiter)
        .map_err(|line| ReadError::UnclosedQuote { source_name: source.to_owned(), line })?;
    let (written, mut lines) = split(source, &text, delimiter, limits)?;
    let missing = Missing { extra: &options.extra_missing };
    let source_name = source.to_owned();
    if lines.is_empty() {
        return Err(ReadError::Empty { source_name });
    }
    let pointed: Vec<Cells>;
    let cells = if delimiter == b';' {
        pointed = written.iter().map(|cells| decimal::points(cells.clone(), missing)).collect();
        &pointed
    } else {
        &written
    };
    let mode = like.map_or(options.header, |schema| header_like(&written, schema));
    let headed = header::is_header(mode, cells, missing);
    let names = if headed {
        header::names(source, lines[0], cells)?
    } else {
        (1..=cells.len()).map(|at| format!("c{at}")).collect()
    };
    if headed {
        lines.remove(0);
    }
    if lines.is_empty() {
        return Err(ReadError::HeaderOnly { source_name });
    }
    let first = usize::from(headed);
    let typed = names.into_iter().zip(cells.iter().zip(&written)).map(|(name, (cells, written))| match like
        .is_some_and(|schema| schema.is_text(&name))
    {
        true => text_column(name, written, first, missing),
        false => column(name, cells, first, missing),
    });
    Ok(Table { name: name.to_owned(), source: source_name, columns: typed.collect(), lines })
}

/// A file that is to have a schema's columns has a header, unless they were only numbered and none is named.
fn header_like(cells: &[Cells], schema: &Schema) -> HeaderMode {
    let named = cells.iter().any(|cells| schema.columns.iter().any(|column| column.name == cells.get(0)));
    let number = |name: &str| name.strip_prefix('c').and_then(|at| at.parse::<usize>().ok());
    let numbered = schema.columns.iter().all(|column| number(&column.name).is_some());
    if numbered && !named { HeaderMode::No } else { HeaderMode::Yes }
}

/// The trimmed cells of each column and the line on which each row starts.
fn split(
    source: &str,
    text: &str,
    delimiter: u8,
    limits: Limits,
) -> Result<(Vec<Cells>, Vec<u64>), ReadError> {
    let source_name = || source.to_owned();
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut columns: Vec<Cells> = Vec::new();
    let mut lines: Vec<u64> = Vec::new();
    let fail = |cause| ReadError::Malformed { source_name: source_name(), cause };
    while reader.read_record(&mut record).map_err(fail)? {
        let line = record.position().map_or(0, |start| first_line(text, start));
        if record.len() == 1 && record[0].trim().is_empty() && (columns.len() != 1 || lines.is_empty()) {
            continue;
        }
        if lines.is_empty() {
            columns.resize_with(record.len(), Cells::default);
        }
        let (found, expected) = (record.len(), columns.len());
        if found != expected {
            let delimiter = sniff::name(delimiter);
            return Err(ReadError::Ragged { source_name: source_name(), line, found, expected, delimiter });
        }
        if lines.len() > limits.rows {
            return Err(ReadError::TooManyRows { source_name: source_name(), line, limit: limits.rows });
        }
        for (at, (cells, field)) in columns.iter_mut().zip(&record).enumerate() {
            if field.len() > limits.field_bytes {
                let before = record.iter().take(at).map(|field| field.matches('\n').count() as u64);
                return Err(ReadError::GiganticField {
                    source_name: source_name(),
                    line: line + before.sum::<u64>(),
                    column: at + 1,
                    len_bytes: field.len(),
                    limit_bytes: limits.field_bytes,
                });
            }
            cells.push(field.trim());
        }
        lines.push(line);
    }
    Ok((columns, lines))
}

/// The line on which a record starts: the decoder's own count is that of the line end before it, and of the first of
/// any blank lines there.
fn first_line(text: &str, start: &csv::Position) -> u64 {
    let before =
        text.as_bytes()[start.byte() as usize..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    start.line() + before.filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Values;

    fn table(text: &str) -> Table {
        parse("t.csv", text.as_bytes().to_vec(), &CsvOptions::default()).expect("a table")
    }

    fn names(text: &str) -> Vec<String> {
        table(text).names().map(str::to_owned).collect()
    }

    #[test]
    fn a_header_is_told_from_data() {
        for (text, expected) in [
            ("a,b\n1,2\n", vec!["a", "b"]),
            ("1,2\n3,4\n", vec!["c1", "c2"]),
            ("name,city\nann,rome\n", vec!["name", "city"]),
            ("ann,3\nbob,4\n", vec!["c1", "c2"]),
            (",x,y\n0,1,2\n", vec!["unnamed_1", "x", "y"]),
            ("0,1,2,3\n5.1,3.5,1.4,0.2\n", vec!["0", "1", "2", "3"]),
            ("0,1\n5,3\n", vec!["c1", "c2"]),
            ("5.1,?,setosa\n4.9,3.0,setosa\n", vec!["c1", "c2", "c3"]),
            ("day\n2020-01-01\n", vec!["day"]),
            ("7\n", vec!["c1"]),
        ] {
            assert_eq!(names(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_header_mode_overrules() {
        let options = |header| CsvOptions { header, ..CsvOptions::default() };
        let parsed = |header| parse("t", b"1,2\n3,4\n".to_vec(), &options(header)).expect("a table");
        assert_eq!(parsed(HeaderMode::Yes).names().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(parsed(HeaderMode::No).rows(), 2);
    }

    #[test]
    fn spaces_marks_and_line_ends_do_not_matter() {
        let plain = table("a,b\n1,x\n2,y z\n");
        for text in [
            "\u{feff}a,b\r\n1,x\r\n2,y z\r\n",
            " a , b \n 1,  x\n2 , \"y z\" \n\n",
            "a;b\n1;x\n2;y z",
            "a\tb\n1\tx\n2\ty z",
        ] {
            assert_eq!(table(text).columns, plain.columns, "{text:?}");
        }
    }

    #[test]
    fn commas_are_decimal_between_semicolons() {
        let numbers = |text: &str, at: usize| table(text).columns[at].values.numbers().map(<[f64]>::to_vec);
        let text = "a, b;c;d\n1,5;2,5,1;x,y\n-2;3;z\n?;1;w\n";
        assert_eq!(numbers(text, 0).map(|values| values[..2].to_vec()), Some(vec![1.5, -2.0]));
        assert_eq!(
            (table(text).columns[0].name.as_str(), numbers(text, 1), numbers(text, 2)),
            ("a, b", None, None)
        );
        assert_eq!(numbers("1,5;1\n2,5;2\n", 0), Some(vec![1.5, 2.5]));
        assert_eq!(numbers("a\tb\n1,5\t2\n", 0), None);
    }

    #[test]
    fn lines_are_counted_across_quoted_line_breaks() {
        assert_eq!(table("a,b\n\"1\n2\",3\n\n4,5\n").lines, [2, 5]);
        assert_eq!(table("\r\na,b\r\n\"1\r\n2\",3\r\n\r\n  \r\n4,5\r\n6,7").lines, [3, 7, 8]);
    }

    #[test]
    fn a_gap_in_a_single_column_is_a_token() {
        assert_eq!(table("y\n1\nNA\n3\n").columns[0].values.missing(), 1);
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { rows: 3, field_bytes: 10 };
        let run = |text: &str| parse_with("t", "t", text.into(), None, &CsvOptions::default(), None, limits);
        assert_eq!(run("a\n1\n2\n3\n").map(|table| table.rows()).ok(), Some(3));
        assert!(matches!(run("a\n1\n2\n3\n4\n"), Err(ReadError::TooManyRows { line: 5, .. })));
        let long = run("a,b\n1,2\n\"x\ny\",01234567890\n");
        assert!(matches!(long, Err(ReadError::GiganticField { line: 4, column: 2, len_bytes: 11, .. })));
    }

    #[test]
    fn gzip_is_known_by_its_bytes() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(b"a,b\n1,2\n").expect("memory");
        let bytes = packed.finish().expect("memory");
        let table = parse("t.csv", bytes.clone(), &CsvOptions::default()).expect("a table");
        assert_eq!(table.columns[1].values, Values::Integers(vec![2.0]));
        let cut = parse("t.csv", bytes[..bytes.len() - 6].to_vec(), &CsvOptions::default());
        assert!(matches!(cut, Err(ReadError::CorruptGzip { .. })));
    }
}
