//! A place in a network where manifold mixup mixes rows.

use serde::{Deserialize, Serialize};

use super::layer::{Backward, Forward, Layer, Mode};
use super::mixing::{Mixing, mixing};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site};
use crate::kernel::math::Math;

/// The settings of a mix point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MixPointSpec {
    /// The shares are drawn from Beta(alpha, alpha); with 0, nothing is mixed.
    pub alpha: f64,
    /// Which of the network's mix points this is, from 0.
    pub point: usize,
    /// How many mix points the network has: each step mixes at one of them.
    pub points: usize,
}

impl Default for MixPointSpec {
    fn default() -> Self {
        Self { alpha: 2.0, point: 0, points: 1 }
    }
}

impl Kind for MixPointSpec {
    const SUMMARY: &'static str = "a place where manifold mixup mixes rows in training";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        let Self { alpha, point, points } = *self;
        if !(alpha >= 0.0 && alpha.is_finite()) {
            return Err(LayerError::new(site, format!("alpha = {alpha}: it must be in [0, ∞)")));
        }
        if point >= points {
            let reason =
                format!("point = {point} of points = {points}: they count from 0, so it must be less");
            return Err(LayerError::new(site, reason));
        }
        Ok(Box::new(MixPoint { shape: site.input, settings: *self }))
    }
}

/// In a training step whose [`mixing`] chose this point, y_i = λ·x_i + (1 − λ)·x_{i + shift}, rows counted around the
/// batch; else y = x (manifold mixup, Verma et al. 2019, whose α for images is 2).
///
/// The targets must be mixed by the same λ and shift, which [`mixing`] tells from the step's key and the batch's size:
/// that is the training loop's part. The paper draws any permutation of the batch, here it is a rotation, which of a
/// shuffled batch has the same law for each pair.
#[derive(Debug, Clone, Copy)]
pub struct MixPoint {
    /// The shape of a row.
    pub shape: Shape,
    /// Which point it is, and the law of the shares.
    pub settings: MixPointSpec,
}

impl MixPoint {
    /// How rows are mixed in a pass; `None` if they are not.
    fn mixing(self, mode: Mode, batch: usize) -> Option<Mixing> {
        let Mode::Train { step, .. } = mode else { return None };
        let mixing = mixing(step, self.settings.alpha, batch, self.settings.points);
        // With a share of 1 the other row does not count, even if it is NaN.
        (mixing.point == self.settings.point && mixing.share < 1.0).then_some(mixing)
    }

    /// `y[i]` ← λ·`x[i]` + (1 − λ)·`x[i + shift]`.
    fn mix<T: Math>(self, x: &[T], y: &mut [T], share: f64, shift: usize) {
        if x.is_empty() {
            return;
        }
        let (share, rest) = (T::from_f64(share), T::from_f64(1.0 - share));
        // The batch around which rows are counted is one slice turned by `shift` rows.
        let (head, tail) = x.split_at(shift * self.shape.len());
        let others = tail.iter().chain(head);
        for ((y, &x), &other) in y.iter_mut().zip(x).zip(others) {
            *y = share * x + rest * other;
        }
    }
}

impl<T: Math> Layer<T> for MixPoint {
    fn name(&self) -> &'static str {
        "mix-point"
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn reads_input(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_, T>) {
        match self.mixing(pass.mode, pass.piece.batch) {
            Some(Mixing { share, shift, .. }) => self.mix(pass.x, pass.y, share, shift),
            None => pass.y.copy_from_slice(pass.x),
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Some(dx) = pass.dx else { return };
        match self.mixing(pass.mode, pass.piece.batch) {
            // Row i went into row i and into row i − shift.
            Some(Mixing { share, shift, .. }) => {
                self.mix(pass.dy, dx, share, (pass.piece.batch - shift) % pass.piece.batch.max(1));
            }
            None => dx.copy_from_slice(pass.dy),
        }
    }
}
