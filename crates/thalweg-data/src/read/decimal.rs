//! Decimal commas: `3,14` in files whose fields are separated by semicolons, as spreadsheets save them in most of
//! Europe and South America.

use crate::infer::{Cells, Kind, Missing, kind};

/// The cells with decimal points, if they are numbers with decimal commas; else as they are. The first row may be a
/// name. (In such files a comma is never taken as a thousands separator.)
pub(super) fn points(cells: Cells, missing: Missing<'_>) -> Cells {
    if kind(&cells, 1, usize::MAX, missing) != Kind::Text {
        return cells;
    }
    let mut pointed = Cells::default();
    for (row, cell) in cells.iter_from(0).enumerate() {
        let number = cell.replacen(',', ".", 1);
        let is_name = row == 0 && number.parse::<f64>().is_err();
        pointed.push(if is_name || missing.is(cell) { cell } else { &number });
    }
    match kind(&pointed, 1, usize::MAX, missing) {
        Kind::Integer | Kind::Real => pointed,
        _ => cells,
    }
}
