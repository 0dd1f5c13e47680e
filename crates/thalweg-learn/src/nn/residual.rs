//! A residual block: two ways from the input to the output, added.

use serde::{Deserialize, Serialize};
use thalweg_optim::Layout;
use thalweg_optim::kernel::{Isa, Kernel, dispatch};
use thalweg_optim::random::Stream;

use super::layer::{Backward, Forward, Layer, Mode, Pace};
use super::sequence::Sequence;
use super::shape::Shape;
use super::spec::{Kind, LayerError, LayerSpec, Site, build};
use crate::kernel::draw::Bits;
use crate::kernel::math::Math;

/// The settings of a residual block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ResidualSpec {
    /// The layers of the one way.
    pub body: Vec<LayerSpec>,
    /// The layers of the other; none is the identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<LayerSpec>,
    /// How often training leaves out a row's body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stochastic_depth: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Kind for ResidualSpec {
    const SUMMARY: &'static str = "two ways, added: y = body(x) + shortcut(x)";

    fn build<T: Math>(&self, site: &Site) -> Result<Box<dyn Layer<T>>, LayerError> {
        if !(0.0..1.0).contains(&self.stochastic_depth) {
            let reason = format!("stochastic-depth = {}: it must be in [0, 1)", self.stochastic_depth);
            return Err(LayerError::new(site, reason));
        }
        let way =
            |specs, name| build(specs, site.input, site.init).map_err(|error: LayerError| error.within(name));
        let (body, shortcut) = (way(&self.body, "body")?, way(&self.shortcut, "shortcut")?);
        if Layer::<T>::output(&body) != Layer::<T>::output(&shortcut) {
            let reason = format!(
                "its body ends in {} and its shortcut in {}; give the shortcut a layer that makes them equal, such as a \
                 conv2d with kernel 1 and the body's filters and stride",
                Layer::<T>::output(&body),
                Layer::<T>::output(&shortcut)
            );
            return Err(LayerError::new(site, reason));
        }
        Ok(Box::new(Residual::new(body, shortcut, self.stochastic_depth)))
    }
}

/// y = s(x) + b(x): a body and a shortcut, which without layers is the identity (He et al. 2016).
///
/// With a `drop` of p, training leaves each row's body out with probability p and divides what stays by 1 − p
/// (stochastic depth, Huang et al. 2016; the scaling in training is torchvision's `StochasticDepth` in the mode `row`).
#[derive(Debug)]
pub struct Residual<T> {
    body: Sequence<T>,
    shortcut: Sequence<T>,
    drop: f64,
    body_params: usize,
    body_buffers: usize,
    phases: Vec<Pace>,
}

impl<T: Math> Residual<T> {
    /// A block of both.
    ///
    /// # Panics
    /// If the two have different outputs.
    pub fn new(body: Sequence<T>, shortcut: Sequence<T>, drop: f64) -> Self {
        assert_eq!(body.output(), shortcut.output(), "the ways of a residual block end in different shapes");
        let mut layouts = (Layout::default(), Layout::default());
        body.layout("", &mut layouts.0);
        body.buffer_layout("", &mut layouts.1);
        let count = body.phases().len().max(shortcut.phases().len());
        let pace = |phase| {
            let ways = [body.phases(), shortcut.phases()].map(|own| {
                let there = phase_there(phase, own.len(), count).map_or(Pace::Either, |phase| own[phase]);
                let back = phase_back(phase, own.len(), count).map_or(Pace::Either, |phase| own[phase]);
                there.with(back).unwrap_or(Pace::Whole)
            });
            ways[0].with(ways[1]).unwrap_or(Pace::Whole)
        };
        let phases = (0..count).map(pace).collect();
        Self { body, shortcut, drop, body_params: layouts.0.len(), body_buffers: layouts.1.len(), phases }
    }

    fn outputs(&self) -> usize {
        self.body.output().len()
    }

    /// Whether the shortcut does nothing.
    fn is_identity(&self) -> bool {
        self.shortcut.layers().len() == 0
    }

    /// Whether the way back works on a copy of the gradient, so that one way does not see what is the other's.
    fn copies_gradient(&self) -> bool {
        self.drop > 0.0 || self.body.spoils_gradient() || self.shortcut.spoils_gradient()
    }

