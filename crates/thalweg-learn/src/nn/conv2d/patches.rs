//! Any convolution: patches of padded images, each multiplied by the weights.

use thalweg_optim::kernel::dispatch;

use super::window::Window;
use super::{Geometry, Image, Rows};
use crate::kernel::conv::{Apply, Correlate, Pack, Patches, Places, padded_columns};
use crate::kernel::math::Math;

/// Where the patches lie, there and back.
#[derive(Debug, Clone)]
pub(super) struct Patched {
    geometry: Geometry,
    /// The input, padded.
    image: Padded,
    patches: Patches,
    /// Where each output position's filters lie.
    places: Places,
    weight_taps: Vec<u32>,
    /// The way back to the input.
    back: Vec<Phase>,
    gradient: Padded,
}

/// An image with zeros around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Padded {
    height: usize,
    width: usize,
    channels: usize,
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

impl Padded {
    /// Numbers in a row of pixels.
    fn row(self) -> usize {
        (self.left + self.width + self.right) * self.channels
    }

    fn len(self) -> usize {
        (self.top + self.height + self.bottom) * self.row()
    }

    /// Whether there are zeros at all.
    fn is_bare(self) -> bool {
        self.top + self.left + self.bottom + self.right == 0
    }

    /// The image with its zeros, which are in `padded` already.
    fn fill<'a, T: Copy>(self, image: &'a [T], padded: &'a mut [T]) -> &'a [T] {
        if self.is_bare() {
            return image;
        }
        let (own, row) = (self.width * self.channels, self.row());
        let start = self.top * row + self.left * self.channels;
        for (line, to) in image.chunks_exact(own).zip(padded[start..].chunks_mut(row)) {
            to[..own].copy_from_slice(line);
        }
        padded
    }
}

/// The pixels of the input whose distance to the windows' beginnings is the same modulo the stride: all are reached by
/// the same taps.
#[derive(Debug, Clone)]
struct Phase {
    patches: Patches,
    /// Where their gradients lie.
    places: Places,
    /// Where each tap's weights lie.
    weight_taps: Vec<u32>,
}

