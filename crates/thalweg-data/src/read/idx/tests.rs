//! Known bytes, and every way in which they can be wrong.

use std::io::Write;

use super::*;

/// An IDX file of bytes 0, 1, 2, ….
fn file(sizes: &[u32], numbers: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend((0..numbers).map(|at| at as u8));
    bytes
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn refused(bytes: Vec<u8>, words: &[&str]) {
    let error = parse_images("t-images-idx3-ubyte", bytes).expect_err("no images").to_string();
    for word in words.iter().chain(&["t-images-idx3-ubyte"]) {
        assert!(error.contains(word), "no «{word}» in: {error}");
    }
}

#[test]
fn known_bytes_are_images() {
    let expected = |channels| Images {
        shape: ImageShape { height: 2, width: 3, channels },
        pixels: Pixels::Bytes((0..12 * channels as u8).collect()),
    };
    assert_eq!(parse_images("t", file(&[2, 2, 3], 12)).expect("images"), expected(1));
    assert_eq!(parse_images("t", packed(&file(&[2, 2, 3], 12))).expect("images"), expected(1));
    assert_eq!(parse_images("t", file(&[2, 2, 3, 2], 24)).expect("images"), expected(2));
    assert_eq!(parse_labels("t", file(&[3], 3)).expect("labels"), [0, 1, 2]);
}

#[test]
fn what_is_no_file_of_images_is_refused() {
    refused(vec![], &["starts with nothing", "00 00 08 03"]);
    refused(vec![0, 0], &["starts with 00 00,"]);
    refused(file(&[3], 3), &["starts with 00 00 08 01"]);
    refused(b"\x89PNG\r\n".to_vec(), &["starts with 89 50 4e 47"]);
    let mut floats = file(&[1, 1, 1], 4);
    floats[2] = 0x0d;
    refused(floats, &["starts with 00 00 0d 03"]);
    assert!(matches!(parse_labels("t", file(&[1, 1, 1], 1)), Err(ReadError::NotIdx { .. })));
}

#[test]
fn a_file_of_another_length_than_it_says_is_refused() {
    refused(file(&[2, 2, 3], 11), &["2 × 2 × 3", "12 bytes", "has 11"]);
    refused(file(&[2, 2, 3], 13), &["2 × 2 × 3", "more"]);
    refused(packed(&file(&[2, 2, 3], 11)), &["12 bytes", "has 11"]);
    refused(file(&[2, 2, 3], 12)[..9].to_vec(), &["3 sizes", "12 bytes", "has 5"]);
    let whole = packed(&file(&[20, 20, 30], 12_000));
    refused(whole[..whole.len() - 30].to_vec(), &["cut-off gzip"]);
}

#[test]
fn a_huge_claim_takes_no_memory() {
    refused(file(&[u32::MAX - 1, 1 << 20, 1], 5), &["has 5"]);
    refused(file(&[u32::MAX - 1, u32::MAX, u32::MAX], 5), &["has 5"]);
    refused(packed(&file(&[u32::MAX - 1, u32::MAX, 1], 5)), &["has 5"]);
    refused(file(&[u32::MAX, 1, 1], 5), &["4294967295 rows"]);
}

#[test]
fn nothing_is_no_image() {
    refused(file(&[0, 2, 3], 0), &["0 × 2 × 3", "empty"]);
    refused(file(&[2, 2, 0], 0), &["2 × 2 × 0", "empty"]);
}

#[test]
fn the_labels_are_beside() {
    let beside = |name: &str| -> Vec<String> {
        labels_beside(Path::new(name)).iter().map(|path| path.display().to_string()).collect()
    };
    assert_eq!(
        beside("images/train-images-idx3-ubyte.gz"),
        ["images/train-labels-idx1-ubyte.gz", "images/train-labels-idx1-ubyte"]
    );
    assert_eq!(beside("t10k-images.idx4-ubyte")[0], "t10k-labels.idx1-ubyte");
    assert!(beside("pictures.idx").is_empty());
    assert!(is_idx("train-images-idx3-ubyte.gz") && is_idx("a.idx") && !is_idx("ubyte.csv"));
}
