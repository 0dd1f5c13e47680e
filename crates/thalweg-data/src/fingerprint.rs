//! One number for all of a data set's content.

use crate::dataset::{Dataset, FeatureColumn, Target};
use crate::images::{Images, Pixels};

/// Stands in front of everything, so that a change of the layout below changes every fingerprint.
const LAYOUT: &[u8] = b"thalweg data 1";

impl Dataset {
    /// BLAKE3 of all content, in hexadecimal: columns, levels, images and their shape, target, groups, times and their
    /// names, but neither the data set's own name nor its warnings, nor which rows are set apart for testing. Equal on every platform: counts and numbers are hashed as little-endian
    /// 64 bits, and every missing number as the same bits.
    pub fn fingerprint(&self) -> String {
        let mut hash = Hash(blake3::Hasher::new());
        hash.bytes(LAYOUT);
        hash.count(self.features.len());
        for feature in &self.features {
            hash.bytes(feature.name.as_bytes());
            match &feature.column {
                FeatureColumn::Numbers(values) => hash.tag(0).numbers(values),
                FeatureColumn::Categories { codes, levels } => hash.tag(1).codes(codes).names(levels),
            };
        }
        hash.bytes(self.target_name.as_bytes());
        match &self.target {
            Target::Values(values) => hash.tag(0).numbers(values),
            Target::Classes { codes, names } => hash.tag(1).codes(codes).names(names),
        };
        match &self.groups {
            Some(groups) => hash.tag(1).codes(groups),
            None => hash.tag(0),
        };
        match &self.times {
            Some(times) => hash.tag(1).numbers(times),
            None => hash.tag(0),
        };
        if let Some(images) = &self.images {
            hash.images(images);
        }
        hash.0.finalize().to_hex().to_string()
    }
}

/// Every list is preceded by its length, so that no two contents share a byte stream.
struct Hash(blake3::Hasher);

impl Hash {
    fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.update(&[tag]);
        self
    }

    fn count(&mut self, count: usize) -> &mut Self {
        self.0.update(&(count as u64).to_le_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len());
        self.0.update(bytes);
        self
    }

    fn numbers(&mut self, values: &[f64]) -> &mut Self {
        const NOT_A_NUMBER: u64 = 0x7ff8_0000_0000_0000;
        self.count(values.len());
        for value in values {
            let bits = if value.is_nan() { NOT_A_NUMBER } else { value.to_bits() };
            self.0.update(&bits.to_le_bytes());
        }
        self
    }

    /// Behind all else, so that tables without images keep the fingerprints they had.
    fn images(&mut self, images: &Images) {
        let shape = images.shape;
        self.tag(1).count(shape.height).count(shape.width).count(shape.channels);
        match &images.pixels {
            Pixels::Columns => self.tag(0),
            Pixels::Bytes(bytes) => self.tag(1).bytes(bytes),
            Pixels::Numbers(numbers) => self.tag(2).floats(numbers),
        };
    }

    fn floats(&mut self, values: &[f32]) -> &mut Self {
        const NOT_A_NUMBER: u32 = 0x7fc0_0000;
        self.count(values.len());
        for value in values {
            let bits = if value.is_nan() { NOT_A_NUMBER } else { value.to_bits() };
            self.0.update(&bits.to_le_bytes());
        }
        self
    }

    fn codes(&mut self, codes: &[u32]) -> &mut Self {
        self.count(codes.len());
        for code in codes {
            self.0.update(&code.to_le_bytes());
        }
        self
    }

    fn names(&mut self, names: &[String]) -> &mut Self {
        self.count(names.len());
        for name in names {
            self.bytes(name.as_bytes());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::{Dataset, Feature, FeatureColumn, Target};
    use crate::images::{ImageShape, Images, Pixels};
    use crate::schema::Reading;

    fn data() -> Dataset {
        let categories =
            FeatureColumn::Categories { codes: vec![0, 1], levels: vec!["p".into(), "q".into()] };
        Dataset {
            name: "d".into(),
            features: vec![
                Feature { name: "a".into(), column: FeatureColumn::Numbers(vec![1.0, f64::NAN]) },
                Feature { name: "b".into(), column: categories },
            ],
            images: None,
            target_name: "y".into(),
            target: Target::Values(vec![1.0, 2.0]),
            groups: Some(vec![0, 1]),
            times: None,
            fixed_test: None,
            reading: Reading::default(),
            warnings: vec![],
        }
    }

    #[test]
    fn content_changes_it_and_labels_do_not() {
        let print = data().fingerprint();
        // Fixed, so that a store made by one version or platform is found again by another.
        assert_eq!(print, "1bccd18cebbba035c5711cac369f38ec0c007c082a38792d4350c7fe39b31895");
        let relabel = Dataset { name: "e".into(), warnings: vec!["w".into()], ..data() };
        assert_eq!(relabel.fingerprint(), print);
        let mut negative = data();
        negative.features[0].column = FeatureColumn::Numbers(vec![1.0, -f64::NAN]);
        assert_eq!(negative.fingerprint(), print);
        let changes: [fn(&mut Dataset); 8] = [
            |data| data.features[0].name = "c".into(),
            |data| data.features[0].column = FeatureColumn::Numbers(vec![1.0, 0.0]),
            |data| data.features.swap(0, 1),
            |data| data.target_name = "z".into(),
            |data| data.target = Target::Values(vec![1.0, 3.0]),
            |data| data.target = Target::Classes { codes: vec![0, 1], names: vec!["1".into(), "2".into()] },
            |data| data.groups = None,
            |data| data.times = Some(vec![0.0, 1.0]),
        ];
        for (at, change) in changes.iter().enumerate() {
            let mut other = data();
            change(&mut other);
            assert_ne!(other.fingerprint(), print, "change {at}");
        }
    }

    #[test]
    fn pixels_and_their_shape_change_it() {
        let shape = |height, width| ImageShape { height, width, channels: 1 };
        let print =
            |shape, pixels| Dataset { images: Some(Images { shape, pixels }), ..data() }.fingerprint();
        let bytes = || Pixels::Bytes(vec![1, 2, 3, 4]);
        let numbers = |last| Pixels::Numbers(vec![1.0, 2.0, 3.0, last]);
        let prints = [
            data().fingerprint(),
            print(shape(1, 2), Pixels::Columns),
            print(shape(2, 1), Pixels::Columns),
            print(shape(1, 2), bytes()),
            print(shape(2, 1), bytes()),
            print(shape(1, 2), Pixels::Bytes(vec![1, 2, 3, 5])),
            print(shape(1, 2), numbers(4.0)),
            print(shape(1, 2), numbers(f32::NAN)),
        ];
        for (at, one) in prints.iter().enumerate() {
            assert!(prints[at + 1..].iter().all(|other| other != one), "{at}");
        }
        assert_eq!(print(shape(1, 2), numbers(f32::NAN)), print(shape(1, 2), numbers(-f32::NAN)));
        // Fixed, so that a store made by one version or platform is found again by another.
        assert_eq!(&print(shape(1, 2), bytes())[..16], "b3ab446d0aaa213a");
    }
}