impl Patched {
    pub(super) fn new(geometry: Geometry) -> Self {
        let Geometry { input: (height, width), output, groups, channels: own, filters, window } = geometry;
        let channels = own * groups;
        let Window { kernel, stride, padding: pad, dilation } = window;
        let image = Padded { height, width, channels, top: pad.0, left: pad.1, bottom: pad.0, right: pad.1 };
        let at = |y: usize, x: usize| (y * image.row() + x * channels) as u32;
        let grid =
            |height: usize, width: usize| (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)));
        let rows = grid(output.0, output.1).map(|(y, x)| at(y * stride.0, x * stride.1)).collect();
        // With all channels in one group, neighbours in a row of the window are neighbours in memory.
        let joined = groups == 1 && dilation.1 == 1;
        let taps = if joined {
            (0..kernel.0).map(|ky| at(ky * dilation.0, 0)).collect()
        } else {
            grid(kernel.0, kernel.1).map(|(ky, kx)| at(ky * dilation.0, kx * dilation.1)).collect()
        };
        let run = if joined { kernel.1 * own } else { own };
        let weight_taps = (0..kernel.0 * kernel.1 * own / run).map(|tap| (tap * run * filters) as u32);
        let mut patched = Self {
            geometry,
            image,
            patches: Patches::new(rows, taps, run),
            places: Places::new((0..output.0 * output.1).map(|at| (at * filters) as u32).collect()),
            weight_taps: weight_taps.collect(),
            back: Vec::new(),
            gradient: Padded {
                height: output.0,
                width: output.1,
                channels: filters,
                top: 0,
                left: 0,
                bottom: 0,
                right: 0,
            },
        };
        patched.plan_back();
        patched
    }

    /// Which outputs saw each pixel, and through which taps.
    ///
    /// Pixel y lies under tap k of output o if s·o + d·k − p = y. For y = s·m + r that is o = m + e with
    /// e = (r + p − d·k)/s, where k is such that s divides it: so all pixels of a remainder r have the same taps.
    fn plan_back(&mut self) {
        let Geometry { channels: own, filters, groups, window, .. } = self.geometry;
        let Window { kernel, stride, padding, dilation } = window;
        let shifts = |kernel: usize, stride: usize, padding: usize, dilation: usize, remainder: usize| {
            (0..kernel).filter_map(move |k| {
                let distance = (remainder + padding) as isize - (dilation * k) as isize;
                (distance.rem_euclid(stride as isize) == 0).then(|| (k, distance.div_euclid(stride as isize)))
            })
        };
        let pixels = |size: usize, stride: usize, remainder: usize| {
            if remainder < size { (size - remainder).div_ceil(stride) } else { 0 }
        };
        let Padded { height, width, channels, .. } = self.image;
        // How far beyond the gradient's edges the taps reach.
        let margin = |size: usize, outputs: usize, k: usize, s: usize, p: usize, d: usize| {
            let (mut low, mut high) = (0, 0);
            for remainder in 0..s {
                let count = pixels(size, s, remainder) as isize;
                for (_, shift) in shifts(k, s, p, d, remainder) {
                    if count > 0 {
                        low = low.max(-shift);
                        high = high.max(count - 1 + shift - (outputs as isize - 1));
                    }
                }
            }
            (low as usize, high as usize)
        };
        let outputs = (self.gradient.height, self.gradient.width);
        let vertical = margin(height, outputs.0, kernel.0, stride.0, padding.0, dilation.0);
        let horizontal = margin(width, outputs.1, kernel.1, stride.1, padding.1, dilation.1);
        (self.gradient.top, self.gradient.bottom) = vertical;
        (self.gradient.left, self.gradient.right) = horizontal;
        let row = self.gradient.row();
        let (top, left) = (self.gradient.top as isize, self.gradient.left as isize);
        for ry in 0..stride.0 {
            for rx in 0..stride.1 {
                let (rows, columns) = (pixels(height, stride.0, ry), pixels(width, stride.1, rx));
                let mut taps = Vec::new();
                let mut weight_taps = Vec::new();
                for (ky, ey) in shifts(kernel.0, stride.0, padding.0, dilation.0, ry) {
                    for (kx, ex) in shifts(kernel.1, stride.1, padding.1, dilation.1, rx) {
                        let at = (ey + top) as usize * row + (ex + left) as usize * filters;
                        taps.push(at as u32);
                        weight_taps.push(((ky * kernel.1 + kx) * own * filters) as u32);
                    }
                }
                let grid = || (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
                let begins = grid().map(|(y, x)| (y * row + x * filters) as u32).collect();
                let places = grid()
                    .map(|(y, x)| (((y * stride.0 + ry) * width + x * stride.1 + rx) * channels) as u32);
                self.back.push(Phase {
                    places: Places::new(places.collect()),
                    patches: Patches::new(begins, taps, filters / groups),
                    weight_taps,
                });
            }
        }
    }

    pub(super) fn packed_len(&self) -> usize {
        self.geometry.groups * self.part()
    }

    /// Packed numbers of a group.
    fn part(&self) -> usize {
        self.patches.depth() * padded_columns(self.geometry.own_filters())
    }

    pub(super) fn packed_back_len(&self) -> usize {
        self.geometry.groups * self.back.iter().map(|phase| self.part_back(phase)).sum::<usize>()
    }

    fn part_back(&self, phase: &Phase) -> usize {
        phase.patches.depth() * padded_columns(self.geometry.channels)
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.image.len()
    }

    pub(super) fn scratch_back_len(&self) -> usize {
        self.image.len() + self.gradient.len()
    }

    /// Makes zero what of the scratch must be zero in a pass.
    pub(super) fn clear<T: Math>(&self, scratch: &mut [T]) {
        scratch.fill(T::ZERO);
    }

    pub(super) fn pack<T: Math>(&self, weight: &[T], packed: &mut [T]) {
        let own = self.geometry.own_filters();
        for (group, packed) in packed.chunks_exact_mut(self.part()).enumerate() {
            dispatch(Pack {
                taps: &self.weight_taps,
                run: self.patches.depth() / self.weight_taps.len(),
                n: own,
                b: &weight[group * own..],
                q_stride: self.geometry.filters,
                j_stride: 1,
                packed,
            });
        }
    }

    /// The output of one image.
    pub(super) fn forward<T: Math>(
        &self,
        packed: &[T],
        bias: Option<&[T]>,
        x: &[T],
        y: &mut [T],
        scratch: &mut [T],
    ) {
        let (own, channels) = (self.geometry.own_filters(), self.geometry.channels);
        let image = self.image.fill(x, scratch);
        for (group, packed) in packed.chunks_exact(self.part()).enumerate() {
            dispatch(Apply {
                patches: &self.patches,
                n: own,
                a: &image[group * channels..],
                packed,
                bias: bias.map(|bias| &bias[group * own..]),
                c: &mut y[group * own..],
                places: &self.places,
            });
        }
    }

    /// The weights' gradient of one image.
    pub(super) fn weight_gradient<T: Math>(&self, image: Image<'_, T>) {
        let Image { x, dy, dw, is_first, whole, scratch, .. } = image;
        let (geometry, own, channels) = (self.geometry, self.geometry.own_filters(), self.geometry.channels);
        let image = self.image.fill(x, &mut scratch[..self.image.len()]);
        for group in 0..geometry.groups {
            let Rows { dy: b, distance: b_row } = geometry.whole_rows(group, dy, whole);
            dispatch(Correlate {
                patches: &self.patches,
                a: &image[group * channels..],
                n: own,
                b,
                b_row,
                c: &mut dw[group * own..],
                c_row: geometry.filters,
                add: !is_first,
            });
        }
    }

    pub(super) fn pack_back<T: Math>(&self, weight: &[T], mut packed: &mut [T]) {
        let own = self.geometry.own_filters();
        for group in 0..self.geometry.groups {
            for phase in &self.back {
                let part;
                (part, packed) = packed.split_at_mut(self.part_back(phase));
                dispatch(Pack {
                    taps: &phase.weight_taps,
                    run: own,
                    n: self.geometry.channels,
                    b: &weight[group * own..],
                    q_stride: 1,
                    j_stride: self.geometry.filters,
                    packed: part,
                });
            }
        }
    }

    /// The input's gradient of one image.
    pub(super) fn input_gradient<T: Math>(
        &self,
        mut packed: &[T],
        dy: &[T],
        dx: &mut [T],
        scratch: &mut [T],
    ) {
        let (own, channels) = (self.geometry.own_filters(), self.geometry.channels);
        let gradient = self.gradient.fill(dy, &mut scratch[self.image.len()..]);
        for group in 0..self.geometry.groups {
            for phase in &self.back {
                let part;
                (part, packed) = packed.split_at(self.part_back(phase));
                dispatch(Apply {
                    patches: &phase.patches,
                    n: channels,
                    a: &gradient[group * own..],
                    packed: part,
                    bias: None,
                    c: &mut dx[group * channels..],
                    places: &phase.places,
                });
            }
        }
    }
}
