//! Times one step of every elementwise rule, or of those that are named, beside a plain sweep of the same bytes, which is
//! as fast as the memory goes.
//!
//! ```text
//! cargo run --release -p thalweg-optim --example step_time -- [--case flat|flat:LEN|small|resnet|transformer]
//!     [--threads 1] [--rounds 9] [--precision full|bf16|byte] [--riders | --half master|kahan|stochastic] [--shaped | RULE…]
//! ```
//! Prints one JSON object per rule: the medians over the rounds of the step and the sweep in microseconds, and of their
//! ratio. Rule and sweep take turns, so that a noisy neighbour slows both. `--riders` lets a clip, a decay, an average, a check
//! for numbers that are not finite and the clearing of the gradient ride along. `--half` keeps W and its gradient in bf16.
//! `--shaped` times the rules that look at the shapes of tensors instead.
#![allow(clippy::print_stdout, reason = "a program")]

use std::time::Instant;

use thalweg_optim::kernel::{Isa, Kernel, dispatch};
use thalweg_optim::registry::{Entry, Kind, REGISTRY};
use thalweg_optim::{
    Half, HalfSpan, Keep, Layout, Optimizer, OptimizerSpec, Penalties, Precision, Riders, Role, Span, Threads,
};

/// x ← x·a + b over a whole slice: each byte is read once and written once.
struct Sweep<'a>(&'a mut [f32]);

impl Kernel for Sweep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for x in self.0 {
            *x = *x * 0.999 + 1e-3;
        }
    }
}

fn layout(case: &str) -> Layout {
    let mut layout = Layout::default();
    match case {
        "flat" => layout.push("w", &[20_000_000], Role::Weight),
        "small" => (0..500).for_each(|i| layout.push(format!("w{i}"), &[1000], Role::Weight)),
        "resnet" => resnet18(&mut layout),
        "transformer" => transformer(&mut layout),
        other => {
            let len = other.strip_prefix("flat:").and_then(|len| len.parse().ok());
            let len = len.unwrap_or_else(|| {
                panic!("there is no case «{other}»: flat, flat:LEN, small, resnet, transformer")
            });
            layout.push("w", &[len], Role::Weight);
        }
    }
    layout
}

/// The parameters of ResNet-18 for 1,000 classes (He et al. 2016): 62 tensors, 11.7 M numbers.
fn resnet18(layout: &mut Layout) {
    let conv = |layout: &mut Layout, name: String, from: usize, to: usize, size: usize| {
        layout.push(format!("{name}.conv"), &[to, from, size, size], Role::Weight);
        layout.push(format!("{name}.scale"), &[to], Role::Scale);
        layout.push(format!("{name}.shift"), &[to], Role::Bias);
    };
    conv(layout, "stem".into(), 3, 64, 7);
    let mut from = 64;
    for (stage, to) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            conv(layout, format!("{stage}.{block}.a"), from, to, 3);
            conv(layout, format!("{stage}.{block}.b"), to, to, 3);
            if from != to {
                conv(layout, format!("{stage}.{block}.short"), from, to, 1);
            }
            from = to;
        }
    }
    layout.push("dense.weight", &[1000, 512], Role::Weight);
    layout.push("dense.bias", &[1000], Role::Bias);
}

/// Four blocks of a transformer of width 256 (Vaswani et al. 2017): 48 tensors, 3.2 M numbers.
fn transformer(layout: &mut Layout) {
    for block in 0..4 {
        for (name, to, from) in
            [("qkv", 768, 256), ("proj", 256, 256), ("up", 1024, 256), ("down", 256, 1024)]
        {
            layout.push(format!("{block}.{name}.weight"), &[to, from], Role::Weight);
            layout.push(format!("{block}.{name}.bias"), &[to], Role::Bias);
        }
        for norm in ["norm1", "norm2"] {
            layout.push(format!("{block}.{norm}.scale"), &[256], Role::Scale);
            layout.push(format!("{block}.{norm}.shift"), &[256], Role::Bias);
        }
    }
}

