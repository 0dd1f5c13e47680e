//! Wrong labels, to study what helps against them.

use thalweg_optim::Range;

use super::super::draws::Draws;
use super::super::technique::{Family, Info, Labels, Setting, Technique};

/// Each training label is replaced with probability p: a class by one of the others, each as often (symmetric noise); a
/// number y by y + s·n with n normal and s the standard deviation of the training rows' numbers. The seed decides, once for
/// the whole training. Validation and test labels stay as they are.
///
/// It is no remedy but the illness: memorized labels are what over-fitting looks like (Zhang et al., *Understanding deep
/// learning requires rethinking generalization*, 2017).
pub(crate) struct LabelNoise;

impl Technique for LabelNoise {
    fn info(&self) -> &Info {
        &Info {
            name: "label-noise",
            family: Family::Study,
            summary: "replaces a share of the training labels, to study over-fitting",
            formula: "with probability p: another class, or y + s·n, n from N(0, std(y)²)",
            source: "Zhang et al. 2017",
            settings: &[
                Setting { key: "share", symbol: "p", range: Range::SHARE, default: 0.2 },
                Setting { key: "deviation", symbol: "s", range: Range::NON_NEGATIVE, default: 1.0 },
            ],
            strengths: &[0.1, 0.2, 0.4],
        }
    }

    fn spoils(&self) -> bool {
        true
    }

    fn spoil(&self, values: &[f64], labels: &mut Labels, draws: &mut Draws) {
        let share = values[0];
        match labels {
            // One class has no other.
            Labels::Classes { count: ..2, .. } => {}
            Labels::Classes { codes, count } => {
                for code in codes {
                    // Both draws in any case: a larger share spoils the same rows and more.
                    let (spoiled, other) = (draws.chance(share), draws.below(*count as usize - 1) as u32);
                    if spoiled {
                        *code = if other < *code { other } else { other + 1 };
                    }
                }
            }
            Labels::Values(numbers) => {
                let count = numbers.len() as f64;
                let mean = numbers.iter().map(|&y| f64::from(y)).sum::<f64>() / count;
                let squares = numbers.iter().map(|&y| (f64::from(y) - mean).powi(2)).sum::<f64>();
                let deviation = values[1] * (squares / count).sqrt();
                for number in numbers {
                    let (spoiled, normal) = (draws.chance(share), draws.normal());
                    if spoiled {
                        *number += (deviation * f64::from(normal)) as f32;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 20_000;

    #[test]
    fn a_share_of_the_classes_becomes_others_evenly() {
        let codes: Vec<u32> = (0..ROWS as u32).map(|row| row % 5).collect();
        let mut labels = Labels::Classes { codes: codes.clone(), count: 5 };
        LabelNoise.spoil(&[0.3, 1.0], &mut labels, &mut Draws::new(1));
        let Labels::Classes { codes: spoiled, .. } = labels else { panic!("classes stay classes") };
        let mut moves = [0; 5];
        codes.iter().zip(&spoiled).for_each(|(old, new)| moves[((new + 5 - old) % 5) as usize] += 1);
        let shares = moves.map(|count| f64::from(count) / ROWS as f64);
        // Five standard deviations of a binomial share of 0.3.
        assert!((shares[0] - 0.7).abs() < 0.017, "{shares:?}");
        assert!(shares[1..].iter().all(|share| (share - 0.075).abs() < 0.01), "{shares:?}");
        assert!(spoiled.iter().all(|&code| code < 5));
    }

    #[test]
    fn a_share_of_the_numbers_is_shifted_by_their_own_deviation() {
        // ±2: mean 0, standard deviation 2.
        let numbers: Vec<f32> = (0..ROWS).map(|row| if row % 2 == 0 { 2.0 } else { -2.0 }).collect();
        let mut labels = Labels::Values(numbers.clone());
        LabelNoise.spoil(&[0.25, 0.5], &mut labels, &mut Draws::new(2));
        let Labels::Values(spoiled) = labels else { panic!("numbers stay numbers") };
        let shifts: Vec<f64> =
            numbers.iter().zip(&spoiled).filter(|(a, b)| a != b).map(|(a, b)| f64::from(b - a)).collect();
        let variance = shifts.iter().map(|shift| shift * shift).sum::<f64>() / shifts.len() as f64;
        assert!((shifts.len() as f64 / ROWS as f64 - 0.25).abs() < 0.016);
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
    }

    #[test]
    fn a_larger_share_spoils_the_same_rows_and_more() {
        let at = |share: f64| {
            let mut labels = Labels::Classes { codes: vec![0; 1000], count: 3 };
            LabelNoise.spoil(&[share, 1.0], &mut labels, &mut Draws::new(5));
            let Labels::Classes { codes, .. } = labels else { panic!("classes stay classes") };
            codes
        };
        let (few, many) = (at(0.1), at(0.3));
        assert!(few.iter().zip(&many).all(|(few, many)| *few == 0 || few == many));
        assert_eq!(at(0.0), vec![0; 1000]);
    }
}
