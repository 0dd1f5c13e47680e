//! DropConnect: a layer some of whose weights are left out.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::dispatch;
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::dropout::{Mask, check_rate};
use super::layer::{Backward, Forward, Layer, Mode};
use super::shape::Shape;
use super::spec::{Kind, LayerError, LayerSpec, Site};
use crate::kernel::draw::Bits;
use crate::kernel::math::Math;

/// The settings of DropConnect: `{ layer = "drop-connect", rate = 0.2, inner = { layer = "dense", units = 10 } }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DropConnectSpec {
    /// How often a weight is left out.
    #[serde(default = "half")]
    pub rate: f64,
    /// The layer that the weights belong to: `dense` or `conv2d`.
    pub inner: Box<LayerSpec>,
}

fn half() -> f64 {
    0.5
}

impl Kind for DropConnectSpec {
    const SUMMARY: &'static str =
        "a dense or conv2d layer some of whose weights training leaves out at random";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        check_rate(self.rate, site)?;
        if !matches!(*self.inner, LayerSpec::Dense(_) | LayerSpec::Conv2d(_)) {
            let reason = format!(
                "inner = «{}»: it goes around `dense` and `conv2d`, the layers that multiply by weights",
                self.inner.name()
            );
            return Err(LayerError::new(site, reason));
        }
        let inner = self.inner.build_there(site)?;
        Ok(Box::new(DropConnect::new(inner, self.rate)))
    }
}

/// The inner layer with W∘M/(1 − p) for its weights W in training, where an entry of M is 0 with probability p and else 1;
/// in evaluation with W (Wan et al. 2013).
///
/// One mask serves a whole batch for a step, where the paper draws one for each row, which would make a product of
/// matrices one product for each row. Biases are left alone, where the paper masks them, too. Evaluation takes the mean of
/// the layer's input sums, where the paper samples from a normal distribution around it.
///
/// Its parameters have the inner layer's names: they fit the network without DropConnect.
#[derive(Debug)]
pub struct DropConnect<T> {
    inner: Box<dyn Layer<T>>,
    rate: f64,
    params: usize,
    /// Where the weights lie among the parameters.
    weights: Vec<std::ops::Range<usize>>,
}

impl<T: Math> DropConnect<T> {
    /// A layer whose weights (what has the role [`Role::Weight`]) are left out with probability `rate`.
    pub fn new(inner: Box<dyn Layer<T>>, rate: f64) -> Self {
        let mut layout = Layout::default();
        inner.layout("", &mut layout);
        let blocks = layout.blocks().iter().filter(|block| block.role == Role::Weight);
        Self { weights: blocks.map(|block| block.range.clone()).collect(), params: layout.len(), inner, rate }
    }

    /// Sets the entries of what is dropped to 0 and scales the others; answers whether anything is dropped at all.
    fn mask(&self, values: &mut [T], mode: Mode) {
        let Some(key) = mode.key() else { return };
        let kept = T::from_f64(1.0 / (1.0 - self.rate));
        for range in &self.weights {
            let values = &mut values[range.clone()];
            dispatch(Mask { bits: Bits::new(key, self.rate), kept, first: 0, values });
        }
    }

    /// Whether the pass has weights of its own.
    fn drops(&self, mode: Mode) -> bool {
        mode.key().is_some() && self.rate > 0.0
    }
}

impl<T: Math> Layer<T> for DropConnect<T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn output(&self) -> Shape {
        self.inner.output()
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        self.inner.layout(prefix, layout);
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        self.inner.init(w, random);
    }

    fn buffer_layout(&self, prefix: &str, layout: &mut Layout) {
        self.inner.buffer_layout(prefix, layout);
    }

    fn init_buffers(&self, buffers: &mut [T]) {
        self.inner.init_buffers(buffers);
    }

    fn saved_len(&self, batch: usize) -> usize {
        // The masked parameters first.
        self.params + self.inner.saved_len(batch)
    }

    fn scratch_len(&self, batch: usize) -> usize {
        self.inner.scratch_len(batch)
    }

    fn reads_output(&self) -> bool {
        self.inner.reads_output()
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let (masked, saved) = pass.saved.split_at_mut(self.params);
        let w = if self.drops(pass.mode) {
            masked.copy_from_slice(pass.w);
            self.mask(masked, pass.mode);
            &*masked
        } else {
            pass.w
        };
        self.inner.forward(Forward { w, saved, ..pass });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let (masked, saved) = pass.saved.split_at_mut(self.params);
        let Backward { w, dw, mode, .. } = pass;
        let w = if self.drops(mode) { &*masked } else { w };
        self.inner.backward(Backward { w, dw: &mut *dw, saved, ..pass });
        if self.drops(mode) {
            self.mask(dw, mode);
        }
    }

    fn update_buffers(&self, buffers: &mut [T], saved: &[T], batch: usize) {
        self.inner.update_buffers(buffers, &saved[self.params..], batch);
    }
}
