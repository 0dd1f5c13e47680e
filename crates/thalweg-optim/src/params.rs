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

/// A named part of the flat slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Such as `0.dense.weight`.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// What it does.
    pub role: Role,
    /// Where it lies in the flat slice.
    pub range: Range<usize>,
}

/// All blocks of a flat slice, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    blocks: Vec<Block>,
}

impl Layout {
    /// `len` parameters without names: one block called `w`.
    pub fn vector(len: usize) -> Self {
        let mut layout = Self::default();
        layout.push("w", &[len], Role::Weight);
        layout
    }

    /// Appends a block behind the last one.
    ///
    /// # Panics
    /// If there is one of that name: states are kept by it.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], role: Role) {
        let name = name.into();
        assert!(self.blocks.iter().all(|block| block.name != name), "two blocks are called «{name}»");
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        self.blocks.push(Block { name, shape: shape.to_vec(), role, range });
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
