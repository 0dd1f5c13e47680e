//! A convolution over images.

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::dispatch;
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use super::dense::{is_yes, yes};
use super::depthwise::Depthwise;
use super::init::uniform;
use super::layer::{Backward, Forward, Layer};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site, too_large};
use crate::kernel::columns::ColumnSums;
use crate::kernel::conv::{Apply, Correlate, Pack, Patches, Places, padded_columns};
use crate::kernel::math::Math;

/// The settings of a convolution; windows are square.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Conv2dSpec {
    /// Output channels.
    pub filters: usize,
    /// The window's side in pixels.
    #[serde(default = "three")]
    pub kernel: usize,
    /// Pixels from window to window.
    #[serde(default = "one")]
    pub stride: usize,
    /// Zeros around the image; if not given, so many that stride 1 keeps the image's size: dilation·(kernel − 1)/2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<usize>,
    /// Pixels between the window's pixels.
    #[serde(default = "one")]
    pub dilation: usize,
    /// Parts of the channels that do not see each other; as many as channels makes it depthwise.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether a bias is added.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub bias: bool,
}

fn one() -> usize {
    1
}

fn three() -> usize {
    3
}

impl Conv2dSpec {
    /// A square window that keeps the image's size at stride 1.
    pub fn new(filters: usize, kernel: usize) -> Self {
        Self { filters, kernel, stride: 1, padding: None, dilation: 1, groups: 1, bias: true }
    }
}

/// The most numbers of a padded image: places in it are kept in 32 bits.
const MOST_NUMBERS: usize = 1 << 28;

impl Kind for Conv2dSpec {
    const SUMMARY: &'static str = "a convolution over images, with stride, padding, dilation and groups";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        let Shape::Image { channels, .. } = site.input else {
            return Err(LayerError::new(
                site,
                "it wants an image; it must stand before `flatten` and `global-avg-pool`",
            ));
        };
        let Self { filters, kernel, stride, dilation, groups, .. } = *self;
        if [filters, kernel, stride, dilation, groups].contains(&0) {
            return Err(LayerError::new(
                site,
                "filters, kernel, stride, dilation and groups must be at least 1",
            ));
        }
        if channels % groups != 0 || filters % groups != 0 {
            let reason =
                format!("groups = {groups} must divide its {channels} channels and {filters} filters");
            return Err(LayerError::new(site, reason));
        }
        let Shape::Image { height, width, .. } = site.input else { unreachable!("checked above") };
        let padding = self.padding.unwrap_or(dilation.saturating_mul(kernel - 1) / 2);
        let window = Window { dilation: (dilation, dilation), ..Window::square(kernel, stride, padding) };
        let inputs = kernel.saturating_mul(kernel).saturating_mul(channels / groups);
        let outputs = kernel.saturating_mul(kernel).saturating_mul(filters / groups);
        too_large(site, inputs.saturating_mul(filters))?;
        let padded = |side: usize| side.saturating_add(padding.saturating_mul(2));
        let numbers = padded(height).saturating_mul(padded(width)).saturating_mul(channels.max(filters));
        if numbers > MOST_NUMBERS {
            let reason = format!(
                "with {padding} zeros around it, an image of {numbers} numbers is more than {MOST_NUMBERS}; use less padding, \
                 fewer filters or smaller images"
            );
            return Err(LayerError::new(site, reason));
        }
        if stride > padded(height).max(padded(width)) {
            let reason = format!("stride = {stride} is larger than the image with {padding} zeros around it");
            return Err(LayerError::new(site, reason));
        }
        let bound = site.init.bound(inputs, outputs, site.next);
        let too_large = || LayerError::new(site, window.too_large());
        if groups == channels && groups > 1 {
            let conv = Depthwise::new(site.input, filters, window, self.bias, bound).ok_or_else(too_large)?;
            return Ok(Box::new(conv));
        }
        let conv =
            Conv2d::new(site.input, filters, window, groups, self.bias, bound).ok_or_else(too_large)?;
        Ok(Box::new(conv))
    }
}

