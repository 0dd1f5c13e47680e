//! What depends on which axes of a weight are its outputs, and what must not.

use thalweg_optim::{Dialect, GroupSpec, Layout, OptimizerSpec, Orientation, Role};

use crate::{bits, close, every, wave};

/// A layout of weights that lie as stated, if at all.
fn stated(orientation: Option<Orientation>, shape: &[usize]) -> Layout {
    let mut layout = Layout::default();
    layout.push("w", shape, Role::Weight);
    layout.push("bias", &[3], Role::Bias);
    if let Some(orientation) = orientation { layout.with_orientation(orientation) } else { layout }
}

/// W after eleven steps; number i of the weight is number `place(i)` of the gradients and of the start.
fn walk(spec: &OptimizerSpec, layout: &Layout, place: &[usize]) -> Vec<f64> {
    let weights = place.len();
    let put = |values: Vec<f64>| -> Vec<f64> {
        place.iter().map(|&at| values[at]).chain(values[weights..].iter().copied()).collect()
    };
    let mut w = put(wave(layout.len(), 0.9));
    let mut optimizer = spec.build::<f64>(layout).expect("in range");
    for step in 0..11 {
        let g = put(wave(layout.len(), 0.31 + f64::from(step)));
        optimizer.step_with(&mut w, &g, 0.01).expect("no look-ahead");
    }
    // Back to the order of the gradients.
    let mut back = w.clone();
    place.iter().zip(&w).for_each(|(&at, &w)| back[at] = w);
    back
}

fn in_place(count: usize) -> Vec<usize> {
    (0..count).collect()
}

/// Where the numbers of a `columns` × `rows` matrix lie in its transpose.
fn across(rows: usize, columns: usize) -> Vec<usize> {
    (0..columns).flat_map(|j| (0..rows).map(move |i| i * columns + j)).collect()
}

/// An ε above the rounding noise, which SOAP's bases would scale up.
fn calm(spec: OptimizerSpec) -> OptimizerSpec {
    if spec.name == "soap" { spec.with("epsilon", 1e-3) } else { spec }
}

/// A weight `[in, out]` that says so moves exactly as its transpose `[out, in]` that says so: every method, every dialect.
#[test]
fn a_stated_weight_moves_as_its_transpose() {
    for spec in every().map(calm) {
        for (out, inputs) in [(7, 3), (3, 7), (4, 4)] {
            // Below this size optax's Adafactor would not factor.
            let factor = spec.name == "adafactor";
            let spec = if factor { spec.clone().with("min_dim_size_to_factor", 2.0) } else { spec.clone() };
            let one = stated(Some(Orientation::OutIn), &[out, inputs]);
            let other = stated(Some(Orientation::InOut), &[inputs, out]);
            let (one, other) =
                (walk(&spec, &one, &in_place(out * inputs)), walk(&spec, &other, &across(out, inputs)));
            assert_ne!(one, wave(one.len(), 0.9));
            // SOAP's bases carry a rounding on.
            close(
                &other,
                &one,
                if spec.name == "soap" { 1e-9 } else { 1e-12 },
                &format!("{spec:?}, {out} outputs"),
            );
        }
    }
}

/// Only Muon's σ sees which is which; where nothing is said, it is as the dialect's package has it.
#[test]
fn only_muon_tells_outputs_from_inputs_in_a_matrix() {
    for spec in every() {
        for shape in [[7, 3], [3, 7]] {
            let [unsaid, out_in, in_out] = [None, Some(Orientation::OutIn), Some(Orientation::InOut)]
                .map(|orientation| bits(&walk(&spec, &stated(orientation, &shape), &in_place(21))));
            let (as_out_in, as_in_out) = (unsaid == out_in, unsaid == in_out);
            let expected = match (spec.name.as_str(), spec.dialect) {
                ("muon", Dialect::Torch | Dialect::Textbook) => (true, false),
                ("muon", Dialect::Optax) => (false, true),
                _ => (true, true),
            };
            assert_eq!((as_out_in, as_in_out), expected, "{spec:?} on {shape:?}");
            // σ of AdamW's RMS takes the larger of both.
            if spec.name == "muon" {
                let spec = spec.clone().with("rms_rate", 0.2);
                let [one, other] = [Orientation::OutIn, Orientation::InOut]
                    .map(|orientation| bits(&walk(&spec, &stated(Some(orientation), &shape), &in_place(21))));
                assert_eq!(one, other, "{spec:?} on {shape:?}");
            }
        }
    }
}

