//! State in 16 or 8 bits a number: fewer bytes to move in the one pass over memory.
//!
//! The state lies piece after piece, each of [`PIECE`] elements, slot by slot. A piece is unpacked into the cache, moved by
//! the rule as any other, and packed again; so a rule needs to know nothing of it.

use serde::{Deserialize, Serialize};

use crate::kernel::dispatch;
use crate::kernel::pack::{FromBf16, FromBytes, Rounding, SCALED, ToBf16, ToBytes, hash};
use crate::kernel::step::{Ride, Step, Work};
use crate::kernel::sums::Measure;
use crate::params::Layout;
use crate::real::Real;
use crate::rule::Rule;
use crate::slots::Slots;
use crate::span::Span;
use crate::state::{StateDict, Values};

/// Elements that are unpacked together: with a few slots they fit the first cache.
pub(crate) const PIECE: usize = 1024;
/// Scales of a slot of a piece.
const SCALES: usize = PIECE / SCALED;

/// In how many bits a state is kept.
///
/// Short numbers are rounded by chance, right on average, by a stream that is keyed by the step and the place: the same
/// bits on any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// As the parameters: 32 or 64.
    #[default]
    Full,
    /// 16: an f32's upper half, two to three decimal digits.
    Bf16,
    /// 8, with a scale per 256: about one decimal digit. A NaN or ∞ spreads over its 256.
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
    fn take_front(&mut self, pieces: usize, slots: usize) -> Self {
        let (cells, scales) = (pieces * slots * PIECE, pieces * slots * SCALES);
        match self {
            Self::Bf16(own) => Self::Bf16(own.split_off_mut(..cells).unwrap_or_default()),
            Self::Byte(codes, own) => Self::Byte(
                codes.split_off_mut(..cells).unwrap_or_default(),
                own.split_off_mut(..scales).unwrap_or_default(),
            ),
        }
    }

    /// Reads the first numbers of one slot of the first piece.
    fn unpack<T: Real>(&self, slot: usize, to: &mut [T]) {
        let (start, n) = (slot * PIECE, to.len());
        match self {
            Self::Bf16(cells) => dispatch(FromBf16 { from: &cells[start..start + n], to }),
            Self::Byte(codes, scales) => dispatch(FromBytes {
                codes: &codes[start..start + n],
                scales: &scales[slot * SCALES..(slot + 1) * SCALES],
                to,
            }),
        }
    }

    /// Writes the first numbers of one slot of the first piece.
    fn pack<T: Real>(&mut self, slot: usize, from: &[T], rounding: Rounding, place: u32) {
        let (at, n) = (slot * PIECE, from.len());
        match self {
            Self::Bf16(cells) => {
                dispatch(ToBf16 { from, to: &mut cells[at..at + n], rounding, start: place });
            }
            Self::Byte(codes, scales) => dispatch(ToBytes {
                from,
                codes: &mut codes[at..at + n],
                scales: &mut scales[slot * SCALES..(slot + 1) * SCALES],
                rounding,
                start: place,
            }),
        }
    }
}

impl Packed {
    /// Room for `slots` numbers per parameter, each slot at its first value; `None` for full precision.
    pub(crate) fn new<T: Real>(precision: Precision, layout: &Layout, initial: &[T]) -> Option<Self> {
        let pieces: usize = layout.blocks().iter().map(|block| block.range.len().div_ceil(PIECE)).sum();
        let (slots, cells) = (initial.len(), pieces * initial.len() * PIECE);
        let cells = match precision {
            Precision::Full => return None,
            Precision::Bf16 => Store::Bf16(vec![0; cells]),
            Precision::Byte => Store::Byte { codes: vec![0; cells], scales: vec![0.0; cells / SCALED] },
        };
        let mut packed = Self { cells, slots };
        let mut rest = packed.cells();
        for _ in 0..pieces {
            let mut piece = rest.take_front(1, slots);
            for (slot, &value) in initial.iter().enumerate() {
                piece.pack(slot, &[value; PIECE], Rounding::Nearest, 0);
            }
        }
        Some(packed)
    }

