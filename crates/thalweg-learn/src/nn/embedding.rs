//! Trained vectors for categories.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use thalweg_optim::Layout;
use thalweg_optim::random::Stream;

use super::init::uniform;
use super::layer::{Backward, Forward, Layer};
use super::shape::Shape;
use super::spec::{Kind, LayerError, Site};
use crate::kernel::math::Math;

/// The settings of an embedding: `{ layer = "embedding", codes = [7, 12] }` for rows whose last two columns are codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EmbeddingSpec {
    /// How many codes each of the last columns has: 0, 1, … up to one less.
    pub codes: Vec<usize>,
    /// Numbers in each column's vectors; if not given, (codes + 1)/2, at most 50, for each column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
}

impl EmbeddingSpec {
    /// The width of a column's vectors that is taken if none is given: fast.ai's first rule.
    pub fn usual_width(codes: usize) -> usize {
        codes.div_ceil(2).clamp(1, 50)
    }
}

impl Kind for EmbeddingSpec {
    const SUMMARY: &'static str =
        "a trained vector for each code of the last columns, behind the numbers before them";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        let Shape::Flat(columns) = site.input else {
            return Err(LayerError::new(site, "it wants plain numbers: columns of a table"));
        };
        if self.codes.is_empty() {
            return Err(LayerError::new(
                site,
                "codes: give for each of the last columns how many codes it has",
            ));
        }
        if let Some(column) = self.codes.iter().position(|&codes| codes == 0) {
            return Err(LayerError::new(site, format!("codes[{column}] = 0: a column has at least 1 code")));
        }
        if self.width == Some(0) {
            return Err(LayerError::new(site, "width = 0: a vector has at least 1 number"));
        }
        let Some(numbers) = columns.checked_sub(self.codes.len()) else {
            let reason = format!(
                "codes names {} columns of codes, and there are {columns} columns in all",
                self.codes.len()
            );
            return Err(LayerError::new(site, reason));
        };
        Ok(Box::new(Embedding::new(numbers, &self.codes, self.width)))
    }
}

/// A row's first columns are passed on; each of the others is a code c, for which row c of the column's table is put
/// behind them: y = numbers ++ E₁\[c₁\] ++ E₂\[c₂\] ++ … (Guo & Berkhahn 2016).
///
/// A table is `[codes, width]` (PyTorch's `Embedding.weight`) and starts uniformly in ±1/√width (Gorishniy et al. 2021;
/// PyTorch's starts from the standard normal distribution, Keras's uniformly in ±0.05). Its gradient is summed over rows in
/// their order; that of a code is 0.
///
/// # Panics
/// In a pass, if a code is none of its column's: whole, and less than their number. Who prepares the data counts them.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// Columns that are passed on.
    numbers: usize,
    tables: Vec<Table>,
    outputs: usize,
}

/// A column's vectors.
#[derive(Debug, Clone)]
struct Table {
    codes: usize,
    width: usize,
    /// Where they lie among the parameters.
    params: Range<usize>,
    /// Where the vector lies in an output row.
    place: Range<usize>,
}

impl Table {
    /// Where the vector of a code lies among the parameters.
    fn vector<T: Math>(&self, column: usize, code: T) -> Range<usize> {
        let value = code.to_f64();
        let index = value as usize;
        assert!(
            index as f64 == value && index < self.codes,
            "column {column} of an embedding has the codes 0 to {}, not {code}",
            self.codes - 1
        );
        let start = self.params.start + index * self.width;
        start..start + self.width
    }
}

impl Embedding {
    /// Vectors for columns of so many codes behind so many numbers; without a `width`, of the usual ones.
    ///
    /// # Panics
    /// If a column has no codes.
    pub fn new(numbers: usize, codes: &[usize], width: Option<usize>) -> Self {
        let (mut param, mut outputs) = (0, numbers);
        let tables = codes.iter().map(|&codes| {
            assert!(codes > 0, "a column without codes");
            let width = width.unwrap_or_else(|| EmbeddingSpec::usual_width(codes));
            let table =
                Table { codes, width, params: param..param + codes * width, place: outputs..outputs + width };
            (param, outputs) = (table.params.end, table.place.end);
            table
        });
        Self { numbers, tables: tables.collect(), outputs }
    }

    /// Columns of an input row.
    fn inputs(&self) -> usize {
        self.numbers + self.tables.len()
    }
}

impl<T: Math> Layer<T> for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn output(&self) -> Shape {
        Shape::Flat(self.outputs)
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        for (index, table) in self.tables.iter().enumerate() {
            layout.push_table(format!("{prefix}.table{index}"), [table.codes, table.width]);
        }
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        for table in &self.tables {
            uniform(&mut w[table.params.clone()], 1.0 / (table.width as f64).sqrt(), random);
        }
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { w, x, y, .. } = pass;
        for (x, y) in x.chunks_exact(self.inputs()).zip(y.chunks_exact_mut(self.outputs)) {
            y[..self.numbers].copy_from_slice(&x[..self.numbers]);
            for (column, table) in self.tables.iter().enumerate() {
                let vector = table.vector(column, x[self.numbers + column]);
                y[table.place.clone()].copy_from_slice(&w[vector]);
            }
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { x, dy, dw, dx, .. } = pass;
        dw.fill(T::ZERO);
        for (x, dy) in x.chunks_exact(self.inputs()).zip(dy.chunks_exact(self.outputs)) {
            for (column, table) in self.tables.iter().enumerate() {
                let vector = table.vector(column, x[self.numbers + column]);
                for (dw, &dy) in dw[vector].iter_mut().zip(&dy[table.place.clone()]) {
                    *dw += dy;
                }
            }
        }
        let Some(dx) = dx else { return };
        for (dx, dy) in dx.chunks_exact_mut(self.inputs()).zip(dy.chunks_exact(self.outputs)) {
            let (numbers, codes) = dx.split_at_mut(self.numbers);
            numbers.copy_from_slice(&dy[..self.numbers]);
            codes.fill(T::ZERO);
        }
    }
}
