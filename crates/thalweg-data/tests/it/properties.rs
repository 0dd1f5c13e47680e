//! Laws that hold for every input.

use proptest::collection::vec;
use proptest::prelude::*;
use thalweg_data::read::csv::{CsvOptions, parse};
use thalweg_data::{HeaderMode, Split, Table, TrainView, Values, View, builtin};

/// The texts of a table's cells; `None` where missing.
fn texts(table: &Table) -> Vec<Vec<Option<String>>> {
    let cell = |values: &Values, row: usize| match values {
        Values::Text { codes, levels } => levels.get(codes[row] as usize).cloned(),
        other => panic!("read as {}", other.kind()),
    };
    (0..table.rows())
        .map(|row| table.columns.iter().map(|column| cell(&column.values, row)).collect())
        .collect()
}

/// A text that starts and ends with a letter, so that it is neither trimmed nor missing nor a number.
fn field() -> impl Strategy<Value = String> {
    "x[a-zé,;\"\t \r\n|0-9]{0,8}x"
}

/// Two to four columns and one to six rows.
fn fields() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2..5_usize).prop_flat_map(|width| vec(vec(field(), width), 1..7))
}

proptest! {
    #[test]
    fn quoted_csv_round_trips(rows in fields(), at in 0..4_usize, crlf: bool, bom: bool, space: bool) {
        let separator = [",", ";", "\t", "|"][at].to_owned() + if space { " " } else { "" };
        let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let width = rows[0].len();
        let names = (1..=width).map(|at| format!("c{at}")).collect::<Vec<_>>().join(&separator);
        let lines: Vec<String> =
            rows.iter().map(|row| row.iter().map(quote).collect::<Vec<_>>().join(&separator)).collect();
        let end = if crlf { "\r\n" } else { "\n" };
        let text = format!("{}{names}{end}{}{end}", if bom { "\u{feff}" } else { "" }, lines.join(end));
        let options = CsvOptions { header: HeaderMode::Yes, ..CsvOptions::default() };
        let table = parse("t", text.into_bytes(), &options).expect("a table");
        let expected: Vec<Vec<Option<String>>> = rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
        prop_assert_eq!(texts(&table), expected);
    }

    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes in vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'"'), Just(b'1')], 0..200)) {
        if let Ok(table) = parse("t", bytes, &CsvOptions::default()) {
            prop_assert!(table.rows() > 0);
            prop_assert!(table.columns.iter().all(|column| column.values.len() == table.lines.len()));
        }
    }

    #[test]
    fn numbers_keep_their_bits(values in vec(-1e300..1e300_f64, 2..50)) {
        let text = values.iter().fold("x\n".to_owned(), |text, value| format!("{text}{value}\n"));
        let table = parse("t", text.into_bytes(), &CsvOptions::default()).expect("a table");
        prop_assert_eq!(table.columns[0].values.numbers(), Some(values.as_slice()));
    }

    #[test]
    fn an_inner_split_stays_within_its_outer_part(outer in vec(0..3_u8, 150), inner in vec(any::<bool>(), 150)) {
        let part = |wanted: u8| (0..150).filter(|&row| outer[row as usize] == wanted).collect::<Vec<u32>>();
        prop_assume!(part(0).len() > 1 && !part(1).is_empty());
        let data = builtin::find("iris").expect("iris").load();
        let split = Split::new(150, part(0), part(1));
        let (train, test) = split.views(&data);
        let (kept, held): (Vec<u32>, Vec<u32>) = (0..train.rows().len() as u32).partition(|&row| inner[row as usize]);
        prop_assume!(!kept.is_empty() && !held.is_empty());
        let (fit, validation) = train.inner(&Split::new(train.rows().len(), kept, held));
        let mut union: Vec<u32> = fit.rows().iter().chain(validation.rows()).copied().collect();
        union.sort_unstable();
        prop_assert_eq!(&union, train.rows());
        prop_assert!(union.iter().all(|row| !test.rows().contains(row)));
        prop_assert!(fit.rows().windows(2).all(|pair| pair[0] < pair[1]));
        let all = TrainView::all(&data).describe();
        let described = fit.describe();
        let (Some(of_all), Some(of_fit)) = (all.classes, described.classes) else { panic!("iris has classes") };
        prop_assert!(fit.rows().iter().zip(of_fit.iter()).all(|(&row, &class)| of_all[row as usize] == class));
    }
}
