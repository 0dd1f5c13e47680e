//! Rows of a matrix, copied together.

use thalweg_optim::kernel::{LINE, prefetch};

/// How far ahead of the copying the memory is asked for rows, in bytes.
const AHEAD: usize = 4096;

/// `to` ← the rows `rows` of a matrix whose rows are `width` numbers long.
///
/// They lie anywhere, so the CPU cannot guess which is next: without being asked ahead, it waits for each.
pub fn gather<T: Copy>(from: &[T], width: usize, rows: &[u32], to: &mut Vec<T>) {
    to.clear();
    let start = |row: u32| row as usize * width;
    let ahead = AHEAD / (width * size_of::<T>()).max(1) + 1;
    let ask =
        |row: u32| (0..width).step_by(LINE / size_of::<T>()).for_each(|at| prefetch(from, start(row) + at));
    rows.iter().take(ahead).for_each(|&row| ask(row));
    for (index, &row) in rows.iter().enumerate() {
        if let Some(&later) = rows.get(index + ahead) {
            ask(later);
        }
        to.extend_from_slice(&from[start(row)..][..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_asked_for_and_as_often() {
        let from: Vec<u16> = (0..3000).collect();
        for width in [1, 3, 50, 1500] {
            let last = (from.len() / width - 1) as u32;
            let rows = [last, 0, last / 2, 0];
            let mut to = vec![7; 5];
            gather(&from, width, &rows, &mut to);
            let plain: Vec<u16> =
                rows.iter().flat_map(|&row| from[row as usize * width..][..width].to_vec()).collect();
            assert_eq!(to, plain, "rows of {width}");
        }
        let mut none = vec![1];
        gather(&from, 3, &[], &mut none);
        assert!(none.is_empty());
    }
}
