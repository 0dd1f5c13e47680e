//! State in 16 or 8 bits a number: fewer bytes to move in the one pass over memory.
//!
//! The state lies piece after piece, each of [`PIECE`] elements, slot by slot. See [`pieces`](crate::pieces) for the pass.

use serde::{Deserialize, Serialize};

use crate::kernel::dispatch;
use crate::kernel::pack::{FromBf16, FromBytes, Rounding, SCALED, ToBf16, ToBytes};
use crate::params::Layout;
use crate::real::Real;
use crate::state::{StateDict, Values};

/// Elements that are unpacked together: with a few slots they fit the first cache.
pub(crate) const PIECE: usize = 1024;
/// Scales of a slot of a piece.
pub(crate) const SCALES: usize = PIECE / SCALED;

/// In how many bits a state is kept.
///
/// Short numbers are rounded by chance, right on average, by a stream that is keyed by the step and the place: the same
/// bits on any number of threads. For parameters of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// As the parameters: 32 or 64.
    #[default]
    Full,
    /// 16: an f32's upper half, two to three decimal digits.
    Bf16,
    /// 8, with a scale per 256: about one decimal digit; too few for a method that keeps a point like W. A NaN or ∞ spreads over its 256.
    Byte,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 3] = [Self::Full, Self::Bf16, Self::Byte];

    /// The name in recipes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Bf16 => "bf16",
            Self::Byte => "byte",
        }
    }
}

/// Packed numbers, `slots` per element.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    cells: Store,
    slots: usize,
}

#[derive(Debug, Clone)]
enum Store {
    Bf16(Vec<u16>),
    Byte { codes: Vec<u8>, scales: Vec<f32> },
}

/// The cells of some pieces.
pub(crate) enum Cells<'a> {
    Bf16(&'a mut [u16]),
    Byte(&'a mut [u8], &'a mut [f32]),
}

impl<'a> Cells<'a> {
    /// The first `pieces` pieces; the rest stays here.
    pub(crate) fn take_front(&mut self, pieces: usize, slots: usize) -> Self {
        let (cells, scales) = (pieces * slots * PIECE, pieces * slots * SCALES);
        match self {
            Self::Bf16(cells_left) => Self::Bf16(cells_left.split_off_mut(..cells).unwrap_or_default()),
            Self::Byte(codes, scales_left) => Self::Byte(
                codes.split_off_mut(..cells).unwrap_or_default(),
                scales_left.split_off_mut(..scales).unwrap_or_default(),
            ),
        }
    }

    /// Reads the first numbers of each slot of one piece; `to` is slot after slot, a piece apart.
    pub(crate) fn unpack<T: Real>(&self, to: &mut [T], n: usize) {
        let n = n.next_multiple_of(SCALED);
        for (slot, to) in to.chunks_mut(PIECE).enumerate() {
            let (own, to) = (slot * PIECE..slot * PIECE + n, &mut to[..n]);
            match self {
                Self::Bf16(cells) => dispatch(FromBf16 { from: &cells[own], to }),
                Self::Byte(codes, scales) => {
                    let scales = &scales[slot * SCALES..(slot + 1) * SCALES];
                    dispatch(FromBytes { codes: &codes[own], scales, to });
                }
            }
        }
    }

    /// Writes the first numbers of each slot of one piece; what `from` has behind them is set to zero, as it must not
    /// count in a scale.
    pub(crate) fn pack<T: Real>(&mut self, from: &mut [T], n: usize, rounding: Rounding) {
        let whole = n.next_multiple_of(SCALED);
        for (slot, from) in from.chunks_mut(PIECE).enumerate() {
            from[n..whole].fill(T::ZERO);
            let (own, from) = (slot * PIECE..slot * PIECE + whole, &from[..whole]);
            let index = slot * SCALES;
            match self {
                Self::Bf16(cells) => dispatch(ToBf16 { from, to: &mut cells[own], rounding, index }),
                Self::Byte(codes, scales) => {
                    let (codes, scales) = (&mut codes[own], &mut scales[index..index + SCALES]);
                    dispatch(ToBytes { from, codes, scales, rounding, index });
                }
            }
        }
    }

    pub(crate) fn reborrow(&mut self) -> Cells<'_> {
        match self {
            Self::Bf16(cells) => Cells::Bf16(cells),
            Self::Byte(codes, scales) => Cells::Byte(codes, scales),
        }
    }
}

