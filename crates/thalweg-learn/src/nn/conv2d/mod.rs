//! A convolution over images.

mod patches;
mod slide;
mod window;
mod winograd;

use serde::{Deserialize, Serialize};
use thalweg_optim::kernel::dispatch;
use thalweg_optim::random::Stream;
use thalweg_optim::{Layout, Role};

use patches::Patched;
use slide::Sliding;
pub use window::Window;
use winograd::Winograd;

use super::dense::{is_yes, yes};
use super::depthwise::Depthwise;
use super::init::uniform;
use super::layer::{Backward, Forward, Layer, Pace};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site, too_large};
use crate::kernel::columns::ColumnSums;
use crate::kernel::conv::padded_columns;
use crate::kernel::line::{LINE, from_line};
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
                "it wants an image; it must stand before `flatten` and global pooling",
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

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Geometry {
    /// The image's height and width.
    input: (usize, usize),
    /// The result's.
    output: (usize, usize),
    groups: usize,
    /// Of each group.
    channels: usize,
    /// Of all groups.
    filters: usize,
    window: Window,
}

impl Geometry {
    fn inputs(self) -> usize {
        self.input.0 * self.input.1 * self.groups * self.channels
    }

    fn positions(self) -> usize {
        self.output.0 * self.output.1
    }

    fn weights(self) -> usize {
        self.window.kernel.0 * self.window.kernel.1 * self.channels * self.filters
    }

    /// Filters of each group.
    fn own_filters(self) -> usize {
        self.filters / self.groups
    }

    /// Numbers for a copy of the gradient whose rows are whole registers; none if they are already.
    fn whole_len(self) -> usize {
        let wide = padded_columns(self.own_filters());
        if wide == self.own_filters() { 0 } else { self.positions() * wide }
    }

    /// A group's part of the gradient of one image.
    fn whole_rows<'a, T: Math>(self, group: usize, dy: &'a [T], whole: &'a mut [T]) -> Rows<'a, T> {
        let (own, wide) = (self.own_filters(), padded_columns(self.own_filters()));
        if own == wide {
            return Rows { dy: &dy[group * own..], distance: self.filters };
        }
        for (row, to) in dy.chunks_exact(self.filters).zip(whole.chunks_exact_mut(wide)) {
            to[..own].copy_from_slice(&row[group * own..][..own]);
            to[own..].fill(T::ZERO);
        }
        Rows { dy: whole, distance: wide }
    }
}

/// What a way is given for an image's part of the weights' gradient.
struct Image<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    dy: &'a [T],
    /// Added to, unless this is the first image; not by a way that finishes it behind the last one.
    dw: &'a mut [T],
    /// What was packed for the way back, and what the way keeps from image to image.
    packed: &'a mut [T],
    is_first: bool,
    /// [`Geometry::whole_len`] numbers.
    whole: &'a mut [T],
    scratch: &'a mut [T],
}

/// A group's gradient: a row for each position, with whole registers behind its beginning.
#[derive(Debug, Clone, Copy)]
struct Rows<'a, T> {
    dy: &'a [T],
    /// From a row to the next.
    distance: usize,
}

/// Y\[o\] = Σ_taps X\[stride·o + dilation·tap − padding\]·W\[tap\] + b, over channels in groups (PyTorch's `Conv2d`, a
/// cross-correlation).
///
/// W is stored `[kernel height, kernel width, channels / groups, filters]` (Keras's and JAX's order; PyTorch's
/// `Conv2d.weight` is `[filters, channels / groups, kernel height, kernel width]`). Group g has the g-th part of the
/// channels and of the filters.
#[derive(Debug, Clone)]
pub struct Conv2d {
    geometry: Geometry,
    bias: bool,
    init_bound: f64,
    way: Way,
}

/// How the products are done.
#[derive(Debug, Clone)]
enum Way {
    Patched(Box<Patched>),
    Sliding(Sliding),
    Winograd(Winograd),
}

