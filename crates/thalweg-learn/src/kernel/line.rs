//! Memory that begins with a cache line: a register that lies in two lines takes two loads.

use std::ops::{Deref, DerefMut};

/// Numbers of a cache line of 64 bytes, of the narrowest type: what must be left over for [`from_line`].
pub(crate) const LINE: usize = 16;

/// What lies behind the first cache line's beginning.
///
/// # Panics
/// If fewer than [`LINE`] numbers are given.
pub(crate) fn from_line<T>(memory: &mut [T]) -> &mut [T] {
    let skip = skip(memory);
    &mut memory[skip..]
}

fn skip<T>(memory: &[T]) -> usize {
    memory.as_ptr().align_offset(64).min(LINE)
}

/// Numbers that begin with a cache line: a `Vec` begins anywhere, which costs a dense layer a tenth of its
/// time.
///
/// It cannot be cloned, for a copy would lie elsewhere.
#[derive(Debug)]
pub struct Lines<T> {
    memory: Vec<T>,
    skip: usize,
    len: usize,
}

impl<T: Copy> Lines<T> {
    /// `len` times `value`.
    pub fn new(value: T, len: usize) -> Self {
        let mut memory = vec![value; len + LINE];
        ask_for_large_pages(&mut memory);
        let skip = skip(&memory);
        Self { memory, skip, len }
    }

    /// The same numbers.
    pub fn copy_of(values: &[T]) -> Self {
        let Some(&first) = values.first() else { return Self { memory: Vec::new(), skip: 0, len: 0 } };
        let mut memory = Vec::with_capacity(values.len() + LINE);
        ask_for_large_pages(memory.spare_capacity_mut());
        let skip = skip(memory.spare_capacity_mut());
        memory.resize(skip, first);
        memory.extend_from_slice(values);
        Self { memory, skip, len: values.len() }
    }
}

/// Bytes of memory for which large pages pay.
const LARGE: usize = 4 << 20;

/// Asks Linux for pages of 2 MiB, if it gives them only to who asks before the memory is written to: with them a step of resnet8
/// takes 0.97 of the time. No harm is done if it does not.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the system's function is only to be had so")]
fn ask_for_large_pages<T>(memory: &mut [T]) {
    const PAGE: usize = 4096;
    let (bytes, start) = (size_of_val(memory), memory.as_mut_ptr().cast::<u8>());
    let skip = start.addr().next_multiple_of(PAGE) - start.addr();
    if bytes >= LARGE {
        // SAFETY: the pages lie in memory that is borrowed exclusively, and the advice changes none of its bytes.
        unsafe {
            libc::madvise(start.add(skip).cast(), (bytes - skip) / PAGE * PAGE, libc::MADV_HUGEPAGE);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages<T>(_memory: &mut [T]) {}

impl<T> Deref for Lines<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.skip..][..self.len]
    }
}

impl<T> DerefMut for Lines<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.skip..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_aligned<T>(numbers: &[T]) -> bool {
        numbers.as_ptr().addr().is_multiple_of(64)
    }

    #[test]
    fn lines_begin_with_a_cache_line() {
        for len in [1, 15, 16, 1000, LARGE / 4] {
            let mut lines = Lines::new(1.5_f32, len);
            assert!(is_aligned(&lines) && lines[..] == vec![1.5; len]);
            lines[len - 1] = 2.0;
            let copy = Lines::copy_of(&lines);
            assert!(is_aligned(&copy) && copy[..] == lines[..]);
            assert!(is_aligned(&Lines::new(0.0_f64, len)));
        }
        assert!(Lines::<f32>::copy_of(&[]).is_empty() && Lines::new(0.0_f32, 0).is_empty());
    }

    #[test]
    fn memory_loses_less_than_a_line() {
        let mut memory = vec![0.0_f32; 5 * LINE];
        for start in 0..LINE {
            let left = from_line(&mut memory[start..]).len();
            assert!(is_aligned(from_line(&mut memory[start..])));
            assert!(left + start + LINE > 5 * LINE, "{start}: {left}");
        }
    }
}
