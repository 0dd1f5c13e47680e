//! `train`, `predict` and `export`: a model from the file of its data to predictions and ONNX.

mod bad_input;
mod folder;
mod images;
mod onnx;
mod predict;

use crate::common::{Folder, csv};

/// Rows of every kind of column, with gaps: numbers, a date, a boolean, a category, one with rare levels, a constant.
pub(crate) fn mixed(rows: usize) -> String {
    csv("age,joined,member,city,job,flat,y,price", rows, |i| {
        let gap = |every: usize, text: String| if i % every == every - 1 { String::new() } else { text };
        let age = gap(11, format!("{}.5", i * 7 % 41));
        let joined = gap(13, format!("20{:02}-{:02}-{:02}", i % 24, i % 12 + 1, i % 28 + 1));
        let member = gap(17, ["yes", "no", "Yes"][i * i % 3].to_owned());
        let city = gap(7, ["Rome", "Oslo", "\"Paris, F\"", "Köln"][i * 5 % 4].to_owned());
        // Sixty levels, of which eleven share a column.
        let job = format!("j{:02}", if i < 200 { i % 60 } else { i % 7 });
        let class = if i * 7 % 41 > 20 { "high" } else { "low" };
        format!("{age},{joined},{member},{city},{job},5,{class},{}.25", i * 3 % 17)
    })
}

/// How `mixed` is trained on: with its dates as numbers.
pub(crate) const MIXED: &str = "--target y --keep joined --ignore price --epochs 3 --hidden 6 --quiet";

/// A folder with `mixed.csv` and a model of it, `m`.
pub(crate) fn with_model(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("mixed.csv", mixed(260));
    folder.good(&format!("train mixed.csv {MIXED} --out m"));
    folder
}

/// An NPY file of bytes.
pub(crate) fn npy(sizes: &[usize], bytes: &[u8]) -> Vec<u8> {
    let sizes: String = sizes.iter().map(|size| format!("{size}, ")).collect();
    let mut header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({sizes}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}
