//! scratch
#![allow(clippy::print_stdout)]
struct Instant(f64);
impl Instant {
    fn now() -> Self {
        Self(cpu())
    }
    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::from_secs_f64((cpu() - self.0).max(0.0))
    }
}
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
        * 1e-9
}
use thalweg_learn::kernel::denormal::FlushDenormals;
use thalweg_learn::nn::*;
use thalweg_optim::{Objective, OptimizerSpec};

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let reps: usize = std::env::args().nth(2).and_then(|a| a.parse().ok()).unwrap_or(5);
    let _f = FlushDenormals::start();
    let mlp = |h: &[usize]| Architecture::Mlp.layers(h, Activation::Relu);
    let cases: Vec<(&str, Vec<LayerSpec>, Shape, usize, usize)> = vec![
        ("a", mlp(&[32, 32]), Shape::Flat(20), 1, 16),
        ("b", mlp(&[64, 32]), Shape::Flat(64), 10, 32),
        ("c", mlp(&[256, 128]), Shape::Flat(784), 10, 64),
        ("cnn", Architecture::Lenet.layers(&[], Activation::Relu), Shape::image(28, 28, 1), 10, 64),
        ("resnet8", Architecture::Resnet8.layers(&[], Activation::Relu), Shape::image(32, 32, 3), 10, 64),
    ];
    for (name, specs, shape, outputs, batch) in cases {
        if !which.is_empty() && which != name {
            continue;
        }
        let net = Network::<f32>::build(&specs, shape, outputs, Init::Auto).unwrap();
        let mut w = net.init(1);
        let mut buffers = net.init_buffers();
        let mut ws = net.workspace(batch);
        let x: Vec<f32> = (0..batch * shape.len()).map(|i| (i as f32 * 0.37).sin()).collect();
        let classes = outputs.max(2) as u32;
        let y: Vec<u32> = (0..batch as u32).map(|i| i * 7 % classes).collect();
        let loss = if outputs == 1 { Loss::Binary } else { Loss::CrossEntropy };
        let mut opt = OptimizerSpec::named("adam").build::<f32>(net.layout()).unwrap();
        let steps = match name {
            "a" | "b" => 2000,
            "c" => 100,
            _ => 4,
        };
        let mut best = f64::INFINITY;
        let mut fwd = f64::INFINITY;
        let mut g = vec![0.0; w.len()];
        let mut fb = f64::INFINITY;
        for _ in 0..reps {
            let t = Instant::now();
            for s in 0..steps {
                let mut o = BatchObjective {
                    network: &net,
                    buffers: &buffers,
                    workspace: &mut ws,
                    loss,
                    x: &x,
                    targets: Targets::Classes(&y),
                    mode: Mode::Train { key: s as u64 },
                };
                opt.step(&mut w, &mut o, 1e-4).unwrap();
                net.update_buffers(&mut buffers, &ws);
            }
            best = best.min(t.elapsed().as_secs_f64() / steps as f64);
            let t = Instant::now();
            for _ in 0..steps {
                net.forward(&w, &buffers, &x, Mode::Evaluate, &mut ws);
            }
            fwd = fwd.min(t.elapsed().as_secs_f64() / steps as f64);
            let t = Instant::now();
            for s in 0..steps {
                let mut o = BatchObjective {
                    network: &net,
                    buffers: &buffers,
                    workspace: &mut ws,
                    loss,
                    x: &x,
                    targets: Targets::Classes(&y),
                    mode: Mode::Train { key: s as u64 },
                };
                o.value_and_grad(&w, &mut g);
            }
            fb = fb.min(t.elapsed().as_secs_f64() / steps as f64);
        }
        println!(
            "{name}: step {:.1} us, fwd+bwd {:.1}, fwd {:.1} us ({} params)",
            best * 1e6,
            fb * 1e6,
            fwd * 1e6,
            w.len()
        );
    }
}
