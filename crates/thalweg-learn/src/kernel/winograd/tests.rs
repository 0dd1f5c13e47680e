//! Every CPU level beside the matrices of the paper, in both number types.

use thalweg_optim::kernel::{levels, run_on};

use super::*;

const B_TRANSPOSED: [[f64; 4]; 4] =
    [[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]];
const G: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
const A_TRANSPOSED: [[f64; 4]; 2] = [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]];

/// L·X·Lᵀ
fn twice<const N: usize, const M: usize>(l: [[f64; N]; M], x: impl Fn(usize, usize) -> f64) -> [[f64; M]; M] {
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            (0..N).flat_map(|p| (0..N).map(move |q| (p, q))).map(|(p, q)| l[i][p] * x(p, q) * l[j][q]).sum()
        })
    })
}

fn transposed<const N: usize, const M: usize>(l: [[f64; N]; M]) -> [[f64; M]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| l[j][i]))
}

/// Numbers that are exact in either type, and so are their sums: then every order of them has the same bits.
fn numbers<T: Real>(len: usize, seed: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f64(((i * 37 + seed * 11) % 61) as f64 / 4.0 - 7.0)).collect()
}

/// Images, results and paddings, odd and even; small, too.
fn cases() -> Vec<(Tiles, usize)> {
    let mut cases = Vec::new();
    for (image, padding, width) in
        [((6, 6), 1, 16), ((5, 7), 1, 32), ((4, 3), 0, 16), ((3, 5), 2, 48), ((1, 1), 1, 16), ((1, 4), 2, 16)]
    {
        let side = |side: usize| side + 2 * padding - 2;
        let result = (side(image.0), side(image.1));
        cases.push((Tiles { image, result, padding: (padding, padding) }, width));
    }
    cases
}

/// The parts of a case: all tiles, and those of the middle.
fn parts(tiles: Tiles) -> [Range<usize>; 2] {
    [0..tiles.len(), tiles.len() / 3..tiles.len().div_ceil(2)]
}

/// A pixel's number, zero outside.
fn pixel<T: Real>(of: &[T], size: (usize, usize), width: usize, at: (usize, usize), q: usize) -> f64 {
    if at.0 < size.0 && at.1 < size.1 { of[(at.0 * size.1 + at.1) * width + q].to_f64() } else { 0.0 }
}

fn every_level_agrees_with_the_matrices<T: Real>() {
    let nan = T::from_f64(f64::NAN);
    for ((tiles, width), level) in
        cases().into_iter().flat_map(|case| levels().iter().map(move |&l| (case, l)))
    {
        for part in parts(tiles) {
            let what = format!("{tiles:?} {part:?} {width} {level:?}");
            let planes = Planes { rows: part.len(), width };
            let across = tiles.result.1.div_ceil(2);
            let corner = |tile: usize| (tile / across * 2, tile % across * 2);
            let each = || part.clone().enumerate().flat_map(|(row, t)| (0..width).map(move |q| (row, t, q)));

            let x = numbers::<T>(tiles.image.0 * tiles.image.1 * width, 1);
            let (mut v, zeros) = (vec![nan; Planes::LEN], vec![T::ZERO; width]);
            run_on(level, InputTiles { tiles, part: part.clone(), x: &x, zeros: &zeros, v: &mut v, planes });
            for (row, tile, q) in each() {
                let (top, left) = corner(tile);
                let seen = |i: usize, j: usize| {
                    let at =
                        ((top + i).wrapping_sub(tiles.padding.0), (left + j).wrapping_sub(tiles.padding.1));
                    pixel(&x, tiles.image, width, at, q)
                };
                for (place, &value) in twice(B_TRANSPOSED, seen).as_flattened().iter().enumerate() {
                    assert!(v[planes.at(place)][row * width + q].to_f64() == value, "V: {what}");
                }
            }

            let dy = numbers::<T>(tiles.result.0 * tiles.result.1 * width, 2);
            let mut dm = vec![nan; Planes::LEN];
            run_on(level, GradientTiles { tiles, part: part.clone(), dy: &dy, dm: &mut dm, planes });
            for (row, tile, j) in each() {
                let (top, left) = corner(tile);
                let seen = |i, k| pixel(&dy, tiles.result, width, (top + i, left + k), j);
                for (place, &value) in twice(transposed(A_TRANSPOSED), seen).as_flattened().iter().enumerate()
                {
                    assert!(dm[planes.at(place)][row * width + j].to_f64() == value, "dM: {what}");
                }
            }

            let (m, bias) = (numbers::<T>(Planes::LEN, 3), numbers::<T>(width, 4));
            for bias in [None, Some(&bias[..])] {
                let mut y = vec![nan; dy.len()];
                run_on(level, OutputTiles { tiles, part: part.clone(), m: &m, planes, bias, y: &mut y });
                let mut written = 0;
                for (row, tile, j) in each() {
                    let (top, left) = corner(tile);
                    let result =
                        twice(A_TRANSPOSED, |i, k| m[planes.at(i * 4 + k)][row * width + j].to_f64());
                    for (i, k) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        if top + i < tiles.result.0 && left + k < tiles.result.1 {
                            let found = pixel(&y, tiles.result, width, (top + i, left + k), j);
                            assert!(found == result[i][k] + bias.map_or(0.0, |b| b[j].to_f64()), "Y: {what}");
                            written += 1;
                        }
                    }
                }
                assert!(y.iter().filter(|y| !y.to_f64().is_nan()).count() == written, "Y elsewhere: {what}");
            }
        }
    }
}