/// σ by hand: twice as many outputs as inputs make the step √2 as long, half as many do not make it shorter.
#[test]
fn muon_s_scale_is_that_of_outputs_over_inputs() {
    let length = |orientation: Orientation, shape: &[usize]| {
        let mut layout = Layout::default().with_orientation(orientation);
        layout.push("w", shape, Role::Weight);
        let spec = OptimizerSpec::named("muon").dialect(Dialect::Textbook);
        let (mut w, mut optimizer) = (vec![0.0; 8], spec.build::<f64>(&layout).expect("in range"));
        optimizer.step_with(&mut w, &[1.0, 0.1, 0.3, -0.7, 0.2, 0.9, -0.4, 0.6], 1.0).expect("no look-ahead");
        w.iter().map(|w| w * w).sum::<f64>().sqrt()
    };
    let high = length(Orientation::OutIn, &[4, 2]) / length(Orientation::InOut, &[4, 2]);
    let wide = length(Orientation::InOut, &[2, 4]) / length(Orientation::OutIn, &[2, 4]);
    assert!((high - 2_f64.sqrt()).abs() < 1e-12 && (wide - 2_f64.sqrt()).abs() < 1e-12, "{high} and {wide}");
}

/// Where the numbers of a convolution `[height, width, in, out]` lie in `[out, in, height, width]`.
fn last_to_first([out, inputs, height, width]: [usize; 4]) -> Vec<usize> {
    let mut place = Vec::new();
    for (h, w) in (0..height).flat_map(|h| (0..width).map(move |w| (h, w))) {
        for i in 0..inputs {
            place.extend((0..out).map(|o| ((o * inputs + i) * height + h) * width + w));
        }
    }
    place
}

/// A convolution `[height, width, in, out]` that says so is the same matrix as `[out, in, height, width]`, its columns in
/// another order.
#[test]
fn a_stated_convolution_moves_as_its_transpose() {
    // Adafactor takes axes by their place, as its packages do.
    for spec in every().filter(|spec| spec.name != "adafactor").map(calm) {
        // In another order of columns, eigenvectors of equal eigenvalues are others: SOAP's are left in theirs.
        let shape = if spec.name == "soap" { [4, 3, 1, 1] } else { [4, 3, 2, 2] };
        let ([out, inputs, height, width], count) = (shape, shape.iter().product());
        let one = walk(&spec, &stated(Some(Orientation::OutIn), &shape), &in_place(count));
        let other = stated(Some(Orientation::InOut), &[height, width, inputs, out]);
        let other = walk(&spec, &other, &last_to_first(shape));
        close(&other, &one, if spec.name == "soap" { 1e-9 } else { 1e-12 }, &format!("{spec:?}"));
        let unsaid = walk(&spec, &stated(None, &shape), &in_place(count));
        assert_eq!(bits(&unsaid), bits(&one), "{spec:?}: unsaid, the first axis is the outputs");
    }
}

#[test]
fn groups_hand_on_what_the_layout_says() {
    for orientation in [Orientation::OutIn, Orientation::InOut] {
        let layout = stated(Some(orientation), &[7, 3]);
        let plain = OptimizerSpec::named("muon");
        let grouped = plain.clone().group(GroupSpec::role("weight")).group(GroupSpec::rest());
        let place = in_place(21);
        assert_eq!(
            bits(&walk(&plain, &layout, &place)),
            bits(&walk(&grouped, &layout, &place)),
            "{orientation:?}"
        );
    }
}
