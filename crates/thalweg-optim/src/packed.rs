//! State in 16 or 8 bits a number: fewer bytes to move in the one pass over memory.
//!
//! The state lies block after block of 64 elements, slot by slot, and each tensor begins a block. See
//! [`pieces`](crate::pieces) for the pass.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernel::pack::{Rounding, from_bf16, from_bytes, hash, to_bf16, to_bytes};
use crate::kernel::step::BLOCK;
use crate::kernel::{Isa, Kernel, call_ahead, dispatch};
use crate::params::Layout;
use crate::state::{StateDict, Values};

/// In how many bits a state is kept.
///
/// Short numbers are rounded by chance, right on average, by a stream that is keyed by the step and the place: the same
/// bits on any number of threads. For parameters of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// As the parameters: 32 or 64.
    #[default]
    Full,
    /// 16: an f32's upper half, two to three decimal digits.
    Bf16,
    /// 8, with a scale per 64: about one decimal digit; too few for a method that keeps a point like W. A NaN or ∞ spreads
    /// over its 64.
    Byte,
}

/// For a rule's [`SHORTEST`](crate::Rule::SHORTEST): a step moves a point by a thousandth of itself.
pub(crate) const HOLDS_A_POINT: &str =
    "it holds a point like W, for which 8 are not enough; choose bf16, or leave the precision out";

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

/// Does it for each of `n` slots, five at most. Written out, as the compiler does not unroll a loop with so large a body, and
/// slots that are indexed by a variable live in memory instead of registers: Adam took a third longer.
macro_rules! each_slot {
    ($n:expr, $slot:ident => $body:expr) => {
        each_slot!($n, $slot => $body; 0 1 2 3 4)
    };
    ($n:expr, $slot:ident => $body:expr; $($index:literal)*) => {
        $(if $n > $index {
            let $slot = $index;
            $body
        })*
    };
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

/// The cells of some blocks.
pub(crate) enum Cells<'a> {
    Bf16(&'a mut [u16]),
    Byte(&'a mut [u8], &'a mut [f32]),
}

impl<'a> Cells<'a> {
    /// The first `blocks`; the rest stays here.
    pub(crate) fn take_front(&mut self, blocks: usize, slots: usize) -> Self {
        let columns = blocks * slots;
        match self {
            Self::Bf16(left) => Self::Bf16(left.split_off_mut(..columns * BLOCK).unwrap_or_default()),
            Self::Byte(codes, scales) => Self::Byte(
                codes.split_off_mut(..columns * BLOCK).unwrap_or_default(),
                scales.split_off_mut(..columns).unwrap_or_default(),
            ),
        }
    }

    pub(crate) fn reborrow(&mut self) -> Cells<'_> {
        match self {
            Self::Bf16(cells) => Cells::Bf16(cells),
            Self::Byte(codes, scales) => Cells::Byte(codes, scales),
        }
    }

    /// Asks the memory for a block.
    #[inline(always)]
    pub(crate) fn call_ahead(&self, block: usize, slots: usize) {
        for column in block * slots..(block + 1) * slots {
            match self {
                Self::Bf16(cells) => call_ahead::<_, BLOCK>(cells, column * BLOCK),
                Self::Byte(codes, _) => call_ahead::<_, BLOCK>(codes, column * BLOCK),
            }
        }
    }

    /// Reads a block; `to` is slot after slot.
    #[inline(always)]
    pub(crate) fn unpack<I: Isa>(&self, block: usize, to: &mut [f32]) {
        if I::FMA { self.unpack_here(block, to) } else { self.unpack_apart(block, to) }
    }

    #[inline(always)]
    fn unpack_here(&self, block: usize, to: &mut [f32]) {
        let to = to.as_chunks_mut().0;
        let columns = block * to.len()..(block + 1) * to.len();
        match self {
            Self::Bf16(cells) => {
                let own = &cells.as_chunks().0[columns];
                each_slot!(to.len(), slot => from_bf16(&own[slot], &mut to[slot]));
            }
            Self::Byte(codes, scales) => {
                let (codes, scales) = (&codes.as_chunks().0[columns.clone()], &scales[columns]);
                each_slot!(to.len(), slot => from_bytes(&codes[slot], scales[slot], &mut to[slot]));
            }
        }
    }

    /// Not in line where the CPU is an old one: narrow vectors make so much code of it that it was the largest part of all.
    #[inline(never)]
    fn unpack_apart(&self, block: usize, to: &mut [f32]) {
        self.unpack_here(block, to);
    }

    /// Writes a block; the key is its own.
    #[inline(always)]
    pub(crate) fn pack<I: Isa>(&mut self, block: usize, from: &[f32], key: u32) {
        if I::FMA { self.pack_here(block, from, key) } else { self.pack_apart(block, from, key) }
    }

    #[inline(never)]
    fn pack_apart(&mut self, block: usize, from: &[f32], key: u32) {
        self.pack_here(block, from, key);
    }

    #[inline(always)]
    fn pack_here(&mut self, block: usize, from: &[f32], key: u32) {
        let from = from.as_chunks().0;
        let columns = block * from.len()..(block + 1) * from.len();
        match self {
            Self::Bf16(cells) => {
                let own = &mut cells.as_chunks_mut().0[columns];
                each_slot!(from.len(), slot => to_bf16(&from[slot], &mut own[slot], rounding(key, slot)));
            }
            Self::Byte(codes, scales) => {
                let codes = &mut codes.as_chunks_mut().0[columns.clone()];
                let scales = &mut scales[columns];
                each_slot!(from.len(), slot => {
                    scales[slot] = to_bytes(&from[slot], &mut codes[slot], rounding(key, slot));
                });
            }
        }
    }
}

