//! The memory of one element between steps, as a rule sees it and as it lies in memory.

use crate::kernel::call_ahead;
use crate::real::Real;

/// The state of one element: an array of numbers, kept in memory slot by slot (all elements' first numbers, then all
/// second numbers, …).
pub trait Slots<T>: Sized + Copy {
    /// The slots of a stretch of elements.
    type Slices<'a>: Send
    where
        T: 'a;
    /// As many numbers as `Self` holds, for `B` elements, slot by slot.
    type Block<const B: usize>;
    /// How many slots.
    const COUNT: usize;

    /// The numbers of one element.
    fn as_slice(&self) -> &[T];
    /// Cuts `state` into slots of `n` numbers.
    fn split(state: &mut [T], n: usize) -> Self::Slices<'_>;
    /// Cuts off the first `n` elements; `slots` keeps the rest.
    fn take_front<'a>(slots: &mut Self::Slices<'a>, n: usize) -> Self::Slices<'a>;
    /// The state of element `index`.
    fn load(slots: &Self::Slices<'_>, index: usize) -> Self;
    /// Writes the state of element `index`.
    fn store(self, slots: &mut Self::Slices<'_>, index: usize);
    /// The same memory, lent for less long.
    fn reborrow<'a>(slots: &'a mut Self::Slices<'_>) -> Self::Slices<'a>;
    /// A block of zeros.
    fn blank<const B: usize>() -> Self::Block<B>;
    /// A block slot after slot.
    fn flat<const B: usize>(block: &mut Self::Block<B>) -> &mut [T];
    /// A block as slots.
    fn slices<const B: usize>(block: &mut Self::Block<B>) -> Self::Slices<'_>;
    /// The states of the elements `start..start + B`.
    fn load_block<const B: usize>(slots: &Self::Slices<'_>, start: usize) -> Self::Block<B>;
    /// Asks the memory for the states of the elements `start..start + B`, which may lie behind the end.
    fn call_ahead<const B: usize>(slots: &Self::Slices<'_>, start: usize);
    /// Writes the states of the elements `start..start + B`.
    fn store_block<const B: usize>(slots: &mut Self::Slices<'_>, start: usize, block: &Self::Block<B>);
    /// The states of the elements from `start` on, fewer than `B`; zeros behind them.
    fn load_rest<const B: usize>(slots: &Self::Slices<'_>, start: usize) -> Self::Block<B>;
    /// Writes the states of the elements from `start` on.
    fn store_rest<const B: usize>(slots: &mut Self::Slices<'_>, start: usize, block: &Self::Block<B>);
    /// One element of a block.
    fn lane<const B: usize>(block: &Self::Block<B>, lane: usize) -> Self;
    /// Writes one element of a block.
    fn set_lane<const B: usize>(self, block: &mut Self::Block<B>, lane: usize);
}

impl<T: Real, const N: usize> Slots<T> for [T; N] {
    type Slices<'a> = [&'a mut [T]; N];
    type Block<const B: usize> = [[T; B]; N];
    const COUNT: usize = N;

    fn as_slice(&self) -> &[T] {
        self
    }

    #[inline(always)]
    fn split(state: &mut [T], n: usize) -> Self::Slices<'_> {
        assert_eq!(state.len(), N * n, "the state does not fit the parameters");
        let mut rest = state;
        std::array::from_fn(|_| rest.split_off_mut(..n).unwrap_or_default())
    }

    #[inline(always)]
    fn take_front<'a>(slots: &mut Self::Slices<'a>, n: usize) -> Self::Slices<'a> {
        let mut slots = slots.iter_mut();
        std::array::from_fn(|_| slots.next().and_then(|slot| slot.split_off_mut(..n)).unwrap_or_default())
    }

    #[inline(always)]
    fn load(slots: &Self::Slices<'_>, index: usize) -> Self {
        let mut state = [T::ZERO; N];
        for (value, slot) in state.iter_mut().zip(slots) {
            *value = slot[index];
        }
        state
    }

    #[inline(always)]
    fn store(self, slots: &mut Self::Slices<'_>, index: usize) {
        for (slot, value) in slots.iter_mut().zip(self) {
            slot[index] = value;
        }
    }

    #[inline(always)]
    fn reborrow<'a>(slots: &'a mut Self::Slices<'_>) -> Self::Slices<'a> {
        slots.each_mut().map(|slot| &mut **slot)
    }

    #[inline(always)]
    fn blank<const B: usize>() -> Self::Block<B> {
        [[T::ZERO; B]; N]
    }

    #[inline(always)]
    fn flat<const B: usize>(block: &mut Self::Block<B>) -> &mut [T] {
        block.as_flattened_mut()
    }

    #[inline(always)]
    fn slices<const B: usize>(block: &mut Self::Block<B>) -> Self::Slices<'_> {
        block.each_mut().map(|slot| &mut slot[..])
    }

    #[inline(always)]
    fn load_block<const B: usize>(slots: &Self::Slices<'_>, start: usize) -> Self::Block<B> {
        let mut block = [[T::ZERO; B]; N];
        for (values, slot) in block.iter_mut().zip(slots) {
            values.copy_from_slice(&slot[start..start + B]);
        }
        block
    }

    #[inline(always)]
    fn call_ahead<const B: usize>(slots: &Self::Slices<'_>, start: usize) {
        slots.iter().for_each(|slot| call_ahead::<T, B>(slot, start));
    }

    #[inline(always)]
    fn store_block<const B: usize>(slots: &mut Self::Slices<'_>, start: usize, block: &Self::Block<B>) {
        for (slot, values) in slots.iter_mut().zip(block) {
            slot[start..start + B].copy_from_slice(values);
        }
    }

    #[inline(always)]
    fn load_rest<const B: usize>(slots: &Self::Slices<'_>, start: usize) -> Self::Block<B> {
        let mut block = [[T::ZERO; B]; N];
        for (values, slot) in block.iter_mut().zip(slots) {
            values[..slot.len() - start].copy_from_slice(&slot[start..]);
        }
        block
    }

    #[inline(always)]
    fn store_rest<const B: usize>(slots: &mut Self::Slices<'_>, start: usize, block: &Self::Block<B>) {
        for (slot, values) in slots.iter_mut().zip(block) {
            let count = slot.len() - start;
            slot[start..].copy_from_slice(&values[..count]);
        }
    }

    #[inline(always)]
    fn lane<const B: usize>(block: &Self::Block<B>, lane: usize) -> Self {
        let mut state = [T::ZERO; N];
        for (value, values) in state.iter_mut().zip(block) {
            *value = values[lane];
        }
        state
    }

    #[inline(always)]
    fn set_lane<const B: usize>(self, block: &mut Self::Block<B>, lane: usize) {
        for (values, value) in block.iter_mut().zip(self) {
            values[lane] = value;
        }
    }
}
