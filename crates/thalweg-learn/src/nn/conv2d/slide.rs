//! A convolution with stride 1 and a window 3 or 5 pixels wide: no copies, and each pixel loaded once for its windows.

use thalweg_optim::kernel::dispatch;

use super::{Geometry, Image, Rows};
use crate::kernel::conv::padded_columns;
use crate::kernel::math::Math;
use crate::kernel::slide::{Sizes, Slide, SlideBack, SlidePack};

/// The sizes there, and of the convolution of the gradient with the turned window, back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sliding {
    there: Sizes,
    back: Sizes,
}

impl Sliding {
    /// `None` if there is no such loop for these sizes.
    pub(super) fn new(geometry: Geometry) -> Option<Self> {
        let Geometry { input, output, groups, channels, filters, window } = geometry;
        let kernel = window.kernel;
        let plain = groups == 1 && window.stride == (1, 1) && window.dilation == (1, 1);
        let there = Sizes { input, output, channels, kernel, padding: window.padding };
        if !(plain && there.has_loop()) {
            return None;
        }
        let padding = (kernel.0 - 1 - there.padding.0, kernel.1 - 1 - there.padding.1);
        Some(Self { there, back: Sizes { input: output, output: input, channels: filters, kernel, padding } })
    }

    fn taps(&self) -> usize {
        self.there.kernel.0 * self.there.kernel.1
    }

    fn channels(&self) -> usize {
        self.there.channels
    }

    fn filters(&self) -> usize {
        self.back.channels
    }

    pub(super) fn packed_len(&self) -> usize {
        self.taps() * self.channels() * padded_columns(self.filters())
    }

    pub(super) fn packed_back_len(&self) -> usize {
        self.taps() * self.filters() * padded_columns(self.channels())
    }

    /// A pixel of zeros.
    pub(super) fn scratch_len(&self) -> usize {
        self.channels()
    }

    pub(super) fn scratch_back_len(&self) -> usize {
        self.filters()
    }

    /// Makes zero what of the scratch must be zero in a pass.
    pub(super) fn clear<T: Math>(&self, scratch: &mut [T]) {
        scratch.fill(T::ZERO);
    }

    pub(super) fn pack<T: Math>(&self, weight: &[T], packed: &mut [T]) {
        let (channels, filters) = (self.channels() as isize, self.filters() as isize);
        let column = channels * filters;
        dispatch(SlidePack {
            kernel: self.there.kernel,
            channels: self.channels(),
            n: self.filters(),
            w: weight,
            start: 0,
            strides: [self.there.kernel.1 as isize * column, column, filters, 1],
            packed,
        });
    }

    /// The window turned by half a circle, and channels for filters.
    pub(super) fn pack_back<T: Math>(&self, weight: &[T], packed: &mut [T]) {
        let (channels, filters) = (self.channels() as isize, self.filters() as isize);
        let column = channels * filters;
        dispatch(SlidePack {
            kernel: self.there.kernel,
            channels: self.filters(),
            n: self.channels(),
            w: weight,
            start: (self.taps() - 1) * column as usize,
            strides: [-(self.there.kernel.1 as isize) * column, -column, 1, filters],
            packed,
        });
    }

    /// The output of one image.
    pub(super) fn forward<T: Math>(
        &self,
        packed: &[T],
        bias: Option<&[T]>,
        x: &[T],
        y: &mut [T],
        zeros: &mut [T],
    ) {
        dispatch(Slide { sizes: self.there, n: self.filters(), x, packed, bias, y, zeros });
    }

    /// The weights' gradient of one image.
    pub(super) fn weight_gradient<T: Math>(&self, image: Image<'_, T>) {
        let Image { geometry, x, dy, dw, is_first, whole, .. } = image;
        let Rows { dy, distance: dy_row } = geometry.whole_rows(0, dy, whole);
        dispatch(SlideBack { sizes: self.there, x, n: self.filters(), dy, dy_row, dw, add: !is_first });
    }

    /// The input's gradient of one image.
    pub(super) fn input_gradient<T: Math>(&self, packed: &[T], dy: &[T], dx: &mut [T], zeros: &mut [T]) {
        dispatch(Slide { sizes: self.back, n: self.channels(), x: dy, packed, bias: None, y: dx, zeros });
    }
}
