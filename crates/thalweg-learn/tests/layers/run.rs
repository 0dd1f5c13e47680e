//! A list of layers with memory of its own.

use thalweg_learn::kernel::math::Math;
use thalweg_learn::nn::spec::build;
use thalweg_learn::nn::{Backward, Forward, Init, Layer, LayerSpec, Mode, Piece, Sequence, Shape};
use thalweg_optim::Layout;
use thalweg_optim::random::stream;

/// The shape that `[features]` or `[height, width, channels]` says.
pub(crate) fn shape(sizes: &[usize]) -> Shape {
    match *sizes {
        [features] => Shape::Flat(features),
        [height, width, channels] => Shape::image(height, width, channels),
        _ => panic!("a shape of {} sizes", sizes.len()),
    }
}

pub(crate) fn cast<T: Math>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| T::from_f64(v)).collect()
}

/// Numbers in ±2.5, none of them 0.
pub(crate) fn wave<T: Math>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f64((i as f64 * 0.73 + 0.4).sin() * 2.5)).collect()
}

/// Layers and all that they work on.
pub(crate) struct Run<T> {
    pub(crate) layers: Sequence<T>,
    pub(crate) w: Vec<T>,
    pub(crate) buffers: Vec<T>,
    pub(crate) y: Vec<T>,
    pub(crate) dw: Vec<T>,
    pub(crate) dx: Vec<T>,
    saved: Vec<T>,
    scratch: Vec<T>,
    batch: usize,
    /// Rows of a piece. Few, so that tests of small batches have several pieces, and an odd last one.
    pub(crate) at_once: usize,
}

impl<T: Math> Run<T> {
    /// The layers with start values.
    pub(crate) fn new(specs: &[LayerSpec], input: Shape, batch: usize) -> Self {
        Self::of(build(specs, input, Init::Auto).expect("layers that fit"), batch)
    }

    /// The same of layers that were built.
    pub(crate) fn of(layers: Sequence<T>, batch: usize) -> Self {
        let nan = |len| vec![T::from_f64(f64::NAN); len];
        let (mut layout, mut kept) = (Layout::default(), Layout::default());
        layers.layout("", &mut layout);
        layers.buffer_layout("", &mut kept);
        let (mut w, mut buffers) = (nan(layout.len()), nan(kept.len()));
        layers.init(&mut w, &mut stream(1, "init", 0));
        layers.init_buffers(&mut buffers);
        Self {
            y: nan(batch * layers.output().len()),
            dw: nan(w.len()),
            dx: nan(batch * layers.input().len()),
            saved: nan(layers.saved_len(batch)),
            scratch: nan(layers.scratch_len(batch)),
            w,
            buffers,
            layers,
            batch,
            at_once: 2,
        }
    }

    /// The layers of a JSON list.
    pub(crate) fn json(json: &str, input: Shape, batch: usize) -> Self {
        Self::new(&serde_json::from_str::<Vec<LayerSpec>>(json).expect("a list of layers"), input, batch)
    }

    pub(crate) fn forward(&mut self, x: &[T], mode: Mode) -> &[T] {
        let pass = Forward {
            piece: Piece::whole(self.batch),
            w: &self.w,
            buffers: &self.buffers,
            x,
            y: &mut self.y,
            saved: &mut self.saved,
            scratch: &mut self.scratch,
            mode,
        };
        pass.through(&self.layers, self.at_once);
        &self.y
    }

    /// The gradients for ∂loss/∂y = `dy`, after [`Run::forward`] with the same rows and mode.
    pub(crate) fn backward(&mut self, x: &[T], dy: &[T], mode: Mode) {
        let pass = Backward {
            piece: Piece::whole(self.batch),
            w: &self.w,
            buffers: &self.buffers,
            x,
            y: &self.y,
            dy: &mut dy.to_vec(),
            dw: &mut self.dw,
            dx: Some(&mut self.dx),
            saved: &mut self.saved,
            scratch: &mut self.scratch,
            mode,
        };
        pass.through(&self.layers, self.at_once);
    }

    pub(crate) fn update_buffers(&mut self) {
        self.layers.update_buffers(&mut self.buffers, &self.saved, self.batch);
    }
}
