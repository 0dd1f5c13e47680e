//! Noise on the inputs.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use super::law::{Noise, UNIFORM};
use crate::kernel::draw::Bits;

/// x ← x + n for every number of every row, with n of mean 0 and standard deviation σ: normal, or uniform in
/// [−√3·σ, √3·σ). σ is in the units of the prepared numbers: those of a standardized column are its standard deviations.
/// With squared error and a small σ it is a penalty on the outputs' derivatives (Bishop, *Training with noise is equivalent to
/// Tikhonov regularization*, 1995).
pub(crate) struct InputNoise;

impl Technique for InputNoise {
    fn info(&self) -> &Info {
        &Info {
            name: "input-noise",
            family: Family::Noise,
            summary: "normal or uniform noise on every number that goes into the network",
            formula: "x ← x + n, n of mean 0 and deviation σ; normal, or uniform if u = 1",
            source: "Bishop 1995",
            settings: &[
                Setting { key: "deviation", symbol: "σ", range: Range::NON_NEGATIVE, default: 0.1 },
                UNIFORM,
            ],
            strengths: &[0.05, 0.1, 0.3],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_no_codes()
    }

    fn alter(&self, values: &[f64], _scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        Some(Box::new(EachRow(Noise { deviation: values[0] as f32, uniform: values[1] != 0.0 })))
    }
}

#[derive(Debug)]
struct EachRow(Noise);

impl Alter for EachRow {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let width = batch.width();
        for (row, x) in batch.x.chunks_exact_mut(width).enumerate() {
            self.0.add(Bits::new(Draws::key(key, row as u64), 0.0), x);
        }
    }
}
