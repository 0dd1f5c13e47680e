//! The CPU's switch that treats denormal numbers as zero.
//!
//! Gradients and optimizer states shrink towards zero; below about 1e-38 (f32) each operation on them traps into slow
//! microcode. Flushing them changes no result that matters and keeps a step's time constant.
#![allow(unsafe_code, reason = "the control register is only reachable by instructions")]

/// Flushes denormals to zero on this thread, or does not, until it is dropped; then the old mode is back.
#[derive(Debug)]
pub struct FlushDenormals {
    old: u64,
    // The mode belongs to the thread: the guard must not move to another.
    _here: std::marker::PhantomData<*const ()>,
}

impl FlushDenormals {
    /// Switches flushing on.
    pub fn start() -> Self {
        Self::set(true)
    }

    /// Switches flushing on or off: as the thread does whose work this is.
    pub fn set(on: bool) -> Self {
        let old = read();
        write(if on { old | FLUSH } else { old & !FLUSH });
        Self { old, _here: std::marker::PhantomData }
    }

    /// Whether this thread flushes.
    pub fn is_on() -> bool {
        FLUSH != 0 && read() & FLUSH == FLUSH
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        write(self.old);
    }
}

#[cfg(target_arch = "x86_64")]
mod arch {
    /// Flush-to-zero (bit 15) and denormals-are-zero (bit 6) of MXCSR.
    pub(super) const FLUSH: u64 = 1 << 15 | 1 << 6;

    pub(super) fn read() -> u64 {
        let mut mode = 0_u32;
        // SAFETY: stores the 32-bit register into a local of that size.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags)) };
        u64::from(mode)
    }

    pub(super) fn write(mode: u64) {
        let mode = mode as u32;
        // SAFETY: `mode` came from `read`, with only the two flushing bits changed: rounding and exception masks stay.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, readonly)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod arch {
    /// Flush-to-zero (bit 24) of FPCR.
    pub(super) const FLUSH: u64 = 1 << 24;

    pub(super) fn read() -> u64 {
        let mode: u64;
        // SAFETY: reads a register that every thread may read.
        unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack, preserves_flags)) };
        mode
    }

    pub(super) fn write(mode: u64) {
        // SAFETY: `mode` came from `read`, with only the flushing bit changed.
        unsafe { std::arch::asm!("msr fpcr, {}", in(reg) mode, options(nomem, nostack, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod arch {
    pub(super) const FLUSH: u64 = 0;
    pub(super) fn read() -> u64 {
        0
    }
    pub(super) fn write(_mode: u64) {}
}

use arch::{FLUSH, read, write};

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn denormals_are_flushed_only_while_the_guard_lives() {
        let half = |x: f32| black_box(x) * black_box(0.5);
        assert!(half(f32::MIN_POSITIVE) > 0.0);
        let guard = FlushDenormals::start();
        assert_eq!(half(f32::MIN_POSITIVE), 0.0);
        drop(guard);
        assert!(half(f32::MIN_POSITIVE) > 0.0);
    }
}