    /// Cuts what is kept into its parts.
    fn parts<'a>(&self, saved: &'a mut [T], batch: usize) -> Parts<'a, T> {
        let map = |wanted: bool| if wanted { batch * self.outputs() } else { 0 };
        let (body_y, saved) = saved.split_at_mut(map(self.body.reads_output()));
        let (shortcut_y, saved) = saved.split_at_mut(map(self.shortcut.reads_output()));
        let (body_dy, saved) = saved.split_at_mut(map(self.copies_gradient()));
        let (body, shortcut) = saved.split_at_mut(self.body.saved_len(batch));
        Parts { body_y, shortcut_y, body_dy, body, shortcut }
    }

    /// Numbers of [`Self::parts`] before those of the ways.
    fn own_len(&self, batch: usize) -> usize {
        let maps = [self.body.reads_output(), self.shortcut.reads_output(), self.copies_gradient()];
        maps.into_iter().filter(|&wanted| wanted).count() * batch * self.outputs()
    }

    /// What each row's body is multiplied by; `None` if it is 1 for all.
    fn gates(&self, mode: Mode) -> Option<impl Fn(usize) -> T + use<T>> {
        let key = mode.key().filter(|_| self.drop > 0.0)?;
        let bits = Bits::new(key, self.drop);
        let kept = T::from_f64(1.0 / (1.0 - self.drop));
        Some(move |row| if bits.drops(row) { T::ZERO } else { kept })
    }

    /// Multiplies each row, which begin with the batch's `first`.
    fn gate(&self, rows: &mut [T], first: usize, mode: Mode) {
        if let Some(gate) = self.gates(mode) {
            for (index, row) in rows.chunks_exact_mut(self.outputs()).enumerate() {
                let gate = gate(first + index);
                // Zero wins even over what is not finite: a dropped body was never there.
                row.iter_mut().for_each(|y| *y = if gate == T::ZERO { T::ZERO } else { *y * gate });
            }
        }
    }
}

/// What a block keeps for the way back.
struct Parts<'a, T> {
    /// The body's output, if it reads it again; else it is where the block's is.
    body_y: &'a mut [T],
    /// The shortcut's, if it reads it again.
    shortcut_y: &'a mut [T],
    /// The gradient by the body's output, if it is not the block's.
    body_dy: &'a mut [T],
    body: &'a mut [T],
    shortcut: &'a mut [T],
}

/// The phase of a way with `own` phases in a phase of a block with `count`. Both ways end together, for there they are added.
fn phase_there(phase: usize, own: usize, count: usize) -> Option<usize> {
    if phase + 1 == count { Some(own - 1) } else { (phase + 1 < own).then_some(phase) }
}

/// The same on the way back: both begin together, too, for there the input's gradients are added.
fn phase_back(phase: usize, own: usize, count: usize) -> Option<usize> {
    if own == 1 { (phase == 0).then_some(0) } else { phase_there(phase, own, count) }
}

/// The keys of the two ways.
const BODY: usize = 0;
const SHORTCUT: usize = 1;

