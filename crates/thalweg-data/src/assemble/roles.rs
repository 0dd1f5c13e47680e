//! Which column is what.

use thalweg_optim::suggest::did_you_mean;

use super::suspects;
use crate::error::DataError;
use crate::spec::DatasetSpec;
use crate::table::{Table, Values};

/// Positions of columns by their role.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) target: usize,
    pub(super) group: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) features: Vec<usize>,
    /// The names of columns that were left out without being asked.
    pub(super) left_out: Vec<String>,
}

impl Roles {
    /// The roles that `spec` gives, or that follow from the columns' types.
    pub(super) fn of(
        table: &Table,
        spec: &DatasetSpec,
        warnings: &mut Vec<String>,
    ) -> Result<Self, DataError> {
        let find = |name: &str, role| find(table, name, role);
        let all =
            |names: &[String], role| names.iter().map(|name| find(name, role)).collect::<Result<Vec<_>, _>>();
        let Some(target) = &spec.target else {
            return Err(DataError::NoTarget { source_name: table.source.clone(), columns: columns(table) });
        };
        let target = find(target, "--target")?;
        let group = spec.group.as_deref().map(|name| find(name, "--group")).transpose()?;
        let named_time = spec.time.as_deref().map(|name| find(name, "--time")).transpose()?;
        let (ignore, keep) = (all(&spec.ignore, "--ignore")?, all(&spec.keep, "--keep")?);
        let mut named: Vec<(usize, &'static str)> = vec![(target, "--target")];
        named.extend(group.map(|at| (at, "--group")));
        named.extend(named_time.map(|at| (at, "--time")));
        named.extend(ignore.iter().map(|&at| (at, "--ignore")));
        let kept = keep.iter().map(|&at| (at, "--keep"));
        refuse_clashes(table, named.into_iter().chain(kept))?;
        if let Some(time) = named_time {
            check_time(table, time)?;
        }

        let free =
            |at: &usize| ![Some(target), group, named_time].contains(&Some(*at)) && !ignore.contains(at);
        let mut features: Vec<usize> = (0..table.columns.len()).filter(free).collect();
        let time = match named_time {
            Some(time) => Some(time),
            None => time_axis(table, &features, &keep, group.is_some(), warnings),
        };
        features.retain(|&at| Some(at) != time);
        warn_of_dates(table, &features, &keep, warnings);
        let mut left_out = Vec::new();
        features.retain(|&at| {
            let column = &table.columns[at];
            let why = suspects::identifier(&column.values).filter(|_| !keep.contains(&at));
            if let Some(why) = why {
                warnings.push(format!(
                    "Column «{0}» looks like an identifier ({why}) and is left out; --keep {0} makes it a feature.",
                    column.name
                ));
                left_out.push(column.name.clone());
            }
            why.is_none()
        });
        Ok(Self { target, group, time, features, left_out })
    }
}

/// The position of a column.
fn find(table: &Table, name: &str, role: &'static str) -> Result<usize, DataError> {
    table.position(name.trim()).ok_or_else(|| {
        let hint = did_you_mean(name, table.names());
        DataError::UnknownColumn {
            source_name: table.source.clone(),
            role,
            name: name.to_owned(),
            hint: if hint.is_empty() { ".".to_owned() } else { hint },
            columns: columns(table),
        }
    })
}

/// Two roles of one column exclude each other; the same role twice is harmless.
fn refuse_clashes(
    table: &Table,
    named: impl Iterator<Item = (usize, &'static str)>,
) -> Result<(), DataError> {
    let mut seen: Vec<(usize, &'static str)> = Vec::new();
    for (at, second) in named {
        if let Some(&(_, first)) = seen.iter().find(|&&(other, role)| other == at && role != second) {
            return Err(DataError::RoleClash { column: table.columns[at].name.clone(), first, second });
        }
        seen.push((at, second));
    }
    Ok(())
}

/// A time must be numbers or dates.
fn check_time(table: &Table, time: usize) -> Result<(), DataError> {
    let column = &table.columns[time];
    let Values::Text { codes, levels } = &column.values else { return Ok(()) };
    let odd = |level: &String| level.parse::<f64>().is_err() && crate::date::parse_days(level).is_none();
    let row = codes.iter().position(|&code| levels.get(code as usize).is_some_and(odd));
    let row = row.or_else(|| codes.iter().position(|&code| code != crate::MISSING)).unwrap_or(0);
    let cell = levels.get(codes[row] as usize).cloned().unwrap_or_default();
    Err(DataError::NotATime { place: table.place(row), column: column.name.clone(), cell })
}

/// The only column of dates, if nothing speaks against its being the time axis.
fn time_axis(
    table: &Table,
    features: &[usize],
    keep: &[usize],
    grouped: bool,
    warnings: &mut Vec<String>,
) -> Option<usize> {
    let dates = |at: &&usize| matches!(table.columns[**at].values, Values::Dates(_));
    let mut found = features.iter().filter(dates);
    let (Some(&only), None, false) = (found.next(), found.next(), grouped) else { return None };
    let column = &table.columns[only];
    if keep.contains(&only) || column.values.missing() > 0 {
        return None;
    }
    warnings.push(format!(
        "Column «{0}» holds dates and is taken as the time axis, not as a feature: rows are ordered by it, and unless \
         --cv says otherwise the past predicts the future; --keep {0} makes it a feature, --ignore {0} leaves it out.",
        column.name
    ));
    Some(only)
}

/// Dates that are features are numbers.
fn warn_of_dates(table: &Table, features: &[usize], keep: &[usize], warnings: &mut Vec<String>) {
    for &at in features.iter().filter(|at| !keep.contains(at)) {
        let column = &table.columns[at];
        if matches!(column.values, Values::Dates(_)) {
            warnings.push(format!(
                "Column «{0}» holds dates and is used as a number (days since 1970); --time {0} makes it the time axis, \
                 --ignore {0} leaves it out.",
                column.name
            ));
        }
    }
}

/// The columns there are, and what to do if they are only numbered.
fn columns(table: &Table) -> String {
    let numbered = table.names().enumerate().all(|(at, name)| name == format!("c{}", at + 1));
    let hint =
        if numbered { " (line 1 was taken as data; if it names the columns, --header yes)" } else { "" };
    list(table.names()) + hint
}

/// Names in a row, cut when there are too many to read.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let names: Vec<&str> = names.collect();
    match names.len() {
        0..=MOST => names.join(", "),
        all => format!("{}, … ({all} in all)", names[..MOST].join(", ")),
    }
}
