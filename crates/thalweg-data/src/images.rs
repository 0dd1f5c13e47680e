//! Images: what one row is when it is no line of a table.
//!
//! Pixels lie row-major and channels last (NHWC): row 0's top left pixel with all its channels, the pixel to the right
//! of it, …, then row 1. A data set holds them in the form in which they were read (a byte stays a byte), and a
//! [`Preparation`](crate::Preparation) turns the rows that it is asked for into `f32`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Height × width × channels of an image. Its text form is `8x8x1`, or `8x8` for a single channel; none is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Numbers in a pixel: 1 for grey, 3 for colour.
    pub channels: usize,
}

/// Why a text is no [`ImageShape`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "«{text}» is no image shape; expected HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, whole numbers from 1 on, such as 28x28 \
     or 32x32x3"
)]
pub struct ShapeError {
    /// What was given.
    pub text: String,
}

impl ImageShape {
    /// How many numbers an image is, or `None` if they are more than memory can address.
    pub fn checked_len(self) -> Option<usize> {
        self.height.checked_mul(self.width)?.checked_mul(self.channels)
    }

    /// How many numbers an image is: height · width · channels.
    #[expect(clippy::len_without_is_empty, reason = "no shape is empty")]
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

impl FromStr for ImageShape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let parts: Option<Vec<usize>> = text
            .split(['x', 'X', '×'])
            .map(|part| part.trim().parse().ok().filter(|&size| size > 0))
            .collect();
        let shape = match parts.as_deref() {
            Some(&[height, width]) => Some(Self { height, width, channels: 1 }),
            Some(&[height, width, channels]) => Some(Self { height, width, channels }),
            _ => None,
        };
        let addressable = shape.filter(|shape| shape.checked_len().is_some());
        addressable.ok_or_else(|| ShapeError { text: text.to_owned() })
    }
}

impl TryFrom<String> for ImageShape {
    type Error = ShapeError;

    fn try_from(text: String) -> Result<Self, ShapeError> {
        text.parse()
    }
}

impl From<ImageShape> for String {
    fn from(shape: ImageShape) -> String {
        shape.to_string()
    }
}

/// The pixels of all rows and the shape of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// Of every row alike.
    pub shape: ImageShape,
    /// Where the pixels are.
    pub pixels: Pixels,
}

/// Where the pixels are.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// In the data set's features: each is numbers, and in their order they are an image's pixels.
    Columns,
    /// In a block of bytes, 0 to 255: `rows × shape.len()` of them.
    Bytes(Vec<u8>),
    /// In a block of numbers: `rows × shape.len()`; NaN means missing, ∞ never occurs.
    Numbers(Vec<f32>),
}

impl Images {
    /// How many rows a block holds; `None` if the features hold the pixels, or if the shape is empty.
    pub fn rows(&self) -> Option<usize> {
        match &self.pixels {
            Pixels::Columns => None,
            Pixels::Bytes(bytes) => bytes.len().checked_div(self.shape.len()),
            Pixels::Numbers(numbers) => numbers.len().checked_div(self.shape.len()),
        }
    }

    /// The images of some rows, in that order.
    pub(crate) fn pick(&self, rows: &[u32]) -> Images {
        let pixels = match &self.pixels {
            Pixels::Columns => Pixels::Columns,
            Pixels::Bytes(bytes) => Pixels::Bytes(pick(bytes, rows, self.shape.len())),
            Pixels::Numbers(numbers) => Pixels::Numbers(pick(numbers, rows, self.shape.len())),
        };
        Images { shape: self.shape, pixels }
    }
}

fn pick<T: Copy>(values: &[T], rows: &[u32], len: usize) -> Vec<T> {
    rows.iter().flat_map(|&row| &values[row as usize * len..][..len]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_a_text() {
        let shape = ImageShape { height: 8, width: 6, channels: 1 };
        for text in ["8x6x1", "8x6", "8×6×1", " 8 X 6 "] {
            assert_eq!(text.parse(), Ok(shape), "{text}");
        }
        assert_eq!(shape.to_string(), "8x6x1");
        assert_eq!(serde_json::to_string(&shape).expect("JSON"), r#""8x6x1""#);
        assert_eq!(serde_json::from_str::<ImageShape>(r#""8x6""#).expect("a shape"), shape);
        for text in ["", "8", "8x0", "8x-1", "8x8x8x8", "8x8x", "axb", "9999999999x9999999999x3"] {
            let error = text.parse::<ImageShape>().expect_err(text).to_string();
            assert!(error.contains(&format!("«{text}»")) && error.contains("28x28"), "{error}");
        }
    }

    #[test]
    fn rows_are_picked_whole() {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let images = Images { shape, pixels: Pixels::Bytes(vec![0, 1, 2, 3, 4, 5]) };
        assert_eq!(images.rows(), Some(3));
        let empty = ImageShape { height: 0, ..shape };
        assert_eq!(Images { shape: empty, pixels: Pixels::Bytes(vec![]) }.rows(), None);
        assert_eq!(images.pick(&[2, 0]).pixels, Pixels::Bytes(vec![4, 5, 0, 1]));
    }
}
