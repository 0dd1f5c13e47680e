//! Pixels: standardized by channel, over all pixels of all training rows.

use serde::{Deserialize, Serialize};

use super::standardize::Standard;
use crate::dataset::{Feature, FeatureColumn};
use crate::images::{ImageShape, Images, Pixels};

/// x ↦ (x − mean) / std with one mean and one population standard deviation per channel.
///
/// A channel that is constant in training is only shifted, to 0. A missing pixel becomes its channel's mean, which is
/// 0 when standardized, and takes no part in the fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PixelScale {
    pub(super) shape: ImageShape,
    pub(super) channels: Vec<Standard>,
}

/// The pixels of a data set, wherever they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// A block of bytes.
    Bytes(&'a [u8]),
    /// A block of numbers.
    Numbers(&'a [f32]),
    /// A column of a table per pixel.
    Columns(&'a [Feature]),
}

impl<'a> Source<'a> {
    /// # Panics
    /// If a column is not of numbers, or if they are not as many as pixels.
    pub(super) fn of(images: Option<&'a Images>, features: &'a [Feature], shape: ImageShape) -> Self {
        match images.map(|images| &images.pixels) {
            Some(Pixels::Bytes(bytes)) => Self::Bytes(bytes),
            Some(Pixels::Numbers(numbers)) => Self::Numbers(numbers),
            Some(Pixels::Columns) | None => {
                assert_eq!(features.len(), shape.len(), "another number of pixels than was fitted");
                Self::Columns(features)
            }
        }
    }
}

fn numbers(feature: &Feature) -> &[f64] {
    match &feature.column {
        FeatureColumn::Numbers(values) => values,
        FeatureColumn::Categories { .. } => panic!("feature «{}» is no pixel", feature.name),
    }
}

impl PixelScale {
    /// Fits every channel on `rows`, and says in sentences which are constant.
    pub(super) fn fit(shape: ImageShape, source: Source<'_>, rows: &[u32], notes: &mut Vec<String>) -> Self {
        let channels = (0..shape.channels).map(|channel| {
            fit_channel(shape, source, rows, channel).unwrap_or_else(|mean| {
                let which = if shape.channels > 1 {
                    format!("Channel {channel} of the pixels")
                } else {
                    "Every pixel".to_owned()
                };
                let known = if mean.is_some() { "constant" } else { "missing" };
                notes.push(format!("{which} is {known} in the training rows and becomes 0."));
                Standard { mean: mean.unwrap_or(0.0), std: 1.0 }
            })
        });
        Self { shape, channels: channels.collect() }
    }

    /// Writes the pixels of `rows` from column `at` on.
    pub(super) fn write(&self, source: Source<'_>, rows: &[u32], x: &mut [f32], at: usize, width: usize) {
        let (len, channels) = (self.shape.len(), self.channels.len());
        let out = rows
            .iter()
            .zip(x.chunks_exact_mut(width))
            .map(|(&row, out)| (row as usize, &mut out[at..][..len]));
        match source {
            Source::Bytes(bytes) => {
                // 256 answers are faster looked up than computed, and are the same bits.
                let table: Vec<[f32; 256]> = self
                    .channels
                    .iter()
                    .map(|standard| std::array::from_fn(|byte| standard.apply(byte as f64)))
                    .collect();
                for (row, out) in out {
                    let pixels = bytes[row * len..][..len].chunks_exact(channels);
                    for (pixel, out) in pixels.zip(out.chunks_exact_mut(channels)) {
                        for ((&byte, out), table) in pixel.iter().zip(out).zip(&table) {
                            *out = table[usize::from(byte)];
                        }
                    }
                }
            }
            Source::Numbers(numbers) => {
                for (row, out) in out {
                    let pixels = numbers[row * len..][..len].chunks_exact(channels);
                    for (pixel, out) in pixels.zip(out.chunks_exact_mut(channels)) {
                        for ((&value, out), standard) in pixel.iter().zip(out).zip(&self.channels) {
                            *out = or_mean(standard, f64::from(value));
                        }
                    }
                }
            }
            Source::Columns(features) => {
                for (row, out) in out {
                    for (pixel, (feature, out)) in features.iter().zip(out).enumerate() {
                        *out = or_mean(&self.channels[pixel % channels], numbers(feature)[row]);
                    }
                }
            }
        }
    }
}

fn or_mean(standard: &Standard, value: f64) -> f32 {
    if value.is_nan() { 0.0 } else { standard.apply(value) }
}

/// A channel's mean and deviation; of a constant one its value, of one without any value `None`.
fn fit_channel(
    shape: ImageShape,
    source: Source<'_>,
    rows: &[u32],
    channel: usize,
) -> Result<Standard, Option<f64>> {
    let (len, step) = (shape.len(), shape.channels);
    let rows = || rows.iter().map(|&row| row as usize);
    match source {
        Source::Bytes(bytes) => {
            fit_bytes(rows().flat_map(|row| bytes[row * len..][..len].iter().skip(channel).step_by(step)))
        }
        Source::Numbers(numbers) => fit_numbers(rows().flat_map(|row| {
            numbers[row * len..][..len].iter().skip(channel).step_by(step).map(|&value| f64::from(value))
        })),
        Source::Columns(features) => fit_numbers(rows().flat_map(|row| {
            features.iter().skip(channel).step_by(step).map(move |feature| numbers(feature)[row])
        })),
    }
}

fn fit_numbers(values: impl Iterator<Item = f64> + Clone) -> Result<Standard, Option<f64>> {
    let known = values.filter(|value| !value.is_nan());
    Standard::of(known.clone()).ok_or_else(|| known.clone().next())
}

/// From how often each byte occurs: the sum is exact, and the training rows are read once.
fn fit_bytes<'a>(bytes: impl Iterator<Item = &'a u8>) -> Result<Standard, Option<f64>> {
    let mut counts = [0_u64; 256];
    bytes.for_each(|&byte| counts[usize::from(byte)] += 1);
    let seen = || (0_u32..).zip(counts).filter(|&(_, count)| count > 0);
    let Some((first, _)) = seen().next() else { return Err(None) };
    if seen().count() == 1 {
        return Err(Some(f64::from(first)));
    }
    let n = counts.iter().sum::<u64>() as f64;
    let mean = seen().map(|(byte, count)| u64::from(byte) * count).sum::<u64>() as f64 / n;
    let square = |byte: u32| (f64::from(byte) - mean) * (f64::from(byte) - mean);
    let variance = seen().map(|(byte, count)| count as f64 * square(byte)).sum::<f64>() / n;
    Ok(Standard { mean, std: variance.sqrt() })
}