/// The sizes of a convolution, each as (vertical, horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Pixels that an output sees.
    pub kernel: (usize, usize),
    /// Pixels from an output's window to the next one's.
    pub stride: (usize, usize),
    /// Zeros around the image.
    pub padding: (usize, usize),
    /// Pixels from one of the window's to its next.
    pub dilation: (usize, usize),
}

impl Window {
    /// A square window.
    pub fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel: (kernel, kernel),
            stride: (stride, stride),
            padding: (padding, padding),
            dilation: (1, 1),
        }
    }

    /// What to say if the window does not fit.
    pub(super) fn too_large(self) -> String {
        format!(
            "a window of {}×{} pixels, dilated by {}, is larger than the image with {} zeros around it; use a smaller \
             kernel, more padding, or fewer poolings before it",
            self.kernel.0, self.kernel.1, self.dilation.0, self.padding.0
        )
    }

    /// ⌊(size + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1 both ways; `None` if the window is larger than the
    /// padded image, or a size is 0.
    pub fn output(self, height: usize, width: usize) -> Option<(usize, usize)> {
        let one = |size: usize, kernel: usize, stride: usize, padding: usize, dilation: usize| {
            let span = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
            let room = size.checked_add(padding.checked_mul(2)?)?.checked_sub(span)?;
            (size > 0 && stride > 0 && dilation > 0).then(|| room / stride + 1)
        };
        Some((
            one(height, self.kernel.0, self.stride.0, self.padding.0, self.dilation.0)?,
            one(width, self.kernel.1, self.stride.1, self.padding.1, self.dilation.1)?,
        ))
    }
}

/// Y\[o\] = Σ_taps X\[stride·o + dilation·tap − padding\]·W\[tap\] + b, over channels in groups (PyTorch's `Conv2d`, a
/// cross-correlation).
///
/// W is stored `[kernel height, kernel width, channels / groups, filters]` (Keras's and JAX's order; PyTorch's
/// `Conv2d.weight` is `[filters, channels / groups, kernel height, kernel width]`). Group g has the g-th part of the
/// channels and of the filters.
#[derive(Debug, Clone)]
pub struct Conv2d {
    output: Shape,
    filters: usize,
    groups: usize,
    /// Of each group.
    channels: usize,
    window: Window,
    bias: bool,
    init_bound: f64,
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

    /// Copies an image to where it belongs; the zeros around it are there already.
    fn fill<T: Copy>(self, image: &[T], padded: &mut [T]) {
        let (own, row) = (self.width * self.channels, self.row());
        let start = self.top * row + self.left * self.channels;
        for (line, to) in image.chunks_exact(own).zip(padded[start..].chunks_mut(row)) {
            to[..own].copy_from_slice(line);
        }
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

impl Conv2d {
    /// A convolution of `filters` filters; `None` if the window does not fit, or the groups do not divide both channels
    /// and filters.
    pub fn new(
        input: Shape,
        filters: usize,
        window: Window,
        groups: usize,
        bias: bool,
        init_bound: f64,
    ) -> Option<Self> {
        let Shape::Image { height, width, channels } = input else { return None };
        let (out_height, out_width) = window.output(height, width)?;
        if groups == 0 || channels % groups != 0 || !filters.is_multiple_of(groups) || filters == 0 {
            return None;
        }
        let (pad, stride, dilation) = (window.padding, window.stride, window.dilation);
        let image = Padded { height, width, channels, top: pad.0, left: pad.1, bottom: pad.0, right: pad.1 };
        let own = channels / groups;
        let at = |y: usize, x: usize| (y * image.row() + x * channels) as u32;
        let grid =
            |height: usize, width: usize| (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)));
        let rows = grid(out_height, out_width).map(|(y, x)| at(y * stride.0, x * stride.1)).collect();
        let kernel = window.kernel;
        // With all channels in one group, neighbours in a row of the window are neighbours in memory.
        let joined = groups == 1 && dilation.1 == 1;
        let taps = if joined {
            (0..kernel.0).map(|ky| at(ky * dilation.0, 0)).collect()
        } else {
            grid(kernel.0, kernel.1).map(|(ky, kx)| at(ky * dilation.0, kx * dilation.1)).collect()
        };
        let run = if joined { kernel.1 * own } else { own };
        let weight_taps = (0..kernel.0 * kernel.1 * own / run).map(|tap| (tap * run * filters) as u32);
        let mut conv = Self {
            output: Shape::image(out_height, out_width, filters),
            filters,
            groups,
            channels: own,
            window,
            bias,
            init_bound,
            image,
            patches: Patches::new(rows, taps, run),
            places: Places::new((0..out_height * out_width).map(|at| (at * filters) as u32).collect()),
            weight_taps: weight_taps.collect(),
            back: Vec::new(),
            gradient: Padded {
                height: out_height,
                width: out_width,
                channels: filters,
                top: 0,
                left: 0,
                bottom: 0,
                right: 0,
            },
        };
        conv.plan_back();
        Some(conv)
    }

