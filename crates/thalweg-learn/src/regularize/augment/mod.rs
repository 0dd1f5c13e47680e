//! Augmentation of images: altered copies that a person would still call the same.
//!
//! What is moved in from outside of an image is 0: black where pixels begin at 0, the mean where they are standardized.

pub mod affine;
pub(super) mod brightness;
pub(super) mod contrast;
pub(super) mod crop;
pub(super) mod cutout;
pub(super) mod flip;
pub(super) mod randaugment;
pub(super) mod random_erasing;
pub(super) mod rotation;
pub(super) mod scale;
pub(super) mod shear;
pub(super) mod shift;
#[cfg(test)]
mod tests;

use super::technique::Site;
use crate::nn::Shape;

/// What is said where there are no images.
const FOR_TABLES: &str = "for a table use mixup, jitter, feature-mask or smote";

/// Refuses a distance that leaves nothing of an image.
fn fits(pixels: f64, key: &str, site: &Site<'_>) -> Result<(), String> {
    let Shape::Image { height, width, .. } = site.input else { return Ok(()) };
    let side = height.min(width);
    if pixels < side as f64 {
        return Ok(());
    }
    Err(format!("{key} = {pixels} is as much as the images' shorter side of {side}: give less"))
}
