//! A convolution with stride 1, a window of 3×3 pixels and many channels and filters: minimal filtering.

use std::ops::Range;

use thalweg_optim::kernel::dispatch;
use thalweg_optim::kernel::matmul::{MatMul, Start};
use thalweg_optim::kernel::transpose::transpose;

use super::{Geometry, Image};
use crate::kernel::math::Math;
use crate::kernel::winograd::{
    GradientTiles, InputTiles, LARGEST, OutputTiles, PLACES, Planes, Tiles, WeightGradient, WeightTiles,
    is_whole,
};

/// The way there, and back: a convolution of the gradient with the turned window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Winograd {
    there: Side,
    back: Side,
}

/// A convolution of one image.
#[derive(Debug, Clone, Copy)]
struct Side {
    tiles: Tiles,
    channels: usize,
    filters: usize,
}

/// The most tiles that are worked on at once.
const TILES: usize = 128;
/// The fewest for which there must be room, and those of an image: else the products would be thin.
const ROOM: usize = 8;
const FEWEST: usize = 4;

impl Winograd {
    /// `None` if it is not for these sizes.
    pub(super) fn new(geometry: Geometry) -> Option<Self> {
        let Geometry { input, output, groups, channels, filters, window } = geometry;
        let plain = groups == 1 && window.stride == (1, 1) && window.dilation == (1, 1);
        let fits = window.kernel == (3, 3) && window.padding.0 < 3 && window.padding.1 < 3;
        let has_room = ROOM * channels.max(filters) <= LARGEST;
        if !(plain && fits && is_whole(channels) && is_whole(filters) && has_room) {
            return None;
        }
        let padding = (2 - window.padding.0, 2 - window.padding.1);
        let there = Side {
            tiles: Tiles { image: input, result: output, padding: window.padding },
            channels,
            filters,
        };
        let tiles = Tiles { image: output, result: input, padding };
        let back = Side { tiles, channels: filters, filters: channels };
        (there.tiles.len() >= FEWEST).then_some(Self { there, back })
    }

    /// Numbers of one place's weights.
    fn place(&self) -> usize {
        self.there.channels * self.there.filters
    }

    /// Numbers of the transformed weights.
    fn products(&self) -> usize {
        PLACES * self.place()
    }

    pub(super) fn packed_len(&self) -> usize {
        self.products()
    }

    /// The transformed weights of the way there, of the way back, and the sums of their gradient.
    pub(super) fn packed_back_len(&self) -> usize {
        3 * self.products()
    }

    fn zeros_len(&self) -> usize {
        self.there.widest()
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.zeros_len() + 2 * Planes::LEN
    }

    pub(super) fn scratch_back_len(&self) -> usize {
        self.scratch_len()
    }

    /// Makes zero what of the scratch must be zero in a pass.
    pub(super) fn clear<T: Math>(&self, scratch: &mut [T]) {
        scratch[..self.zeros_len()].fill(T::ZERO);
    }

    pub(super) fn pack<T: Math>(&self, weight: &[T], packed: &mut [T]) {
        dispatch(WeightTiles { w: weight, u: packed });
    }