    /// Which outputs saw each pixel, and through which taps.
    ///
    /// Pixel y lies under tap k of output o if s·o + d·k − p = y. For y = s·m + r that is o = m + e with
    /// e = (r + p − d·k)/s, where k is such that s divides it: so all pixels of a remainder r have the same taps.
    fn plan_back(&mut self) {
        let Window { kernel, stride, padding, dilation } = self.window;
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
                        let at = (ey + top) as usize * row + (ex + left) as usize * self.filters;
                        taps.push(at as u32);
                        weight_taps.push(((ky * kernel.1 + kx) * self.channels * self.filters) as u32);
                    }
                }
                let grid = || (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
                let begins = grid().map(|(y, x)| (y * row + x * self.filters) as u32).collect();
                let places = grid()
                    .map(|(y, x)| (((y * stride.0 + ry) * width + x * stride.1 + rx) * channels) as u32);
                self.back.push(Phase {
                    places: Places::new(places.collect()),
                    patches: Patches::new(begins, taps, self.filters / self.groups),
                    weight_taps,
                });
            }
        }
    }

    fn weights(&self) -> usize {
        self.window.kernel.0 * self.window.kernel.1 * self.channels * self.filters
    }

    /// Filters of each group.
    fn own_filters(&self) -> usize {
        self.filters / self.groups
    }

    fn packed_len(&self) -> usize {
        self.groups
            * self.window.kernel.0
            * self.window.kernel.1
            * self.channels
            * padded_columns(self.own_filters())
    }

    fn packed_back_len(&self) -> usize {
        let phase = |phase: &Phase| phase.patches.depth() * padded_columns(self.channels);
        self.groups * self.back.iter().map(phase).sum::<usize>()
    }

    /// Whether the gradient's rows are whole registers, so that nothing has to be copied for them.
    fn is_whole(&self) -> bool {
        padded_columns(self.own_filters()) == self.own_filters()
    }

    fn padded_gradient_len(&self) -> usize {
        self.places.len() * padded_columns(self.own_filters())
    }
}