/// The bytes that a step reads and writes per parameter: W twice, its gradient, the state twice, what a half keeps twice;
/// with riders the gradient is read once more and cleared, and an average moves.
fn bytes(optimizer: &dyn Optimizer<f32>, way: Way) -> usize {
    let state: usize = optimizer.save().entries().values().map(|tensor| tensor.values.bytes()).sum();
    let own = match way {
        Way::Bare => 12,
        Way::Riders => 28,
        Way::Half(Keep::Stochastic) => 6,
        Way::Half(_) => 10,
    };
    own + 2 * state / optimizer.layout().len()
}

/// How W lies, and what happens to it.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Bare,
    Riders,
    Half(Keep),
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Riders => "riders",
            Self::Half(keep) => keep.name(),
        }
    }
}

fn sweep(values: &mut [f32], threads: &Threads) {
    let piece = values.len().div_ceil(4 * threads.count());
    let mut parts: Vec<_> = values.chunks_mut(piece.max(1)).collect();
    threads.run(&mut parts, |part| dispatch(Sweep(part)));
}

/// One step with a span per block.
fn step(
    optimizer: &mut dyn Optimizer<f32>,
    mut w: &mut [f32],
    mut grad: &mut [f32],
    mut average: &mut [f32],
    way: Way,
) {
    let rides = way == Way::Riders;
    let lens: Vec<usize> = optimizer.layout().blocks().iter().map(|block| block.range.len()).collect();
    let mut spans = Vec::with_capacity(lens.len());
    for n in lens {
        let (w, grad) = (w.split_off_mut(..n).expect("it fits"), grad.split_off_mut(..n).expect("it fits"));
        spans.push(if rides {
            Span { average: average.split_off_mut(..n), ..Span::clearing(w, grad) }
        } else {
            Span::new(w, grad)
        });
    }
    if rides {
        let riders = Riders {
            guard: true,
            clip_norm: Some(1.0),
            penalties: Penalties { decay: 1e-4, ..Penalties::NONE },
            average_weight: 1e-3,
            ..Riders::default()
        };
        optimizer.apply(&mut spans, 1e-3, riders);
    } else {
        optimizer.step_spans(&mut spans, 1e-3).expect("a step");
    }
}

