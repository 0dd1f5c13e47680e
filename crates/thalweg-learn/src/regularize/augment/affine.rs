//! Moving the pixels of an image: one bilinear pass, whatever is done to them.

use super::super::draws::Draws;
use crate::nn::Shape;

/// Where each pixel of the new image comes from: (y, x) ↦ (a·y + b·x + c, d·y + e·x + f), from the middle of the image,
/// y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine([f64; 6]);

impl Affine {
    /// Everything stays.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    /// The image moves down by `y` and right by `x` pixels.
    pub fn shift(y: f64, x: f64) -> Self {
        Self([1.0, 0.0, -y, 0.0, 1.0, -x])
    }

    /// The image is turned counter-clockwise, in degrees.
    pub fn rotation(degrees: f64) -> Self {
        let (sine, cosine) = libm::sincos(degrees.to_radians());
        Self([cosine, sine, 0.0, -sine, cosine, 0.0])
    }

    /// The image becomes so many times as large.
    pub fn scale(factor: f64) -> Self {
        Self([1.0 / factor, 0.0, 0.0, 0.0, 1.0 / factor, 0.0])
    }

    /// Each row of pixels moves right by `x` times its distance below the middle, each column down by `y` times its own.
    pub fn shear(y: f64, x: f64) -> Self {
        // The inverse of [[1, y], [x, 1]].
        let unit = 1.0 / (1.0 - y * x);
        Self([unit, -y * unit, 0.0, -x * unit, unit, 0.0])
    }

    /// Left becomes right.
    pub fn mirror() -> Self {
        Self([1.0, 0.0, 0.0, 0.0, -1.0, 0.0])
    }

    /// Top becomes bottom.
    pub fn upside_down() -> Self {
        Self([-1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    }

    /// This one, then the next.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        // A pixel of the last image is asked first where it comes from.
        let ([a, b, c, d, e, f], [p, q, r, s, t, u]) = (self.0, next.0);
        Self([
            a * p + b * s,
            a * q + b * t,
            a * r + b * u + c,
            d * p + e * s,
            d * q + e * t,
            d * r + e * u + f,
        ])
    }

    /// `out` ← the moved `image`, by bilinear interpolation between the four pixels around each source, 0 outside.
    pub fn apply(self, image: &[f32], out: &mut [f32], height: usize, width: usize) {
        let channels = image.len() / (height * width).max(1);
        let [a, b, c, d, e, f] = self.0;
        let middle = |side: usize| (side as f64 - 1.0) / 2.0;
        let (middle_y, middle_x) = (middle(height), middle(width));
        for (place, out) in out.chunks_exact_mut(channels).enumerate() {
            let (y, x) = ((place / width) as f64 - middle_y, (place % width) as f64 - middle_x);
            let (y, x) = (a * y + b * x + c + middle_y, d * y + e * x + f + middle_x);
            let (top, left) = (y.floor(), x.floor());
            let (below, right) = ((y - top) as f32, (x - left) as f32);
            out.fill(0.0);
            for (row, column, weight) in [
                (top, left, (1.0 - below) * (1.0 - right)),
                (top, left + 1.0, (1.0 - below) * right),
                (top + 1.0, left, below * (1.0 - right)),
                (top + 1.0, left + 1.0, below * right),
            ] {
                let inside = row >= 0.0 && row < height as f64 && column >= 0.0 && column < width as f64;
                if inside && weight > 0.0 {
                    let from = (row as usize * width + column as usize) * channels;
                    let pixel = &image[from..from + channels];
                    out.iter_mut().zip(pixel).for_each(|(out, &pixel)| *out += weight * pixel);
                }
            }
        }
    }
}

/// How a technique with these values moves the pixels of one image.
pub type Warp = fn(&[f64], &mut Draws) -> Affine;

/// All techniques that move pixels.
#[derive(Debug)]
pub(crate) struct Warps {
    shape: Shape,
    parts: Vec<(Warp, Vec<f64>, u64)>,
    image: Vec<f32>,
}

impl Warps {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, parts: Vec::new(), image: Vec::new() }
    }

    pub(crate) fn push(&mut self, warp: Warp, values: &[f64], key: u64) {
        self.parts.push((warp, values.to_vec(), key));
        self.image.resize(self.shape.len(), 0.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Moves the pixels of each row.
    pub(crate) fn run(&mut self, x: &mut [f32], step: u64) {
        let Shape::Image { height, width, .. } = self.shape else { return };
        for (row, x) in x.chunks_exact_mut(self.shape.len()).enumerate() {
            let parts = self.parts.iter().map(|(warp, values, key)| {
                warp(values, &mut Draws::new(Draws::key(Draws::key(*key, step), row as u64)))
            });
            let affine = parts.fold(Affine::IDENTITY, Affine::then);
            if affine != Affine::IDENTITY {
                self.image.copy_from_slice(x);
                affine.apply(&self.image, x, height, width);
            }
        }
    }
}