    fn cells(&mut self) -> Cells<'_> {
        match &mut self.cells {
            Store::Bf16(cells) => Cells::Bf16(cells),
            Store::Byte { codes, scales } => Cells::Byte(codes, scales),
        }
    }

    /// The numbers, slot after slot.
    pub(crate) fn unpack<T: Real>(&mut self, layout: &Layout) -> Vec<T> {
        let (n, slots) = (layout.len(), self.slots);
        let mut state = vec![T::ZERO; n * slots];
        let mut cells = self.cells();
        for block in layout.blocks() {
            for start in block.range.clone().step_by(PIECE) {
                let (end, piece) = ((start + PIECE).min(block.range.end), cells.take_front(1, slots));
                for slot in 0..slots {
                    piece.unpack(slot, &mut state[slot * n + start..slot * n + end]);
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

/// A stretch of whole pieces of one block of the layout.
pub(crate) struct PackedWork<'a, T> {
    span: Span<'a, T>,
    cells: Cells<'a>,
    /// The number of its first piece.
    first: usize,
    sums: [f64; 2],
}

/// Cuts spans and cells into stretches of at most `pieces` pieces, none over the border of a block.
pub(crate) fn works<'a, T: Real>(
    packed: &'a mut Packed,
    spans: &'a mut [Span<'_, T>],
    layout: &Layout,
    pieces: usize,
) -> Vec<PackedWork<'a, T>> {
    let slots = packed.slots;
    let mut cells = packed.cells();
    let (mut works, mut first) = (Vec::new(), 0);
    let mut blocks = layout.blocks().iter();
    for span in spans {
        span.check();
        let mut rest = span.reborrow();
        while !rest.is_empty() {
            let Some(block) = blocks.next() else { unreachable!("the spans fit the layout") };
            let mut own = rest.take_front(block.range.len());
            while !own.is_empty() {
                let count = own.len().div_ceil(PIECE).min(pieces);
                let part = own.take_front((count * PIECE).min(own.len()));
                let cells = cells.take_front(count, slots);
                works.push(PackedWork { span: part, cells, first, sums: [0.0; 2] });
                first += count;
            }
        }
    }
    works
}

/// What is equal for all pieces of a step.
#[derive(Clone, Copy)]
pub(crate) struct PackedStep<R: Rule, T: Real> {
    pub(crate) coefficients: R::Coefficients<T>,
    pub(crate) riders: Ride<T>,
    /// The number of the step, which keys the rounding.
    pub(crate) step: u64,
}

impl<R: Rule, T: Real> PackedStep<R, T> {
    /// Unpacks, moves and packs each piece of a stretch.
    pub(crate) fn run(&self, work: &mut PackedWork<'_, T>) {
        self.pieces(work, |step, work, _| {
            dispatch(Step::<R, T> { coefficients: step.coefficients, riders: step.riders, work });
            true
        });
    }

    /// The sums of a rule that measures over a stretch; nothing moves.
    pub(crate) fn measure(&self, work: &mut PackedWork<'_, T>) {
        self.pieces(work, |step, work, sums| {
            let (coefficients, riders) = (step.coefficients, step.riders);
            let own = dispatch(Measure::<R, T> { coefficients, riders, work });
            sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            false
        });
    }

    fn pieces(
        &self,
        work: &mut PackedWork<'_, T>,
        visit: impl Fn(&Self, &mut Work<'_, R, T>, &mut [f64; 2]) -> bool,
    ) {
        let slots = <R::State<T> as Slots<T>>::COUNT;
        let mut scratch = R::State::<T>::blank::<PIECE>();
        let PackedWork { span, cells, first, sums } = work;
        let (mut span, mut rest) = (span.reborrow(), cells.reborrow());
        for piece in *first.. {
            if span.is_empty() {
                break;
            }
            let n = span.len().min(PIECE);
            let mut cells = rest.take_front(1, slots);
            for slot in 0..slots {
                cells.unpack(slot, &mut R::State::<T>::slot(&mut scratch, slot)[..n]);
            }
            let moved = {
                let mut slots = R::State::<T>::slices(&mut scratch);
                let slots = R::State::<T>::take_front(&mut slots, n);
                visit(self, &mut Work { span: span.take_front(n), slots }, sums)
            };
            if moved {
                for slot in 0..slots {
                    let (rounding, place) = (key(self.step, slot, piece), (piece * PIECE) as u32);
                    let from = &R::State::<T>::slot(&mut scratch, slot)[..n];
                    cells.pack(slot, from, rounding, place);
                }
            }
        }
    }
}

/// The rounding of a slot at a step; places beyond 2³² change the key.
fn key(step: u64, slot: usize, piece: usize) -> Rounding {
    let words = [step as u32, (step >> 32) as u32, slot as u32, ((piece * PIECE) >> 32) as u32];
    Rounding::Stochastic(words.into_iter().fold(0x9e37_79b9, |key, word| hash(key ^ word)))
}

impl<'a> Cells<'a> {
    fn reborrow(&mut self) -> Cells<'_> {
        match self {
            Self::Bf16(cells) => Cells::Bf16(cells),
            Self::Byte(codes, scales) => Cells::Byte(codes, scales),
        }
    }
}

/// The sums of all stretches, in their order.
pub(crate) fn total<T>(works: &mut [PackedWork<'_, T>]) -> [f64; 2] {
    works.iter_mut().fold([0.0; 2], |total, work| {
        let own = std::mem::take(&mut work.sums);
        [total[0] + own[0], total[1] + own[1]]
    })
}