/// Calls the same method of the way that is taken.
macro_rules! of_way {
    ($conv:expr, $way:ident => $call:expr) => {
        match &$conv.way {
            Way::Patched($way) => $call,
            Way::Sliding($way) => $call,
            Way::Winograd($way) => $call,
        }
    };
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
        let output = window.output(height, width)?;
        if groups == 0 || channels % groups != 0 || !filters.is_multiple_of(groups) || filters == 0 {
            return None;
        }
        let geometry =
            Geometry { input: (height, width), output, groups, channels: channels / groups, filters, window };
        let way = if let Some(winograd) = Winograd::new(geometry) {
            Way::Winograd(winograd)
        } else if let Some(sliding) = Sliding::new(geometry) {
            Way::Sliding(sliding)
        } else {
            Way::Patched(Box::new(Patched::new(geometry)))
        };
        Some(Self { geometry, bias, init_bound, way })
    }
}

impl<T: Math> Layer<T> for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn output(&self) -> Shape {
        let (height, width) = self.geometry.output;
        Shape::image(height, width, self.geometry.filters)
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        let Geometry { channels, filters, window, .. } = self.geometry;
        let (height, width) = window.kernel;
        layout.push(format!("{prefix}.weight"), &[height, width, channels, filters], Role::Weight);
        if self.bias {
            layout.push(format!("{prefix}.bias"), &[filters], Role::Bias);
        }
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        let (weight, bias) = w.split_at_mut(self.geometry.weights());
        uniform(weight, self.init_bound, random);
        bias.fill(T::ZERO);
    }

    /// The weights in the order of the products, once a pass.
    fn saved_len(&self, _batch: usize) -> usize {
        of_way!(self, way => way.packed_len().max(way.packed_back_len())) + LINE
    }

    fn scratch_len(&self, _batch: usize) -> usize {
        let (forward, back) = of_way!(self, way => (way.scratch_len(), way.scratch_back_len()));
        forward.max(back + self.geometry.whole_len() + self.geometry.filters) + LINE
    }

    fn phases(&self) -> &[Pace] {
        &[Pace::Pieces]
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece, w, x, y, saved, scratch, .. } = pass;
        let (weight, bias) = w.split_at(self.geometry.weights());
        let bias = self.bias.then_some(bias);
        let rows = x.chunks_exact(self.geometry.inputs());
        let rows = rows.zip(y.chunks_exact_mut(self.geometry.positions() * self.geometry.filters));
        of_way!(self, way => {
            let packed = &mut from_line(saved)[..way.packed_len()];
            if piece.is_first() {
                way.pack(weight, packed);
            }
            let scratch = &mut from_line(scratch)[..way.scratch_len()];
            way.clear(scratch);
            for (x, y) in rows {
                way.forward(packed, bias, x, y, scratch);
            }
        });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece, w, x, dy, dw, mut dx, saved, scratch, .. } = pass;
        let geometry = self.geometry;
        let (weight, _) = w.split_at(geometry.weights());
        let (dweight, dbias) = dw.split_at_mut(geometry.weights());
        if piece.is_first() {
            dbias.fill(T::ZERO);
        }
        if piece.batch == 0 {
            dweight.fill(T::ZERO);
        }
        let (inputs, outputs) = (geometry.inputs(), geometry.positions() * geometry.filters);
        of_way!(self, way => {
            let packed = &mut from_line(saved)[..way.packed_back_len()];
            let (whole, scratch) = from_line(scratch).split_at_mut(geometry.whole_len());
            let (sums, scratch) = scratch.split_at_mut(geometry.filters);
            let scratch = &mut scratch[..way.scratch_back_len()];
            way.clear(scratch);
            if dx.is_some() && piece.is_first() {
                way.pack_back(weight, packed);
            }
            // Image by image: all that is done with its gradient, while that is in the cache.
            for (index, (x, dy)) in x.chunks_exact(inputs).zip(dy.chunks_exact(outputs)).enumerate() {
                if self.bias {
                    dispatch(ColumnSums { rows: dy, sums });
                    dbias.iter_mut().zip(&*sums).for_each(|(dbias, &sum)| *dbias += sum);
                }
                let is_first = piece.first + index == 0;
                way.weight_gradient(Image { geometry, x, dy, dw: dweight, packed, is_first, whole, scratch });
                if let Some(dx) = dx.as_deref_mut() {
                    way.input_gradient(packed, dy, &mut dx[index * inputs..][..inputs], scratch);
                }
            }
        });
        if let Way::Winograd(way) = &self.way
            && piece.end() == piece.batch
            && piece.batch > 0
        {
            way.finish(from_line(saved), dweight);
        }
    }
}
