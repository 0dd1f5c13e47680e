//! The networks that are timed, in Burn's modules.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor};

/// Logits for rows of plain numbers; images are shaped first.
pub(crate) trait Classifier: Module {
    /// A row of logits each.
    fn forward(&self, x: Tensor<2>) -> Tensor<2>;

    /// Numbers that are trained: Burn counts running statistics among a module's parameters.
    fn trained(&self) -> usize {
        self.num_params()
    }
}

/// Dense layers with ReLU between them.
#[derive(Module, Debug)]
pub(crate) struct Mlp {
    layers: Vec<Linear>,
    relu: Relu,
}

impl Mlp {
    pub(crate) fn new(widths: &[usize], device: &Device) -> Self {
        let layers = widths.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(device)).collect();
        Self { layers, relu: Relu::new() }
    }
}

impl Classifier for Mlp {
    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                x = self.relu.forward(x);
            }
            x = layer.forward(x);
        }
        x
    }
}

/// The small CNN for 28×28×1.
#[derive(Module, Debug)]
pub(crate) struct Lenet {
    convolutions: Vec<Conv2d>,
    relu: Relu,
    pool: MaxPool2d,
    dense: Mlp,
}

impl Lenet {
    pub(crate) fn new(device: &Device) -> Self {
        Self {
            convolutions: [[1, 32], [32, 64]]
                .map(|channels| convolution(channels, 3, 1, true, device))
                .into(),
            relu: Relu::new(),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            dense: Mlp::new(&[64 * 49, 128, 10], device),
        }
    }
}

impl Classifier for Lenet {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let rows = x.dims()[0];
        let mut x = x.reshape([rows, 1, 28, 28]);
        for convolution in &self.convolutions {
            x = self.pool.forward(self.relu.forward(convolution.forward(x)));
        }
        self.dense.forward(x.flatten(1, 3))
    }
}

/// A convolution without a bias, and batch normalization.
#[derive(Module, Debug)]
struct Normed {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Normed {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        Self {
            convolution: convolution(channels, kernel, stride, false, device),
            norm: BatchNormConfig::new(channels[1]).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.convolution.forward(x))
    }

    /// Running means and variances.
    fn running(&self) -> usize {
        2 * self.norm.gamma.val().dims()[0]
    }
}

/// Two convolutions around which the input is added (He et al. 2016, option B).
#[derive(Module, Debug)]
struct Block {
    first: Normed,
    second: Normed,
    shortcut: Option<Normed>,
    relu: Relu,
}

impl Block {
    fn new(channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let outputs = [channels[1]; 2];
        Self {
            first: Normed::new(channels, 3, stride, device),
            second: Normed::new(outputs, 3, 1, device),
            shortcut: (stride > 1).then(|| Normed::new(channels, 1, stride, device)),
            relu: Relu::new(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let body = self.second.forward(self.relu.forward(self.first.forward(x.clone())));
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        self.relu.forward(body + around)
    }
}

/// The residual network for 32×32×3.
#[derive(Module, Debug)]
pub(crate) struct Resnet8 {
    stem: Normed,
    relu: Relu,
    blocks: Vec<Block>,
    pool: AdaptiveAvgPool2d,
    output: Linear,
}

impl Resnet8 {
    pub(crate) fn new(device: &Device) -> Self {
        let stages = [([16, 16], 1), ([16, 32], 2), ([32, 64], 2)];
        Self {
            stem: Normed::new([3, 16], 3, 1, device),
            relu: Relu::new(),
            blocks: stages.map(|(channels, stride)| Block::new(channels, stride, device)).into(),
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            output: LinearConfig::new(64, 10).init(device),
        }
    }
}

impl Classifier for Resnet8 {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let rows = x.dims()[0];
        let mut x = self.relu.forward(self.stem.forward(x.reshape([rows, 3, 32, 32])));
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.output.forward(self.pool.forward(x).flatten(1, 3))
    }

    fn trained(&self) -> usize {
        let in_blocks = self
            .blocks
            .iter()
            .flat_map(|block| [Some(&block.first), Some(&block.second), block.shortcut.as_ref()]);
        let all = in_blocks.flatten().chain([&self.stem]);
        self.num_params() - all.map(Normed::running).sum::<usize>()
    }
}

fn convolution(channels: [usize; 2], kernel: usize, stride: usize, bias: bool, device: &Device) -> Conv2d {
    let padding = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_bias(bias)
        .init(device)
}