#[inline(always)]
fn rounding(key: u32, slot: usize) -> Rounding {
    Rounding::Stochastic(hash(key ^ slot as u32))
}

/// [`Cells::unpack`] once.
pub(crate) struct Unpack<'c, 'a> {
    pub(crate) cells: &'c Cells<'a>,
    pub(crate) block: usize,
    pub(crate) to: &'c mut [f32],
}

impl Kernel for Unpack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.cells.unpack::<I>(self.block, self.to);
    }
}

/// [`Cells::pack`] once.
pub(crate) struct Pack<'c, 'a> {
    pub(crate) cells: &'c mut Cells<'a>,
    pub(crate) block: usize,
    pub(crate) from: &'c [f32],
    pub(crate) key: u32,
}

impl Kernel for Pack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.cells.pack::<I>(self.block, self.from, self.key);
    }
}

impl Packed {
    /// Room for `slots` numbers per parameter, each slot at its first value; `None` for full precision, or if there
    /// is nothing to keep.
    pub(crate) fn new(precision: Precision, layout: &Layout, initial: &[f32]) -> Option<Self> {
        let slots = initial.len();
        assert!(slots <= 5, "a rule has five slots at most");
        if slots == 0 {
            return None;
        }
        let blocks: usize = layout.blocks().iter().map(|tensor| tensor.range.len().div_ceil(BLOCK)).sum();
        let cells = match precision {
            Precision::Full => return None,
            Precision::Bf16 => {
                let first = initial.iter().flat_map(|&value| {
                    let mut cells = [0; BLOCK];
                    to_bf16(&[value; BLOCK], &mut cells, Rounding::Nearest);
                    cells
                });
                Store::Bf16(first.collect::<Vec<_>>().repeat(blocks))
            }
            Precision::Byte => {
                let (mut codes, mut scales) = (Vec::new(), Vec::new());
                for &value in initial {
                    let mut own = [0; BLOCK];
                    scales.push(to_bytes(&[value; BLOCK], &mut own, Rounding::Nearest));
                    codes.extend(own);
                }
                Store::Byte { codes: codes.repeat(blocks), scales: scales.repeat(blocks) }
            }
        };
        Some(Self { cells, slots })
    }