#[test]
fn every_level_agrees_with_the_matrices_in_f64() {
    every_level_agrees_with_the_matrices::<f64>();
}

#[test]
fn every_level_agrees_with_the_matrices_in_f32() {
    every_level_agrees_with_the_matrices::<f32>();
}

#[test]
fn weights_agree_with_the_matrices() {
    for (&level, len) in levels().iter().flat_map(|level| [16, 48].map(|len| (level, len))) {
        let (w, du) = (numbers::<f32>(9 * len, 5), numbers::<f32>(PLACES * len, 6));
        let (mut u, mut dw) = (vec![f32::NAN; PLACES * len], vec![f32::NAN; 9 * len]);
        run_on(level, WeightTiles { w: &w, u: &mut u });
        run_on(level, WeightGradient { du: &du, dw: &mut dw });
        for i in 0..len {
            let there = twice(G, |p, q| w[(p * 3 + q) * len + i].into());
            for (place, &value) in there.as_flattened().iter().enumerate() {
                assert!(f64::from(u[place * len + i]) == value, "U: {level:?} {len}");
            }
            let back = twice(transposed(G), |p, q| du[(p * 4 + q) * len + i].into());
            for (place, &value) in back.as_flattened().iter().enumerate() {
                assert!(f64::from(dw[place * len + i]) == value, "dW: {level:?} {len}");
            }
        }
    }
}

#[test]
fn the_sixteen_products_make_a_convolution() {
    // One tile, one channel's worth of numbers: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A is the sum over the window.
    let (d, g) = (numbers::<f64>(16, 7), numbers::<f64>(9, 8));
    let (v, u) = (twice(B_TRANSPOSED, |i, j| d[i * 4 + j]), twice(G, |i, j| g[i * 3 + j]));
    let y = twice(A_TRANSPOSED, |i, j| v[i][j] * u[i][j]);
    for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let sum: f64 = (0..9).map(|k| d[(i + k / 3) * 4 + j + k % 3] * g[k]).sum();
        assert_eq!(y[i][j], sum);
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let tiles = Tiles { image: (4, 4), result: (4, 4), padding: (1, 1) };
    let refused = |tiles: Tiles, part: Range<usize>, rows: usize, width: usize, numbers: usize| {
        let call = || {
            let (x, mut v) = (vec![0.0_f32; numbers], vec![0.0; Planes::LEN]);
            let planes = Planes { rows, width };
            run_on(levels()[0], InputTiles { tiles, part, x: &x, zeros: &x, v: &mut v, planes });
        };
        let said = std::panic::catch_unwind(call).expect_err("it is refused");
        said.downcast::<&str>().map_or_else(|_| String::new(), |said| said.to_string())
    };
    assert_eq!(refused(tiles, 0..5, 5, 16, 256), "there are no such tiles");
    assert_eq!(refused(tiles, 0..3, 4, 16, 256), "there are no such tiles");
    #[allow(clippy::reversed_empty_ranges, reason = "that is what must be refused")]
    let backwards = 3..2;
    assert_eq!(refused(tiles, backwards, 0, 16, 256), "there are no such tiles");
    assert_eq!(refused(tiles, 0..4, 4, 17, 256), "rows are not whole registers");
    assert_eq!(refused(tiles, 0..4, 4, 16, 255), "the image is too small");
    let huge = Tiles { image: (usize::MAX, 2), ..tiles };
    assert_eq!(refused(huge, 0..4, 4, 16, 256), "the image is too small");
}