    /// From what [`Winograd::pack`] left: the window turned by half a circle is U with its rows and columns turned but for the
    /// middle ones, and channels for filters is a transpose.
    pub(super) fn pack_back<T: Math>(&self, _weight: &[T], packed: &mut [T]) {
        const TURNED: [usize; 4] = [3, 1, 2, 0];
        let (there, back) = packed.split_at_mut(self.products());
        let (place, Side { channels, filters, .. }) = (self.place(), self.there);
        for (index, back) in back[..self.products()].chunks_exact_mut(place).enumerate() {
            let from = TURNED[index / 4] * 4 + TURNED[index % 4];
            transpose(&there[from * place..][..place], channels, filters, back);
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
        self.there.convolve(&packed[..self.products()], bias, x, y, scratch);
    }

    /// The input's gradient of one image.
    pub(super) fn input_gradient<T: Math>(&self, packed: &[T], dy: &[T], dx: &mut [T], scratch: &mut [T]) {
        self.back.convolve(&packed[self.products()..][..self.products()], None, dy, dx, scratch);
    }

    /// The gradient of one image by the transformed weights, added up until [`Winograd::finish`].
    pub(super) fn weight_gradient<T: Math>(&self, image: Image<'_, T>) {
        let Image { x, dy, packed, is_first, scratch, .. } = image;
        let Side { tiles, channels, filters } = self.there;
        let sums = &mut packed[2 * self.products()..][..self.products()];
        let (zeros, scratch) = scratch.split_at_mut(self.zeros_len());
        for part in self.there.parts() {
            let rows = part.len();
            let [of_x, of_y] = [channels, filters].map(|width| Planes { rows, width });
            let (v, dm) = scratch.split_at_mut(Planes::LEN);
            let start = if is_first && part.start == 0 { Start::Zero } else { Start::Held };
            dispatch(InputTiles { tiles, part: part.clone(), x, zeros, v, planes: of_x });
            dispatch(GradientTiles { tiles, part, dy, dm, planes: of_y });
            for (place, sums) in sums.chunks_exact_mut(channels * filters).enumerate() {
                dispatch(MatMul {
                    m: channels,
                    n: filters,
                    k: rows,
                    a: &v[of_x.at(place)],
                    a_strides: (1, channels),
                    b: &dm[of_y.at(place)],
                    start,
                    c: sums,
                });
            }
        }
    }

    /// The weights' gradient from the sums.
    pub(super) fn finish<T: Math>(&self, packed: &[T], dw: &mut [T]) {
        dispatch(WeightGradient { du: &packed[2 * self.products()..][..self.products()], dw });
    }
}

impl Side {
    fn widest(self) -> usize {
        self.channels.max(self.filters)
    }

    /// The tiles in parts that are alike.
    fn parts(self) -> impl Iterator<Item = Range<usize>> {
        let (len, most) = (self.tiles.len(), TILES.min(LARGEST / self.widest()));
        let each = len.div_ceil(len.div_ceil(most).max(1)).max(1);
        (0..len).step_by(each).map(move |start| start..len.min(start + each))
    }