impl<T: Math> Layer<T> for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn output(&self) -> Shape {
        self.output
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        let (height, width) = self.window.kernel;
        layout.push(format!("{prefix}.weight"), &[height, width, self.channels, self.filters], Role::Weight);
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
        let forward = self.packed_len() + self.image.len();
        let back = self.packed_back_len()
            + self.image.len()
            + self.gradient.len()
            + self.filters
            + if self.is_whole() { 0 } else { self.padded_gradient_len() };
        forward.max(back)
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { w, x, y, scratch, .. } = pass;
        let (weight, bias) = w.split_at(self.weights());
        let (packed, rest) = scratch.split_at_mut(self.packed_len());
        let part = self.packed_len() / self.groups;
        let own = self.own_filters();
        for (group, packed) in packed.chunks_exact_mut(part).enumerate() {
            dispatch(Pack {
                taps: &self.weight_taps,
                run: self.patches.depth() / self.weight_taps.len(),
                n: own,
                b: &weight[group * own..],
                q_stride: self.filters,
                j_stride: 1,
                packed,
            });
        }
        let padded = &mut rest[..self.image.len()];
        padded.fill(T::ZERO);
        let inputs = self.image.height * self.image.width * self.image.channels;
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(self.output.len())) {
            let image: &[T] = if self.image.is_bare() {
                x
            } else {
                self.image.fill(x, padded);
                padded
            };
            for (group, packed) in packed.chunks_exact(part).enumerate() {
                dispatch(Apply {
                    patches: &self.patches,
                    n: own,
                    a: &image[group * self.channels..],
                    packed,
                    bias: self.bias.then(|| &bias[group * own..]),
                    c: &mut y[group * own..],
                    places: &self.places,
                });
            }
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { w, x, dy, dw, dx, scratch, batch, .. } = pass;
        let (weight, _) = w.split_at(self.weights());
        let (dweight, dbias) = dw.split_at_mut(self.weights());
        dbias.fill(T::ZERO);
        let (packed, rest) = scratch.split_at_mut(self.packed_back_len());
        let (padded, rest) = rest.split_at_mut(self.image.len());
        let (padded_dy, rest) = rest.split_at_mut(self.gradient.len());
        let (sums, whole) = rest.split_at_mut(self.filters);
        let (inputs, outputs) =
            (self.image.height * self.image.width * self.image.channels, self.output.len());
        let (own, wide) = (self.own_filters(), padded_columns(self.own_filters()));
        padded.fill(T::ZERO);
        if batch == 0 {
            dweight.fill(T::ZERO);
        }
        for (index, (x, dy)) in x.chunks_exact(inputs).zip(dy.chunks_exact(outputs)).enumerate() {
            let image: &[T] = if self.image.is_bare() {
                x
            } else {
                self.image.fill(x, padded);
                padded
            };
            // Image by image, while its gradient is in the cache.
            if self.bias {
                dispatch(ColumnSums { rows: dy, sums });
                dbias.iter_mut().zip(&*sums).for_each(|(dbias, &sum)| *dbias += sum);
            }
            for group in 0..self.groups {
                let (b, b_row) = if self.is_whole() {
                    (&dy[group * own..], self.filters)
                } else {
                    for (row, to) in dy.chunks_exact(self.filters).zip(whole.chunks_exact_mut(wide)) {
                        to[..own].copy_from_slice(&row[group * own..][..own]);
                        to[own..].fill(T::ZERO);
                    }
                    (&whole[..self.padded_gradient_len()], wide)
                };
                dispatch(Correlate {
                    patches: &self.patches,
                    a: &image[group * self.channels..],
                    n: own,
                    b,
                    b_row,
                    c: &mut dweight[group * own..],
                    c_row: self.filters,
                    add: index > 0,
                });
            }
        }
        if let Some(dx) = dx {
            self.input_gradient(weight, dy, dx, packed, padded_dy);
        }
    }
}

impl Conv2d {
    fn input_gradient<T: Math>(
        &self,
        weight: &[T],
        dy: &[T],
        dx: &mut [T],
        packed: &mut [T],
        padded_dy: &mut [T],
    ) {
        let own = self.own_filters();
        let mut rest = &mut *packed;
        for group in 0..self.groups {
            for phase in &self.back {
                let part;
                (part, rest) = rest.split_at_mut(phase.patches.depth() * padded_columns(self.channels));
                dispatch(Pack {
                    taps: &phase.weight_taps,
                    run: own,
                    n: self.channels,
                    b: &weight[group * own..],
                    q_stride: 1,
                    j_stride: self.filters,
                    packed: part,
                });
            }
        }
        padded_dy.fill(T::ZERO);
        let inputs = self.image.height * self.image.width * self.image.channels;
        for (dx, dy) in dx.chunks_exact_mut(inputs).zip(dy.chunks_exact(self.output.len())) {
            let gradient: &[T] = if self.gradient.is_bare() {
                dy
            } else {
                self.gradient.fill(dy, padded_dy);
                padded_dy
            };
            let mut rest = &*packed;
            for group in 0..self.groups {
                for phase in &self.back {
                    let part;
                    (part, rest) = rest.split_at(phase.patches.depth() * padded_columns(self.channels));
                    dispatch(Apply {
                        patches: &phase.patches,
                        n: self.channels,
                        a: &gradient[group * own..],
                        packed: part,
                        bias: None,
                        c: &mut dx[group * self.channels..],
                        places: &phase.places,
                    });
                }
            }
        }
    }
}