fn fill(grad: &mut [f32]) {
    grad.iter_mut().enumerate().for_each(|(i, g)| *g = (i % 1013) as f32 * 1e-4 - 0.05);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The same of W in bf16.
fn half_step(half: &mut Half, mut w: &mut [u16], mut grad: &[u16]) {
    let lens: Vec<usize> = half.inner().layout().blocks().iter().map(|block| block.range.len()).collect();
    let mut spans = Vec::with_capacity(lens.len());
    for n in lens {
        let (w, grad) = (w.split_off_mut(..n).expect("it fits"), grad.split_off(..n).expect("it fits"));
        spans.push(HalfSpan { w, grad: grad.into() });
    }
    half.step_spans(&mut spans, 1e-3).expect("a step");
}

/// What moves in a case.
enum Mover {
    Full { optimizer: Box<dyn Optimizer<f32>>, w: Vec<f32>, grad: Vec<f32>, average: Vec<f32>, way: Way },
    Half { half: Half, w: Vec<u16>, grad: Vec<u16> },
}

impl Mover {
    fn new(optimizer: Box<dyn Optimizer<f32>>, way: Way, threads: &Threads) -> Self {
        let n = optimizer.layout().len();
        let mut grad = vec![0.0; n];
        fill(&mut grad);
        let Way::Half(keep) = way else {
            let average = vec![0.5; if way == Way::Riders { n } else { 0 }];
            let mut mover = Self::Full { optimizer, w: vec![0.5; n], grad, average, way };
            mover.use_threads(threads);
            return mover;
        };
        let bits = |x: f32| (x.to_bits() >> 16) as u16;
        let w = vec![bits(0.5); n];
        let grad = grad.into_iter().map(bits).collect();
        let mut mover = Self::Half { half: Half::new(optimizer, keep, &w), w, grad };
        mover.use_threads(threads);
        mover
    }

    fn use_threads(&mut self, threads: &Threads) {
        match self {
            Self::Full { optimizer, .. } => optimizer.set_threads(threads),
            Self::Half { half, .. } => half.set_threads(threads),
        }
    }

    /// Makes again what riders cleared.
    fn refill(&mut self) {
        if let Self::Full { grad, way: Way::Riders, .. } = self {
            fill(grad);
        }
    }

    fn step(&mut self) {
        match self {
            Self::Full { optimizer, w, grad, average, way } => {
                step(optimizer.as_mut(), w, grad, average, *way)
            }
            Self::Half { half, w, grad } => half_step(half, w, grad),
        }
    }
}

fn main() {
    let (mut case, mut threads, mut rounds, mut rules) = ("flat".to_owned(), 1, 9, Vec::new());
    let (mut precision, mut way, mut kind) = (Precision::Full, Way::Bare, Kind::Elementwise);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value");
        match arg.as_str() {
            "--case" => case = value(),
            "--threads" => threads = value().parse().expect("a number of threads"),
            "--rounds" => rounds = value().parse().expect("a number of rounds"),
            "--precision" => {
                let name = value();
                let known = Precision::ALL.into_iter().find(|precision| precision.name() == name);
                precision = known.expect("full, bf16 or byte");
            }
            "--riders" => way = Way::Riders,
            "--half" => {
                let name = value();
                let known = Keep::ALL.into_iter().find(|keep| keep.name() == name);
                way = Way::Half(known.expect("master, kahan or stochastic"));
            }
            "--shaped" => kind = Kind::Shaped,
            _ => rules.push(arg),
        }
    }
    let threads = Threads::new(threads).expect("threads");
    let layout = layout(&case);
    let n = layout.len();
    // Small cases are repeated within a round, so that the clock does not matter.
    let repeats = match kind {
        Kind::Elementwise => (20_000_000 / n).clamp(1, if n < 100_000 { 2000 } else { 40 }),
        _ => 1,
    };
    // All rules of the kind, or those that are named.
    let wanted = |entry: &&Entry| match &rules[..] {
        [] => entry.kind == kind,
        named => named.iter().any(|name| name == entry.info.name),
    };
    for entry in REGISTRY.iter().filter(wanted) {
        let spec = OptimizerSpec::named(entry.info.name).precision(precision);
        let Ok(optimizer) = spec.build::<f32>(&layout) else {
            // A rule that keeps points like W has no state of 8 bits.
            continue;
        };
        if optimizer.needs_objective() {
            continue;
        }
        let bytes = bytes(&*optimizer, way);
        let mut mover = Mover::new(optimizer, way, &threads);
        let mut memory = vec![0.5_f32; n * bytes / 8];
        let mut figures = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..=rounds {
            let start = Instant::now();
            for _ in 0..repeats {
                sweep(&mut memory, &threads);
            }
            let swept = start.elapsed().as_secs_f64() * 1e6 / repeats as f64;
            let mut stepped = 0.0;
            if way == Way::Riders {
                // The clock does not see the gradient come back.
                for _ in 0..repeats {
                    mover.refill();
                    let start = Instant::now();
                    mover.step();
                    stepped += start.elapsed().as_secs_f64();
                }
            } else {
                let start = Instant::now();
                for _ in 0..repeats {
                    mover.step();
                }
                stepped = start.elapsed().as_secs_f64();
            }
            let stepped = stepped * 1e6 / repeats as f64;
            // The first round touches the pages.
            if round > 0 {
                let values = [stepped, swept, swept / stepped];
                figures.iter_mut().zip(values).for_each(|(figures, value)| figures.push(value));
            }
        }
        let best = figures[0].iter().copied().fold(f64::INFINITY, f64::min);
        let [step, sweep, ratio] = figures.map(median);
        println!(
            "{{\"rule\":\"{}\",\"case\":\"{case}\",\"threads\":{},\"precision\":\"{}\",\"way\":\"{}\",\"bytes\":{bytes},\"step_us\":{step:.2},\"best_us\":{best:.2},\
             \"sweep_us\":{sweep:.2},\"of_ceiling\":{ratio:.3},\"gb_per_s\":{:.1}}}",
            entry.info.name,
            threads.count(),
            precision.name(),
            way.name(),
            (bytes * n) as f64 / step / 1e3
        );
    }
}
