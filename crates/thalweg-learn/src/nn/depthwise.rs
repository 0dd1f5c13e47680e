//! A convolution with a group for each channel.

use thalweg_optim::kernel::dispatch;
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::conv2d::Window;
use super::init::uniform;
use super::layer::{Backward, Forward, Layer, Pace};
use super::shape::Shape;
use crate::kernel::columns::ColumnSums;
use crate::kernel::conv::padded_columns;
use crate::kernel::depthwise::{Convolve, Correlate, Scatter, Windows};
use crate::kernel::math::Math;

/// A [`Conv2d`](super::Conv2d) with as many groups as channels: each filter sees one channel, filter f the
/// ⌊f·channels/filters⌋-th (PyTorch's `Conv2d(groups=channels)`, Keras's `DepthwiseConv2D`).
///
/// The same function of the same parameters, by other loops: a product of matrices of one column each would use one lane
/// of a register, so here registers hold neighbouring channels. Each image is copied into a padded one, in which a channel
/// stands as often as it has filters.
#[derive(Debug, Clone)]
pub struct Depthwise {
    input: Shape,
    output: Shape,
    filters: usize,
    window: Window,
    bias: bool,
    init_bound: f64,
    windows: Windows,
    /// Numbers of the padded image.
    padded: usize,
    /// Where each row of the image begins in the padded one.
    lines: Vec<usize>,
}

impl Depthwise {
    /// A convolution of `filters` filters; `None` if the window does not fit, or the channels do not divide the filters.
    pub fn new(input: Shape, filters: usize, window: Window, bias: bool, init_bound: f64) -> Option<Self> {
        let Shape::Image { height, width, channels } = input else { return None };
        let (out_height, out_width) = window.output(height, width)?;
        if channels == 0 || filters == 0 || !filters.is_multiple_of(channels) {
            return None;
        }
        let Window { kernel, stride, padding, dilation } = window;
        let wide = padded_columns(filters);
        let row = (width + 2 * padding.1) * wide;
        let at = |y: usize, x: usize| y * row + x * wide;
        let grid =
            |height: usize, width: usize| (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)));
        let begins = grid(out_height, out_width).map(|(y, x)| at(y * stride.0, x * stride.1)).collect();
        let taps = grid(kernel.0, kernel.1).map(|(y, x)| at(y * dilation.0, x * dilation.1)).collect();
        Some(Self {
            input,
            output: Shape::image(out_height, out_width, filters),
            filters,
            window,
            bias,
            init_bound,
            windows: Windows::new(begins, taps, filters),
            padded: (height + 2 * padding.0) * row,
            lines: (0..height).map(|y| at(y + padding.0, padding.1)).collect(),
        })
    }

    fn weights(&self) -> usize {
        self.windows.taps() * self.filters
    }

    /// Filters of each channel.
    fn own_filters(&self) -> usize {
        self.filters / self.input.channels()
    }

    /// Numbers in a row of pixels of the image.
    fn line(&self) -> usize {
        self.input.len() / self.lines.len()
    }

    /// Numbers of weights, and of a row below them, as wide as registers.
    fn packed_len(&self) -> usize {
        (self.windows.taps() + 1) * self.windows.wide()
    }

    /// Copies an image to where it belongs; the zeros around it are there already.
    fn pad<T: Math>(&self, x: &[T], padded: &mut [T]) {
        let (channels, own) = (self.input.channels(), self.own_filters());
        for (line, &start) in x.chunks_exact(self.line()).zip(&self.lines) {
            let pixels = padded[start..].chunks_exact_mut(self.windows.wide());
            for (pixel, to) in line.chunks_exact(channels).zip(pixels) {
                if own == 1 {
                    to[..channels].copy_from_slice(pixel);
                } else {
                    for (&x, to) in pixel.iter().zip(to.chunks_exact_mut(own)) {
                        to.fill(x);
                    }
                }
            }
        }
    }

    /// The way back of [`Self::pad`]: a channel's gradient is the sum of those of its filters.
    fn crop<T: Math>(&self, padded: &[T], dx: &mut [T]) {
        let (channels, own) = (self.input.channels(), self.own_filters());
        for (line, &start) in dx.chunks_exact_mut(self.line()).zip(&self.lines) {
            let pixels = padded[start..].chunks_exact(self.windows.wide());
            for (pixel, from) in line.chunks_exact_mut(channels).zip(pixels) {
                for (dx, from) in pixel.iter_mut().zip(from.chunks_exact(own)) {
                    *dx = from.iter().copied().sum();
                }
            }
        }
    }

    /// Rows of `columns` numbers become as wide as registers, with zeros behind.
    fn widen<T: Math>(&self, rows: &[T], wide: &mut [T]) {
        let columns = self.filters;
        for (row, to) in rows.chunks_exact(columns).zip(wide.chunks_exact_mut(self.windows.wide())) {
            to[..columns].copy_from_slice(row);
            to[columns..].fill(T::ZERO);
        }
    }
}