    pub(crate) fn cells(&mut self) -> Cells<'_> {
        match &mut self.cells {
            Store::Bf16(cells) => Cells::Bf16(cells),
            Store::Byte { codes, scales } => Cells::Byte(codes, scales),
        }
    }

    /// Calls `each` with the range of each block's elements and its numbers, slot after slot.
    pub(crate) fn for_each_block(&mut self, layout: &Layout, mut each: impl FnMut(Range<usize>, &[f32])) {
        let mut block = vec![0.0; self.slots * BLOCK];
        let (cells, mut number) = (self.cells(), 0);
        for tensor in layout.blocks() {
            for start in tensor.range.clone().step_by(BLOCK) {
                let range = start..tensor.range.end.min(start + BLOCK);
                dispatch(Unpack { cells: &cells, block: number, to: &mut block });
                each(range, &block);
                number += 1;
            }
        }
    }

    /// Adds each slot's cells block by block, exactly as they are.
    pub(crate) fn save(&self, names: &[&str], layout: &Layout, state: &mut StateDict) {
        let mut first = 0;
        for block in layout.blocks() {
            let n = block.range.len();
            for (slot, name) in names.iter().enumerate() {
                let key = format!("{name}/{}", block.name);
                match &self.cells {
                    Store::Bf16(cells) => {
                        let own = gather(cells, first, slot, self.slots, n, BLOCK);
                        state.insert(key, &block.shape, Values::Bf16(own));
                    }
                    Store::Byte { codes, scales } => {
                        let scales = gather(scales, first, slot, self.slots, n.div_ceil(BLOCK), 1);
                        // Not behind the block's name: another block may be called so.
                        state.insert(
                            format!("{name}.scales/{}", block.name),
                            &[scales.len()],
                            Values::F32(scales),
                        );
                        let own = gather(codes, first, slot, self.slots, n, BLOCK);
                        state.insert(key, &block.shape, Values::U8(own));
                    }
                }
            }
            first += n.div_ceil(BLOCK);
        }
    }

    /// The reverse of [`Packed::save`], from a state whose form was checked.
    pub(crate) fn restore(&mut self, names: &[&str], layout: &Layout, state: &StateDict) {
        let slots = self.slots;
        let mut first = 0;
        for block in layout.blocks() {
            for (slot, name) in names.iter().enumerate() {
                let key = format!("{name}/{}", block.name);
                let own = |key: &str| state.entries().get(key).map(|tensor| &tensor.values);
                match (&mut self.cells, own(&key), own(&format!("{name}.scales/{}", block.name))) {
                    (Store::Bf16(cells), Some(Values::Bf16(own)), _) => {
                        scatter(cells, first, slot, slots, own, BLOCK);
                    }
                    (Store::Byte { codes, scales }, Some(Values::U8(own)), Some(Values::F32(own_scales))) => {
                        scatter(codes, first, slot, slots, own, BLOCK);
                        scatter(scales, first, slot, slots, own_scales, 1);
                    }
                    _ => unreachable!("the form of the state was checked"),
                }
            }
            first += block.range.len().div_ceil(BLOCK);
        }
    }
}

/// The `n` numbers of a slot from block `first` on, which lie `per` to a block.
fn gather<V: Copy>(cells: &[V], first: usize, slot: usize, slots: usize, n: usize, per: usize) -> Vec<V> {
    let blocks = cells.chunks(slots * per).skip(first);
    blocks.flat_map(|block| &block[slot * per..(slot + 1) * per]).copied().take(n).collect()
}

fn scatter<V: Copy>(cells: &mut [V], first: usize, slot: usize, slots: usize, own: &[V], per: usize) {
    let blocks = cells.chunks_mut(slots * per).skip(first);
    for (block, own) in blocks.zip(own.chunks(per)) {
        block[slot * per..][..own.len()].copy_from_slice(own);
    }
}
