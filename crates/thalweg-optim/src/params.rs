//! Names, shapes and roles of the parameters, beside the one flat slice that holds their values.

use std::ops::Range;

use crate::span::Span;

/// What a block of parameters does; regularizers and parameter groups choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Multiplies an input.
    Weight,
    /// Is added.
    Bias,
    /// Scales a normalized value.
    Scale,
}

/// Which axes of a weight's shape are its outputs and which its inputs. The numbers alone do not tell, and packages differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// `[out, in]`, convolutions `[out, in, height, width]`: PyTorch.
    OutIn,
    /// `[in, out]`, convolutions `[height, width, in, out]`: Keras, JAX, and thalweg-learn.
    InOut,
}

/// A named part of the flat slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Such as `0.dense.weight`.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// What it does.
    pub role: Role,
    /// How a weight lies, if its layout says so.
    pub orientation: Option<Orientation>,
    /// Whether each row is looked up as a vector of its own: the table of an embedding.
    pub table: bool,
    /// Where it lies in the flat slice.
    pub range: Range<usize>,
}

impl Block {
    /// Rows and columns as a matrix, the outputs on one side and all else on the other: of more than two axes, the first
    /// is the rows where it is `[out, in, …]`, the last the columns where it is `[…, in, out]`. `None` with fewer than two.
    pub fn matrix(&self, orientation: Orientation) -> Option<(usize, usize)> {
        match (&*self.shape, orientation) {
            ([] | [_], _) => None,
            ([out, rest @ ..], Orientation::OutIn) => Some((*out, rest.iter().product())),
            ([rest @ .., out], Orientation::InOut) => Some((rest.iter().product(), *out)),
        }
    }
}

/// All blocks of a flat slice, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    blocks: Vec<Block>,
    orientation: Option<Orientation>,
}

impl Layout {
    /// `len` parameters without names: one block called `w`.
    pub fn vector(len: usize) -> Self {
        let mut layout = Self::default();
        layout.push("w", &[len], Role::Weight);
        layout
    }

    /// The same with the statement of how its weights lie, those that are still to come included. Methods for which it
    /// matters (Muon's σ, and what it and SOAP take for the matrix of a convolution) ask for it; where nothing is said,
    /// they take what their dialect's package would.
    ///
    /// ```
    /// use thalweg_optim::{Layout, Orientation, Role};
    /// let mut layout = Layout::default().with_orientation(Orientation::InOut);
    /// layout.push("dense.weight", &[784, 10], Role::Weight);
    /// assert_eq!(layout.blocks()[0].orientation, Some(Orientation::InOut));
    /// ```
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = Some(orientation);
        self.blocks.iter_mut().for_each(|block| block.orientation = self.orientation);
        self
    }

    /// A layout without blocks whose weights lie as these.
    pub(crate) fn emptied(&self) -> Self {
        Self { blocks: Vec::new(), orientation: self.orientation }
    }

    /// Appends a block behind the last one.
    ///
    /// # Panics
    /// If there is one of that name: states are kept by it.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], role: Role) {
        self.append(name.into(), shape, role, false);
    }

    /// Appends a weight `[codes, width]` of which each step looks up rows: an embedding. What bounds a unit's weights
    /// ([`MaxNorm`](crate::wrap::MaxNorm)) bounds each row of it; for all else it is a weight as any.
    ///
    /// # Panics
    /// As [`Layout::push`].
    pub fn push_table(&mut self, name: impl Into<String>, shape: [usize; 2]) {
        self.append(name.into(), &shape, Role::Weight, true);
    }

    /// Appends a block as it is in another layout.
    pub(crate) fn push_like(&mut self, block: &Block) {
        self.append(block.name.clone(), &block.shape, block.role, block.table);
    }

    fn append(&mut self, name: String, shape: &[usize], role: Role, table: bool) {
        assert!(self.blocks.iter().all(|block| block.name != name), "two blocks are called «{name}»");
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        let (shape, orientation) = (shape.to_vec(), self.orientation);
        self.blocks.push(Block { name, shape, role, orientation, table, range });
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The length of the flat slice.
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.range.end)
    }

    /// Refuses spans that are neither one for all parameters nor one per block.
    ///
    /// # Panics
    /// Then, as that is a bug in the caller.
    pub(crate) fn check_spans<T>(&self, spans: &[Span<'_, T>]) {
        match spans {
            [span] => {
                assert_eq!(span.len(), self.len(), "the optimizer was built for {} parameters", self.len());
            }
            _ => {
                assert_eq!(spans.len(), self.blocks.len(), "one span per block is expected");
                for (span, block) in spans.iter().zip(&self.blocks) {
                    let len = block.range.len();
                    assert_eq!(span.len(), len, "«{}» has {len} parameters", block.name);
                }
            }
        }
        spans.iter().for_each(Span::check);
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_behind_each_other() {
        let mut layout = Layout::default();
        assert!(layout.is_empty());
        layout.push("weight", &[3, 4], Role::Weight);
        layout.push("bias", &[4], Role::Bias);
        assert_eq!(layout.blocks()[1].range, 12..16);
        assert_eq!(layout.len(), 16);
    }
}