impl<T: Math> Layer<T> for Residual<T> {
    fn name(&self) -> &'static str {
        "residual"
    }

    fn output(&self) -> Shape {
        self.body.output()
    }

    fn layout(&self, prefix: &str, layout: &mut Layout) {
        self.body.layout(&format!("{prefix}.body."), layout);
        self.shortcut.layout(&format!("{prefix}.shortcut."), layout);
    }

    fn init(&self, w: &mut [T], random: &mut Stream) {
        let (body, shortcut) = w.split_at_mut(self.body_params);
        self.body.init(body, random);
        self.shortcut.init(shortcut, random);
    }

    fn buffer_layout(&self, prefix: &str, layout: &mut Layout) {
        self.body.buffer_layout(&format!("{prefix}.body."), layout);
        self.shortcut.buffer_layout(&format!("{prefix}.shortcut."), layout);
    }

    fn init_buffers(&self, buffers: &mut [T]) {
        let (body, shortcut) = buffers.split_at_mut(self.body_buffers);
        self.body.init_buffers(body);
        self.shortcut.init_buffers(shortcut);
    }

    fn saved_len(&self, batch: usize) -> usize {
        self.own_len(batch) + self.body.saved_len(batch) + self.shortcut.saved_len(batch)
    }

    fn scratch_len(&self, batch: usize) -> usize {
        let ways = self.body.scratch_len(batch).max(self.shortcut.scratch_len(batch));
        // Forward the shortcut's output; back the gradient by its input.
        ways + batch * self.outputs().max(self.body.input().len())
    }

    fn spoils_gradient(&self) -> bool {
        self.shortcut.spoils_gradient()
    }

    fn phases(&self) -> &[Pace] {
        &self.phases
    }

    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { piece, w, buffers, x, y, saved, scratch, mode } = pass;
        let (body_w, shortcut_w) = w.split_at(self.body_params);
        let (body_buffers, shortcut_buffers) = buffers.split_at(self.body_buffers);
        let parts = self.parts(saved, piece.batch);
        let rows = piece.of(self.outputs());
        let count = self.phases.len();
        let ends = piece.phase + 1 == count;
        if let Some(phase) = phase_there(piece.phase, self.body.phases().len(), count) {
            let kept = self.body.reads_output().then(|| &mut parts.body_y[rows.clone()]);
            self.body.forward(Forward {
                piece: piece.in_phase(phase),
                w: body_w,
                buffers: body_buffers,
                x,
                y: kept.unwrap_or(&mut *y),
                saved: parts.body,
                scratch: &mut *scratch,
                mode: mode.within(BODY),
            });
        }
        if ends {
            if self.body.reads_output() {
                y.copy_from_slice(&parts.body_y[rows.clone()]);
            }
            self.gate(y, piece.first, mode);
            if self.is_identity() {
                return dispatch(Add { to: y, what: x });
            }
        }
        if let Some(phase) = phase_there(piece.phase, self.shortcut.phases().len(), count) {
            let (spare, scratch) = scratch.split_at_mut(rows.len());
            let shortcut_y = if self.shortcut.reads_output() { &mut parts.shortcut_y[rows] } else { spare };
            self.shortcut.forward(Forward {
                piece: piece.in_phase(phase),
                w: shortcut_w,
                buffers: shortcut_buffers,
                x,
                y: &mut *shortcut_y,
                saved: parts.shortcut,
                scratch,
                mode: mode.within(SHORTCUT),
            });
            if ends {
                dispatch(Add { to: y, what: shortcut_y });
            }
        }
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { piece, w, buffers, x, y, dy, dw, mut dx, saved, scratch, mode } = pass;
        let (body_w, shortcut_w) = w.split_at(self.body_params);
        let (body_dw, shortcut_dw) = dw.split_at_mut(self.body_params);
        let (body_buffers, shortcut_buffers) = buffers.split_at(self.body_buffers);
        let parts = self.parts(saved, piece.batch);
        let rows = piece.of(self.outputs());
        let count = self.phases.len();
        let body_dy = if self.copies_gradient() {
            let copied = &mut parts.body_dy[rows.clone()];
            if piece.phase + 1 == count {
                copied.copy_from_slice(dy);
                self.gate(copied, piece.first, mode);
            }
            copied
        } else {
            &mut *dy
        };
        if let Some(phase) = phase_back(piece.phase, self.body.phases().len(), count) {
            self.body.backward(Backward {
                piece: piece.in_phase(phase),
                w: body_w,
                buffers: body_buffers,
                x,
                // Who does not read its output may be told the sum.
                y: if self.body.reads_output() { &parts.body_y[rows.clone()] } else { y },
                dy: body_dy,
                dw: body_dw,
                dx: dx.as_deref_mut(),
                saved: parts.body,
                scratch: &mut *scratch,
                mode: mode.within(BODY),
            });
        }
        if self.is_identity() {
            let dx = dx.filter(|_| piece.phase == 0);
            return dx.into_iter().for_each(|dx| dispatch(Add { to: dx, what: dy }));
        }
        let Some(phase) = phase_back(piece.phase, self.shortcut.phases().len(), count) else { return };
        let (shortcut_dx, scratch) = scratch.split_at_mut(x.len());
        self.shortcut.backward(Backward {
            piece: piece.in_phase(phase),
            w: shortcut_w,
            buffers: shortcut_buffers,
            x,
            y: if self.shortcut.reads_output() { &parts.shortcut_y[rows] } else { y },
            dy,
            dw: shortcut_dw,
            dx: dx.is_some().then_some(&mut *shortcut_dx),
            saved: parts.shortcut,
            scratch,
            mode: mode.within(SHORTCUT),
        });
        if let Some(dx) = dx.filter(|_| piece.phase == 0) {
            dispatch(Add { to: dx, what: shortcut_dx });
        }
    }

    fn update_buffers(&self, buffers: &mut [T], saved: &[T], batch: usize) {
        let (body, shortcut) = buffers.split_at_mut(self.body_buffers);
        let saved = &saved[self.own_len(batch)..];
        let (body_saved, shortcut_saved) = saved.split_at(self.body.saved_len(batch));
        self.body.update_buffers(body, body_saved, batch);
        self.shortcut.update_buffers(shortcut, shortcut_saved, batch);
    }
}

struct Add<'a, T> {
    to: &'a mut [T],
    what: &'a [T],
}

impl<T: Math> Kernel for Add<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, &what) in self.to.iter_mut().zip(self.what) {
            *to += what;
        }
    }
}
