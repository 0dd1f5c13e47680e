//! Known headers, and every way in which a file can be wrong. What NumPy itself writes is read in the tests of the crate.

use super::*;

/// A file of version 1 with any header and body.
fn file(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(body);
    bytes
}

fn header(descr: &str, order: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n")
}

fn refused(bytes: &[u8], words: &[&str]) {
    let error = parse("x.npy", bytes).expect_err("no array").to_string();
    for word in words.iter().chain(&["x.npy"]) {
        assert!(error.contains(word), "no «{word}» in: {error}");
    }
}

#[test]
fn each_version_of_the_header_is_read() {
    let text = header("|u1", "False", "(3,)");
    let expected = Array { shape: vec![3], data: ArrayData::Bytes(vec![7, 8, 9]) };
    let one = file(&text, &[7, 8, 9]);
    assert_eq!(parse("x", &one).expect("an array"), expected);
    for version in [2, 3] {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(&one[10..]);
        assert_eq!(parse("x", &bytes).expect("an array"), expected);
    }
    // Keys in another order, and the other spaces that Python allows.
    let other = "{'shape':( 1,3 ), 'fortran_order':False,'descr':'<u1'}";
    assert_eq!(parse("x", &file(other, &[7, 8, 9])).expect("an array").shape, [1, 3]);
}

#[test]
fn what_is_not_read_says_what_to_do() {
    refused(b"", &["does not start like one", "numpy.save"]);
    refused(b"PK\x03\x04", &["does not start like one"]);
    refused(b"\x93NUMPY\x01\x00\xff", &["within its header"]);
    refused(b"\x93NUMPY\x01\x00\xff\x00{}", &["within its header"]);
    refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}", &["within its header"]);
    refused(b"\x93NUMPY\x09\x00\x00\x00{}", &["version 9"]);
    refused(&file("{}", &[]), &["its header says «{}»"]);
    refused(&file("\u{fffd}", &[]), &["its header says"]);
    let mut latin = file("{'descr': 'e'}", &[]);
    latin[12] = 0xe9;
    refused(&latin, &["no text"]);
    let one = |descr, order, shape, body: &[u8]| file(&header(descr, order, shape), body);
    refused(&one("<f4", "True", "(1, 1)", &[0; 4]), &["Fortran order", "ascontiguousarray"]);
    refused(&one("<f4", "Maybe", "(1, 1)", &[0; 4]), &["its header says"]);
    refused(&one(">f4", "False", "(1,)", &[0; 4]), &["«>f4»", "astype"]);
    refused(&one("|O", "False", "(1,)", &[0; 8]), &["«|O»", "astype"]);
    refused(&one("<c8", "False", "(1,)", &[0; 8]), &["«<c8»"]);
    refused(&one("", "False", "(1,)", &[0; 8]), &["«»"]);
    refused(&one("é4", "False", "(1,)", &[0; 8]), &["«é4»"]);
    refused(&one("<U1", "False", "(1,)", &[0, 0, 0x11, 0]), &["«<U1»"]);
    refused(
        &file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", &[0; 4]),
        &["structured"],
    );
    refused(&one("<f4", "False", "()", &[0; 4]), &["single value"]);
    refused(&one("<f4", "False", "(2, -1)", &[0; 4]), &["its header says"]);
    refused(&one("<f4", "False", "(0, 3)", &[]), &["0 × 3", "empty"]);
}

#[test]
fn a_file_of_another_length_than_it_says_is_refused() {
    let one = |shape, len| file(&header("<f4", "False", shape), &vec![0; len]);
    refused(&one("(2, 3)", 23), &["2 × 3, 24 bytes", "has 23"]);
    refused(&one("(2, 3)", 25), &["24 bytes", "more"]);
    refused(&one("(4000000000, 4000000000, 4000000000)", 5), &["has 5"]);
    refused(&one("(4294967294, 1000000)", 5), &["has 5"]);
    refused(&one("(4294967295,)", 5), &["4294967295 rows"]);
}

#[test]
fn the_labels_are_beside() {
    let beside = |name: &str| labels_beside(Path::new(name)).first().map(|path| path.display().to_string());
    assert_eq!(beside("d/x.npy").as_deref(), Some("d/y.npy"));
    assert_eq!(beside("d/X_train.npy").as_deref(), Some("d/y_train.npy"));
    assert_eq!(beside("images.npy").as_deref(), Some("labels.npy"));
    assert_eq!(beside("data.npy"), None);
}
