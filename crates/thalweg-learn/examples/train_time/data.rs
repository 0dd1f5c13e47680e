//! What is learned: 2,048 made-up rows that every contender makes alike, and Fashion-MNIST.

use std::fs;
use std::path::Path;

use thalweg_learn::nn::Shape;

use crate::networks::Network;

const ROWS: u32 = 2048;
/// These keep the numbers of classes and centres apart from those of the noise.
const CLASSES: u32 = 0x5000_0000;
const OTHERS: u32 = 0x5800_0000;
const CENTRES: u32 = 0x6000_0000;
/// Centres differ in runs of so many numbers in an image, so that averages over pixels tell classes apart.
const RUN: u32 = 64;

/// Rows and their classes.
pub(crate) struct Set {
    /// Row-major.
    pub(crate) x: Vec<f32>,
    /// A class a row.
    pub(crate) y: Vec<u32>,
}

impl Set {
    /// Each row is 0.7 of its class's centre, and noise; all numbers uniform in [−1, 1). Rows come in pairs of equal
    /// numbers, and half of the pairs have two classes: so nothing learns them by heart, and gradients never vanish,
    /// however long it is timed. At best 3/4 of the rows are right, at a loss of ln(2)/2.
    pub(crate) fn made_up(network: &Network) -> Self {
        let width = network.shape.len() as u32;
        let run = if matches!(network.shape, Shape::Flat(_)) { 1 } else { RUN };
        let mut set = Self { x: Vec::with_capacity((ROWS * width) as usize), y: Vec::new() };
        for row in 0..ROWS {
            let pair = row / 2;
            let class = mix(pair ^ CLASSES) % network.classes;
            let centre = |at| uniform((class * 4096 + at / run) ^ CENTRES);
            set.x.extend((0..width).map(|at| 0.7 * centre(at) + uniform(pair * width + at)));
            let other = row % 2 * (mix(pair ^ OTHERS) % 2);
            set.y.push((class + other) % network.classes);
        }
        set
    }

    /// Images and labels from two IDX files, unpacked: a byte a pixel, to [0, 1].
    pub(crate) fn idx(folder: &Path, part: &str) -> Self {
        let read = |kind: &str, header: usize| {
            let path = folder.join(format!("{part}-{kind}-ubyte"));
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            bytes[header..].to_vec()
        };
        Self {
            x: read("images-idx3", 16).into_iter().map(|byte| f32::from(byte) / 255.0).collect(),
            y: read("labels-idx1", 8).into_iter().map(u32::from).collect(),
        }
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.y.len()
    }
}

/// A bijection of 32 bits that spreads every bit (the finalizer of MurmurHash3; Appleby 2011).
fn mix(value: u32) -> u32 {
    let value = value.wrapping_mul(0x9e37_79b1);
    let value = (value ^ (value >> 16)).wrapping_mul(0x85eb_ca6b);
    let value = (value ^ (value >> 13)).wrapping_mul(0xc2b2_ae35);
    value ^ (value >> 16)
}

fn uniform(value: u32) -> f32 {
    (mix(value) >> 8) as f32 / 8_388_608.0 - 1.0
}
