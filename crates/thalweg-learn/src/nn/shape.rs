//! The shape of one sample between two layers.

use std::fmt;

/// What one row is: numbers without an order, or an image whose channels lie next to each other.
///
/// Images are row-major with the channels last (`[height, width, channels]`, Keras's and JAX's order; PyTorch has the
/// channels first). So whatever works per channel sees a matrix with a row per position and a column per channel, and
/// numbers without an order are an image of one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// This many numbers.
    Flat(usize),
    /// Pixels.
    Image {
        /// Rows of pixels.
        height: usize,
        /// Pixels in a row.
        width: usize,
        /// Numbers in a pixel.
        channels: usize,
    },
}

impl Shape {
    /// An image.
    pub fn image(height: usize, width: usize, channels: usize) -> Self {
        Self::Image { height, width, channels }
    }

    /// Numbers in a sample.
    pub fn len(self) -> usize {
        self.positions() * self.channels()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Pixels; 1 for numbers without an order.
    pub fn positions(self) -> usize {
        match self {
            Self::Flat(_) => 1,
            Self::Image { height, width, .. } => height * width,
        }
    }

    /// Numbers at each position: the features of [`Shape::Flat`], the channels of an image.
    pub fn channels(self) -> usize {
        match self {
            Self::Flat(features) => features,
            Self::Image { channels, .. } => channels,
        }
    }

    /// The same positions with another number of channels.
    pub fn with_channels(self, channels: usize) -> Self {
        match self {
            Self::Flat(_) => Self::Flat(channels),
            Self::Image { height, width, .. } => Self::Image { height, width, channels },
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat(features) => write!(f, "{features}"),
            Self::Image { height, width, channels } => write!(f, "{height}×{width}×{channels}"),
        }
    }
}
