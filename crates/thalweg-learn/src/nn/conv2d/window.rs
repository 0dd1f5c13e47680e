//! The window of a convolution.

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
    pub(in crate::nn) fn too_large(self) -> String {
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
