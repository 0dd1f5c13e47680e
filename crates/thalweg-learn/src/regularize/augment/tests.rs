//! Known transforms of known images.

use super::affine::Affine;
use super::contrast::stretch;
use super::crop::crop;
use super::cutout::Area;
use crate::nn::Shape;

const IMAGE: [f32; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];

fn moved(affine: Affine) -> Vec<f32> {
    let mut out = vec![f32::NAN; 9];
    affine.apply(&IMAGE, &mut out, 3, 3);
    // Turning by 90° has a cosine that is not quite 0.
    out.iter().map(|x| (x * 1e4).round() / 1e4).collect()
}

#[test]
fn whole_moves_copy_pixels() {
    assert_eq!(moved(Affine::IDENTITY), IMAGE);
    assert_eq!(moved(Affine::shift(1.0, 0.0)), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(moved(Affine::shift(0.0, -1.0)), [2.0, 3.0, 0.0, 5.0, 6.0, 0.0, 8.0, 9.0, 0.0]);
    assert_eq!(moved(Affine::mirror()), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 9.0, 8.0, 7.0]);
    assert_eq!(moved(Affine::upside_down()), [7.0, 8.0, 9.0, 4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
    assert_eq!(moved(Affine::rotation(90.0)), [3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0]);
    assert_eq!(moved(Affine::shear(0.0, 1.0)), [2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0, 7.0, 8.0]);
    assert_eq!(moved(Affine::shear(1.0, 0.0)), [4.0, 2.0, 0.0, 7.0, 5.0, 3.0, 0.0, 8.0, 6.0]);
}

#[test]
fn parts_of_pixels_are_interpolated() {
    assert_eq!(moved(Affine::shift(0.0, 0.5))[3..6], [2.0, 4.5, 5.5]);
    // Twice as large: between the pixels lie their means.
    assert_eq!(moved(Affine::scale(2.0)), [3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0]);
    // Half as large: of a 3×3 image only the middle is left.
    assert_eq!(moved(Affine::scale(0.5)), [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn moves_follow_each_other() {
    let turned_then_moved = Affine::rotation(90.0).then(Affine::shift(1.0, 0.0));
    assert_eq!(moved(turned_then_moved), [0.0, 0.0, 0.0, 3.0, 6.0, 9.0, 2.0, 5.0, 8.0]);
    let moved_then_turned = Affine::shift(1.0, 0.0).then(Affine::rotation(90.0));
    assert_eq!(moved(moved_then_turned), [0.0, 3.0, 6.0, 0.0, 2.0, 5.0, 0.0, 1.0, 4.0]);
    assert_eq!(moved(Affine::shift(0.25, 0.75).then(Affine::shift(-0.25, -0.75))), IMAGE);
    assert_eq!(moved(Affine::rotation(180.0)), moved(Affine::mirror().then(Affine::upside_down())));
}

#[test]
fn channels_move_together() {
    // Two pixels of three channels change places.
    let mut out = [0.0; 6];
    Affine::mirror().apply(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut out, 1, 2);
    assert_eq!(out, [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
}

#[test]
fn a_crop_shows_the_padded_image_from_its_corner_on() {
    let cropped = |corner, reflect| {
        let mut out = vec![f32::NAN; 9];
        crop(&IMAGE, &mut out, Shape::image(3, 3, 1), 1, corner, reflect);
        out
    };
    assert_eq!(cropped((1, 1), false), IMAGE);
    assert_eq!(cropped((0, 0), false), [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
    assert_eq!(cropped((2, 1), false), [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 0.0, 0.0, 0.0]);
    assert_eq!(cropped((0, 0), true), [5.0, 4.0, 5.0, 2.0, 1.0, 2.0, 5.0, 4.0, 5.0]);
    assert_eq!(cropped((2, 2), true), [5.0, 6.0, 5.0, 8.0, 9.0, 8.0, 5.0, 6.0, 5.0]);
}

#[test]
fn areas_are_clipped_at_the_edges() {
    let sides = (5, 6);
    let area = Area::about((2, 3), (3, 2), sides);
    assert_eq!(area, Area { top: 1, left: 2, bottom: 4, right: 4 });
    assert_eq!(area.len(), 6);
    assert_eq!(Area::about((0, 5), (3, 4), sides), Area { top: 0, left: 3, bottom: 2, right: 6 });
    assert_eq!(Area::about((4, 0), (9, 0), sides).len(), 0);
    let mut seen = Vec::new();
    area.each_row(6, 2, |range| seen.push(range));
    assert_eq!(seen, [16..20, 28..32, 40..44]);
}

#[test]
fn contrast_is_about_the_images_mean() {
    let mut image = [1.0, 3.0, 5.0, 7.0];
    stretch(&mut image, 0.5);
    assert_eq!(image, [2.5, 3.5, 4.5, 5.5]);
}