impl<T: Math> Layer<T> for Depthwise {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn output(&self) -> Shape {
        self.output
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        let (height, width) = self.window.kernel;
        layout.push(format!("{prefix}.weight"), &[height, width, 1, self.filters], Role::Weight);
        if self.bias {
            layout.push(format!("{prefix}.bias"), &[self.filters], Role::Bias);
        }
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        let (weight, bias) = w.split_at_mut(self.weights());
        uniform(weight, self.init_bound, random);
        bias.fill(T::ZERO);
    }

    fn scratch_len(&self, _batch: usize) -> usize {
        // Forward: weights and an image. Back: also their gradients, that of an output, and its sums.
        2 * (self.packed_len() + self.padded) + self.windows.len() * self.windows.wide() + self.filters
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Pieces]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { w, x, y, scratch, .. } = pass;
        let (packed, rest) = scratch.split_at_mut(self.packed_len());
        let padded = &mut rest[..self.padded];
        // The bias, if there is one, is the row below the weights.
        packed.fill(T::ZERO);
        self.widen(w, packed);
        padded.fill(T::ZERO);
        for (x, y) in x.chunks_exact(self.input.len()).zip(y.chunks_exact_mut(self.output.len())) {
            self.pad(x, padded);
            dispatch(Convolve { windows: &self.windows, x: padded, w: packed, columns: self.filters, y });
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece, w, x, dy, dw, mut dx, scratch, .. } = pass;
        let (packed, rest) = scratch.split_at_mut(self.packed_len());
        let (packed_dw, rest) = rest.split_at_mut(self.packed_len());
        let (padded, rest) = rest.split_at_mut(self.padded);
        let (padded_dx, rest) = rest.split_at_mut(self.padded);
        let (wide_dy, rest) = rest.split_at_mut(self.windows.len() * self.windows.wide());
        let sums = &mut rest[..self.filters];
        if piece.is_first() {
            dw.fill(T::ZERO);
        }
        let (dweight, dbias) = dw.split_at_mut(self.weights());
        self.widen(w, packed);
        self.widen(dweight, packed_dw);
        padded.fill(T::ZERO);
        let (inputs, windows) = (self.input.len(), &self.windows);
        for (index, (x, dy)) in x.chunks_exact(inputs).zip(dy.chunks_exact(self.output.len())).enumerate() {
            if self.bias {
                dispatch(ColumnSums { rows: dy, sums });
                dbias.iter_mut().zip(&*sums).for_each(|(dbias, &sum)| *dbias += sum);
            }
            self.pad(x, padded);
            self.widen(dy, wide_dy);
            dispatch(Correlate { windows, x: padded, dy: wide_dy, dw: packed_dw });
            if let Some(dx) = dx.as_deref_mut() {
                padded_dx.fill(T::ZERO);
                dispatch(Scatter { windows, dy: wide_dy, w: packed, dx: padded_dx });
                self.crop(padded_dx, &mut dx[index * inputs..][..inputs]);
            }
        }
        for (dw, from) in dweight.chunks_exact_mut(self.filters).zip(packed_dw.chunks_exact(windows.wide())) {
            dw.copy_from_slice(&from[..self.filters]);
        }
    }
}
