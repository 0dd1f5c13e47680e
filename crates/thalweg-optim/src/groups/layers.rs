//! To which layer each block belongs, counted from the first.

use super::assign::{corrected, glob, wrong};
use crate::hyper::OptimError;
use crate::params::Layout;

/// What stands for a layer's number.
const NUMBER: &str = "{}";

/// A layer is what has one name up to the last dot.
pub(super) fn by_module(layout: &Layout) -> Vec<usize> {
    let mut known: Vec<&str> = Vec::new();
    let layer = |block| {
        let name = module(block);
        known.iter().position(|known| *known == name).unwrap_or_else(|| {
            known.push(name);
            known.len() - 1
        })
    };
    names(layout).map(layer).collect()
}

fn module(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(module, _)| module)
}

fn names(layout: &Layout) -> impl Iterator<Item = &str> {
    layout.blocks().iter().map(|block| block.name.as_str())
}

/// A layer is what has one number where the pattern says, from 1 on; what lies before the first of them is layer 0, what
/// lies elsewhere one behind the last.
pub(super) fn by_number(layout: &Layout, pattern: &str) -> Result<Vec<usize>, OptimError> {
    if pattern.matches(NUMBER).count() != 1 {
        return Err(wrong(format!(
            "layer = «{pattern}» must say once where the number of a layer stands; write {NUMBER} there, as in \
             «blocks.{NUMBER}.»"
        )));
    }
    let of_block: Vec<Option<u64>> = names(layout).map(|name| number(pattern, name)).collect();
    let mut known: Vec<u64> = of_block.iter().copied().flatten().collect();
    known.sort_unstable();
    known.dedup();
    let Some(first) = of_block.iter().position(Option::is_some) else {
        let names: Vec<&str> = names(layout).collect();
        let hint = corrected(pattern, &names, |pattern, name| number(pattern, name).is_some());
        let hint = hint.map_or(".".to_owned(), |found| format!("; did you mean «{found}»?"));
        let names = names.join(", ");
        return Err(wrong(format!(
            "no block's name begins with layer = «{pattern}», with a number for {NUMBER}{hint} There are: {names}"
        )));
    };
    let layer = |(index, own): (usize, &Option<u64>)| match own {
        Some(own) => known.partition_point(|known| known < own) + 1,
        None if index < first => 0,
        None => known.len() + 1,
    };
    Ok(of_block.iter().enumerate().map(layer).collect())
}

/// The number in a name that begins as the pattern says; of several that could be, the first.
fn number(pattern: &str, name: &str) -> Option<u64> {
    let (before, behind) = pattern.split_once(NUMBER)?;
    let digits = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = name.as_bytes();
    let starts =
        (0..bytes.len()).filter(|&at| digits(bytes.get(at)) && !(at > 0 && digits(bytes.get(at - 1))));
    let mut fitting = starts.filter_map(|start| {
        let rest = &name[start..];
        let end = start + rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let fits = glob(before, &name[..start]) && glob(&format!("{behind}*"), &name[end..]);
        fits.then(|| name[start..end].parse().ok())?
    });
    fitting.next()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_whole_and_stands_where_the_pattern_says() {
        for (pattern, name, expected) in [
            ("blocks.{}.", "blocks.0.attn.qkv.weight", Some(0)),
            ("blocks.{}.", "blocks.11.mlp.fc1.bias", Some(11)),
            ("blocks.{}.", "blocks.x.weight", None),
            ("blocks.{}.", "blocks.1x.weight", None),
            ("blocks.{}.", "decoder.blocks.1.weight", None),
            ("*blocks.{}.", "decoder.blocks.1.weight", Some(1)),
            ("*.blocks.{}.", "stages.3.blocks.7.weight", Some(7)),
            ("stages.{}.*.attn", "stages.3.blocks.7.attn.weight", Some(3)),
            ("{}.", "12.dense.weight", Some(12)),
            ("blocks.{}", "blocks.4", Some(4)),
            ("blocks.{}.", "blocks.99999999999999999999.w", None),
            ("é{}.", "é7.weight", Some(7)),
        ] {
            assert_eq!(number(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
