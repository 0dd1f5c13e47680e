//! The made-up rows of `crates/thalweg-learn/examples/train_time/data.rs`, which says why; images with the channels first.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// The number of rows.
pub(crate) const ROWS: usize = 2048;

/// Rows and their classes.
pub(crate) struct Set {
    /// A row each.
    pub(crate) x: Tensor<2>,
    /// A class a row.
    pub(crate) y: Tensor<1, Int>,
}

impl Set {
    /// `shape` is the width, or height, width and channels.
    pub(crate) fn made_up(shape: &[usize], classes: u32, device: &Device) -> Self {
        let width = shape.iter().product::<usize>();
        let (run, channels) = if shape.len() == 3 { (64, shape[2]) } else { (1, 1) };
        let (mut x, mut y) = (Vec::with_capacity(ROWS * width), Vec::with_capacity(ROWS));
        for row in 0..ROWS as u32 {
            let pair = row / 2;
            let class = mix(pair ^ 0x5000_0000) % classes;
            let number = |at: usize| {
                let at = at as u32;
                let centre = uniform((class * 4096 + at / run) ^ 0x6000_0000);
                0.7 * centre + uniform(pair * width as u32 + at)
            };
            for channel in 0..channels {
                x.extend((channel..width).step_by(channels).map(number));
            }
            let other = row % 2 * (mix(pair ^ 0x5800_0000) % 2);
            y.push(((class + other) % classes) as i32);
        }
        Self {
            x: Tensor::from_data(TensorData::new(x, [ROWS, width]), device),
            y: Tensor::from_data(TensorData::new(y, [ROWS]), device),
        }
    }
}

fn mix(value: u32) -> u32 {
    let value = value.wrapping_mul(0x9e37_79b1);
    let value = (value ^ (value >> 16)).wrapping_mul(0x85eb_ca6b);
    let value = (value ^ (value >> 13)).wrapping_mul(0xc2b2_ae35);
    value ^ (value >> 16)
}

fn uniform(value: u32) -> f32 {
    (mix(value) >> 8) as f32 / 8_388_608.0 - 1.0
}
