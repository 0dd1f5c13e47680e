//! Parameters and buffers as the bytes of a safetensors file.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use thalweg_learn::Model;
use thalweg_learn::nn::Network;
use thalweg_optim::Layout;

/// The bytes of the file. Equal models give equal bytes.
pub(super) fn to_bytes(model: &Model) -> Vec<u8> {
    let network = model.network();
    let parts = [(network.layout(), model.parameters()), (network.buffers(), model.buffers())];
    let blocks = parts.iter().flat_map(|(layout, numbers)| {
        layout.blocks().iter().map(|block| {
            let bytes: Vec<u8> = numbers[block.range.clone()].iter().flat_map(|x| x.to_le_bytes()).collect();
            (block.name.clone(), block.shape.clone(), bytes)
        })
    });
    let blocks: Vec<_> = blocks.collect();
    let views = blocks.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name.as_str(), view.expect("a block has as many numbers as its shape says"))
    });
    // One line only: the order of several is not the same everywhere.
    let made_by = [("made_by".to_owned(), format!("thalweg {}", env!("CARGO_PKG_VERSION")))];
    serialize(views, Some(made_by.into())).expect("a header of less than 100 MB")
}

/// The parameters and buffers of a network from the bytes of a file: all of them, no others, all finite.
pub(super) fn of_bytes(network: &Network<f32>, bytes: &[u8]) -> Result<(Vec<f32>, Vec<f32>), String> {
    let file =
        SafeTensors::deserialize(bytes).map_err(|cause| format!("it is no safetensors file ({cause})"))?;
    let mut tensors: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    let parameters = take(network.layout(), &mut tensors)?;
    let buffers = take(network.buffers(), &mut tensors)?;
    match tensors.keys().next() {
        Some(name) => {
            Err(format!("it has a tensor «{name}», and the recipe's network has none of that name"))
        }
        None => Ok((parameters, buffers)),
    }
}

fn take(layout: &Layout, tensors: &mut BTreeMap<String, TensorView<'_>>) -> Result<Vec<f32>, String> {
    let mut numbers = Vec::new();
    for block in layout.blocks() {
        let name = &block.name;
        let Some(tensor) = tensors.remove(name) else {
            return Err(format!("it has no tensor «{name}», which the recipe's network wants"));
        };
        if tensor.dtype() != Dtype::F32 || tensor.shape() != block.shape {
            return Err(format!(
                "«{name}» is {} {:?}, and the recipe's network wants F32 {:?}",
                tensor.dtype(),
                tensor.shape(),
                block.shape
            ));
        }
        let read = tensor.data().as_chunks::<4>().0.iter().map(|&chunk| f32::from_le_bytes(chunk));
        numbers.extend(read);
        if let Some(at) = numbers[block.range.clone()].iter().position(|number| !number.is_finite()) {
            return Err(format!(
                "«{name}» is {} at place {at}, which is no finite number",
                numbers[block.range.start + at]
            ));
        }
    }
    Ok(numbers)
}
