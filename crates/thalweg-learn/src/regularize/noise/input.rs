//! Noise on the inputs.

use thalweg_optim::Range;
use thalweg_optim::kernel::dispatch;

use super::super::draws::Draws;
use super::super::plan::{Alter, Batch, Scene};
use super::super::technique::{Family, Info, Setting, Site, Technique};
use crate::kernel::draw::Bits;
use crate::kernel::normal::AddNormal;

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
                Setting { key: "uniform", symbol: "u", range: Range::SWITCH, default: 0.0 },
            ],
            strengths: &[0.05, 0.1, 0.3],
        }
    }

    fn applies(&self, _values: &[f64], site: &Site<'_>) -> Result<(), String> {
        site.want_no_codes()
    }

    fn alter(&self, values: &[f64], _scene: &Scene<'_>) -> Option<Box<dyn Alter>> {
        Some(Box::new(Noise { deviation: values[0] as f32, uniform: values[1] != 0.0 }))
    }
}

#[derive(Debug)]
struct Noise {
    deviation: f32,
    uniform: bool,
}

impl Alter for Noise {
    fn alter(&mut self, batch: &mut Batch<'_>, key: u64) {
        let (width, deviation) = (batch.width(), self.deviation);
        for (row, x) in batch.x.chunks_exact_mut(width).enumerate() {
            let bits = Bits::new(Draws::key(key, row as u64), 0.0);
            if self.uniform {
                let reach = 3.0_f32.sqrt() * deviation;
                for (index, x) in x.iter_mut().enumerate() {
                    // 24 bits are as many as an f32 holds: the end itself is never reached.
                    let unit = (bits.of(index) >> 8) as f32 / (1 << 24) as f32;
                    *x += reach * (2.0 * unit - 1.0);
                }
            } else {
                dispatch(AddNormal { bits, deviation, out: x });
            }
        }
    }
}