    fn convolve<T: Math>(self, u: &[T], bias: Option<&[T]>, x: &[T], y: &mut [T], scratch: &mut [T]) {
        let Self { tiles, channels, filters } = self;
        let (zeros, scratch) = scratch.split_at_mut(self.widest());
        for part in self.parts() {
            let rows = part.len();
            let [of_x, of_y] = [channels, filters].map(|width| Planes { rows, width });
            let (v, m) = scratch.split_at_mut(Planes::LEN);
            dispatch(InputTiles { tiles, part: part.clone(), x, zeros, v, planes: of_x });
            for (place, u) in u.chunks_exact(channels * filters).enumerate() {
                dispatch(MatMul {
                    m: rows,
                    n: filters,
                    k: channels,
                    a: &v[of_x.at(place)],
                    a_strides: (channels, 1),
                    b: u,
                    start: Start::Zero,
                    c: &mut m[of_y.at(place)],
                });
            }
            dispatch(OutputTiles { tiles, part, m, planes: of_y, bias, y });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::slide::Sliding;
    use super::super::{Conv2d, Way, Window};
    use crate::kernel::math::Math;
    use crate::nn::layer::{Backward, Forward, Layer, Mode, Piece};
    use crate::nn::shape::Shape;

    /// Y, dX and dW of two images.
    fn results<T: Math>(conv: &Conv2d, input: Shape) -> [Vec<T>; 3] {
        let (conv, nan): (&dyn Layer<T>, _) = (conv, T::from_f64(f64::NAN));
        // Exact in either type.
        let wave = |len: usize, step: f64| {
            (0..len).map(|i| T::from_f64(f64::from((i as f64 * step).sin() as f32))).collect::<Vec<_>>()
        };
        let mut layout = thalweg_optim::Layout::default();
        conv.layout("", &mut layout);
        let (inputs, outputs) = (2 * input.len(), 2 * conv.output().len());
        let (w, x) = (wave(layout.len(), 0.71), wave(inputs, 0.37));
        let (mut y, mut dy) = (vec![nan; outputs], wave(outputs, 0.53));
        let (mut dx, mut dw) = (vec![nan; inputs], vec![nan; w.len()]);
        let (mut saved, mut scratch) = (vec![nan; conv.saved_len(2)], vec![nan; conv.scratch_len(2)]);
        let (mode, buffers) = (Mode::Evaluate, &[][..]);
        for phase in [Piece { rows: 1, ..Piece::whole(2) }, Piece { first: 1, rows: 1, ..Piece::whole(2) }] {
            let (x, y) = (&x[phase.of(inputs / 2)], &mut y[phase.of(outputs / 2)]);
            let (saved, scratch) = (&mut saved[..], &mut scratch[..]);
            conv.forward(Forward { piece: phase, w: &w, buffers, x, y, saved, scratch, mode });
        }
        conv.backward(Backward {
            piece: Piece::whole(2),
            w: &w,
            buffers,
            x: &x,
            y: &y.clone(),
            dy: &mut dy,
            dw: &mut dw,
            dx: Some(&mut dx),
            saved: &mut saved,
            scratch: &mut scratch,
            mode,
        });
        [y, dx, dw]
    }

    /// The largest difference, relative to the largest number.
    fn furthest(found: &[f64], right: &[f64]) -> f64 {
        assert_eq!(found.len(), right.len());
        let largest =
            |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(0.0, |most: f64, v| most.max(v.abs()));
        let size = largest(&mut right.iter().copied());
        assert!(size > 0.0 && found.iter().all(|v| v.is_finite()));
        largest(&mut found.iter().zip(right).map(|(a, b)| a - b)) / size
    }

    /// Images of more tiles than are worked on at once, and of fewer; as many channels as filters, and not.
    #[test]
    fn what_it_computes_is_a_convolution() {
        for (height, width, channels, filters, padding) in
            [(25, 28, 16, 16, 1), (7, 6, 32, 48, 0), (8, 9, 144, 16, 2), (5, 5, 16, 512, 1)]
        {
            let input = Shape::image(height, width, channels);
            let conv = Conv2d::new(input, filters, Window::square(3, 1, padding), 1, true, 0.0);
            let conv = conv.expect("the window fits");
            assert!(matches!(conv.way, Way::Winograd(_)));
            let sliding = Way::Sliding(Sliding::new(conv.geometry).expect("there is a loop"));
            let plain = Conv2d { way: sliding, ..conv.clone() };
            let right = results::<f64>(&plain, input);
            let errors = |found: [Vec<f64>; 3]| [0, 1, 2].map(|which| furthest(&found[which], &right[which]));
            let single = |conv| results::<f32>(conv, input).map(|v| v.into_iter().map(f64::from).collect());
            for error in errors(results(&conv, input)) {
                assert!(error <= 1e-13, "{input}, {filters} filters: {error:e}");
            }
            // In single precision: up to 2.0 times the errors of the plain sums there and to the input, and 4.3 times for the
            // weights.
            for (ours, theirs) in errors(single(&conv)).into_iter().zip(errors(single(&plain))) {
                assert!(ours <= 6.0 * theirs, "{input}, {filters} filters: {ours:e}, {theirs:e}");
            }
        }
        for (side, channels) in [(4, 528), (2, 16), (4, 24)] {
            let input = Shape::image(side, side, channels);
            let conv = Conv2d::new(input, 16, Window::square(3, 1, 1), 1, true, 0.0);
            assert!(conv.is_some_and(|conv| matches!(conv.way, Way::Sliding(_))), "{input}");
        }
    }
}
