//! Pooling: one number for each window and channel.

pub mod avg;
pub mod global;
pub mod global_max;
pub mod max;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::conv2d::Window;
use super::shape::Shape;
use super::spec::{LayerError, Site};

/// The settings of a window that is pooled; it is square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PoolWindow {
    /// The window's side in pixels.
    pub kernel: usize,
    /// Pixels from window to window; the kernel if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Pixels around the image; at most half of the kernel.
    pub padding: usize,
}

impl Default for PoolWindow {
    fn default() -> Self {
        Self { kernel: 2, stride: None, padding: 0 }
    }
}

/// The windows of a pooling over images.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    pub(super) input: (usize, usize),
    pub(super) output: (usize, usize),
    pub(super) channels: usize,
    window: Window,
}

impl Windows {
    fn new(settings: PoolWindow, site: &Site) -> Result<Self, LayerError> {
        let Shape::Image { height, width, channels } = site.input else {
            return Err(LayerError::new(site, "it wants an image; it must stand before `flatten`"));
        };
        let PoolWindow { kernel, stride, padding } = settings;
        let stride = stride.unwrap_or(kernel);
        if kernel == 0 || stride == 0 {
            return Err(LayerError::new(site, "kernel and stride must be at least 1"));
        }
        if padding > kernel / 2 {
            let reason =
                format!("padding = {padding}: it must be at most half of the kernel, {}", kernel / 2);
            return Err(LayerError::new(site, reason));
        }
        let window = Window::square(kernel, stride, padding);
        match window.output(height, width) {
            Some(output) => Ok(Self { input: (height, width), output, channels, window }),
            None => Err(LayerError::new(site, window.too_large())),
        }
    }

    fn output_shape(&self) -> Shape {
        Shape::image(self.output.0, self.output.1, self.channels)
    }

    fn inputs(&self) -> usize {
        self.input.0 * self.input.1 * self.channels
    }

    /// Whether every pixel lies in exactly one window.
    fn are_tiles(&self) -> bool {
        let Window { kernel, stride, padding, .. } = self.window;
        let covered = (self.output.0 * kernel.0, self.output.1 * kernel.1);
        kernel == stride && padding == (0, 0) && covered == self.input
    }

    /// The windows' side, if every window lies in the image.
    fn whole_side(&self) -> Option<usize> {
        (self.window.padding == (0, 0)).then_some(self.window.kernel.0)
    }

    /// The rows and columns of the image that an output's window covers.
    #[inline(always)]
    fn pixels(&self, (y, x): (usize, usize)) -> (Range<usize>, Range<usize>) {
        let Window { kernel, stride, padding, .. } = self.window;
        let top = (y * stride.0).saturating_sub(padding.0);
        let bottom = (y * stride.0 + kernel.0 - padding.0).min(self.input.0);
        let left = (x * stride.1).saturating_sub(padding.1);
        let right = (x * stride.1 + kernel.1 - padding.1).min(self.input.1);
        (top..bottom, left..right)
    }

    /// Calls `each` with every output position and the input positions of its window that lie within the image.
    #[inline(always)]
    fn for_each(&self, mut each: impl FnMut(usize, usize)) {
        for y in 0..self.output.0 {
            for x in 0..self.output.1 {
                let (rows, columns) = self.pixels((y, x));
                for row in rows {
                    for column in columns.clone() {
                        each(y * self.output.1 + x, row * self.input.1 + column);
                    }
                }
            }
        }
    }
}