impl Packed {
    /// Room for `slots` numbers per parameter, each slot at its first value; `None` for full precision, or if there
    /// is nothing to keep.
    pub(crate) fn new<T: Real>(precision: Precision, layout: &Layout, initial: &[T]) -> Option<Self> {
        let slots = initial.len();
        let pieces: usize = layout.blocks().iter().map(|block| block.range.len().div_ceil(PIECE)).sum();
        let cells = match precision {
            _ if initial.is_empty() => return None,
            Precision::Full => return None,
            Precision::Bf16 => Store::Bf16(vec![0; pieces * slots * PIECE]),
            Precision::Byte => Store::Byte {
                codes: vec![0; pieces * slots * PIECE],
                scales: vec![0.0; pieces * slots * SCALES],
            },
        };
        let mut packed = Self { cells, slots };
        let mut piece: Vec<T> = initial.iter().flat_map(|&value| [value; PIECE]).collect();
        let mut rest = packed.cells();
        for _ in 0..pieces {
            rest.take_front(1, slots).pack(&mut piece, PIECE, Rounding::Nearest);
        }
        Some(packed)
    }

    pub(crate) fn cells(&mut self) -> Cells<'_> {
        match &mut self.cells {
            Store::Bf16(cells) => Cells::Bf16(cells),
            Store::Byte { codes, scales } => Cells::Byte(codes, scales),
        }
    }

    /// The numbers, slot after slot.
    pub(crate) fn unpack<T: Real>(&mut self, layout: &Layout) -> Vec<T> {
        let (n, slots) = (layout.len(), self.slots);
        let mut state = vec![T::ZERO; n * slots];
        let mut piece = vec![T::ZERO; slots * PIECE];
        let mut cells = self.cells();
        for block in layout.blocks() {
            for start in block.range.clone().step_by(PIECE) {
                let count = PIECE.min(block.range.end - start);
                cells.take_front(1, slots).unpack(&mut piece, count);
                for (slot, own) in piece.chunks(PIECE).enumerate() {
                    state[slot * n + start..][..count].copy_from_slice(&own[..count]);
                }
            }
        }
        state
    }

    /// Adds each slot's cells block by block, exactly as they are.
    pub(crate) fn save(&self, names: &[&str], layout: &Layout, state: &mut StateDict) {
        let mut piece = 0;
        for block in layout.blocks() {
            let n = block.range.len();
            for (slot, name) in names.iter().enumerate() {
                let key = format!("{name}/{}", block.name);
                match &self.cells {
                    Store::Bf16(cells) => {
                        let own = gather(cells, piece, slot, self.slots, n, PIECE);
                        state.insert(key, &block.shape, Values::Bf16(own));
                    }
                    Store::Byte { codes, scales } => {
                        let scales = gather(scales, piece, slot, self.slots, n.div_ceil(SCALED), SCALES);
                        // Not behind the block's name: another block may be called so.
                        state.insert(
                            format!("{name}.scales/{}", block.name),
                            &[scales.len()],
                            Values::F32(scales),
                        );
                        let own = gather(codes, piece, slot, self.slots, n, PIECE);
                        state.insert(key, &block.shape, Values::U8(own));
                    }
                }
            }
            piece += n.div_ceil(PIECE);
        }
    }

    /// The reverse of [`Packed::save`], from a state whose form was checked.
    pub(crate) fn restore(&mut self, names: &[&str], layout: &Layout, state: &StateDict) {
        let slots = self.slots;
        let mut piece = 0;
        for block in layout.blocks() {
            for (slot, name) in names.iter().enumerate() {
                let key = format!("{name}/{}", block.name);
                let own = |key: &str| state.entries().get(key).map(|tensor| &tensor.values);
                match (&mut self.cells, own(&key), own(&format!("{name}.scales/{}", block.name))) {
                    (Store::Bf16(cells), Some(Values::Bf16(own)), _) => {
                        scatter(cells, piece, slot, slots, own, PIECE);
                    }
                    (Store::Byte { codes, scales }, Some(Values::U8(own)), Some(Values::F32(own_scales))) => {
                        scatter(codes, piece, slot, slots, own, PIECE);
                        scatter(scales, piece, slot, slots, own_scales, SCALES);
                    }
                    _ => unreachable!("the form of the state was checked"),
                }
            }
            piece += block.range.len().div_ceil(PIECE);
        }
    }
}

/// The `n` numbers of a slot from piece `first` on, which lie `per` to a piece.
fn gather<V: Copy>(cells: &[V], first: usize, slot: usize, slots: usize, n: usize, per: usize) -> Vec<V> {
    let pieces = cells.chunks(slots * per).skip(first);
    pieces.flat_map(|piece| &piece[slot * per..(slot + 1) * per]).copied().take(n).collect()
}

fn scatter<V: Copy>(cells: &mut [V], first: usize, slot: usize, slots: usize, own: &[V], per: usize) {
    let pieces = cells.chunks_mut(slots * per).skip(first);
    for (piece, own) in pieces.zip(own.chunks(per)) {
        piece[slot * per..][..own.len()].copy_from_slice(own);
    }
}
