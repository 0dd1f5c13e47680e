//! What is measured: networks, ways to run them, and who runs them.

/// A network, known to every contender by its name; its batch and layers are theirs to know.
pub(super) struct Network {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// ln of the classes: what a network that knows nothing loses.
    pub(super) loss_of_chance: f64,
    /// How many times as fast as PyTorch training is wanted to be, at the same number of threads.
    pub(super) asked: f64,
    pub(super) images: bool,
}

const LN_2: f64 = std::f64::consts::LN_2;
const LN_10: f64 = std::f64::consts::LN_10;

pub(super) const NETWORKS: &[Network] = &[
    Network {
        name: "mlp20",
        title: "20-32-32-1, batch 16",
        loss_of_chance: LN_2,
        asked: 40.0,
        images: false,
    },
    Network {
        name: "mlp64",
        title: "64-64-32-10, batch 32",
        loss_of_chance: LN_10,
        asked: 15.0,
        images: false,
    },
    Network {
        name: "mlp784",
        title: "784-256-128-10, batch 64",
        loss_of_chance: LN_10,
        asked: 2.5,
        images: false,
    },
    Network {
        name: "lenet",
        title: "small CNN (`lenet`), 28×28×1, batch 64",
        loss_of_chance: LN_10,
        asked: 2.0,
        images: true,
    },
    Network {
        name: "resnet8",
        title: "`resnet8`, 32×32×3, batch 64",
        loss_of_chance: LN_10,
        asked: 1.5,
        images: true,
    },
];

/// Inference is wanted to be not slower.
const ASKED_OF_INFERENCE: f64 = 1.0;

/// A way to run a network.
pub(super) struct Way {
    pub(super) title: &'static str,
    pub(super) infer: bool,
    pub(super) threads: usize,
    /// Processes at once; their samples add up.
    pub(super) trials: usize,
}

pub(super) const WAYS: &[Way] = &[
    Way { title: "training, 1 thread", infer: false, threads: 1, trials: 1 },
    Way { title: "two trainings at once, 1 thread each", infer: false, threads: 1, trials: 2 },
    Way { title: "one training, 2 threads", infer: false, threads: 2, trials: 1 },
    Way { title: "inference, 1 thread", infer: true, threads: 1, trials: 1 },
    Way { title: "inference, 2 threads", infer: true, threads: 2, trials: 1 },
];

impl Way {
    pub(super) fn task(&self) -> &'static str {
        if self.infer { "infer" } else { "train" }
    }

    /// The ratio to PyTorch's speed that is wanted.
    pub(super) fn asked(&self, network: &Network) -> f64 {
        if self.infer { ASKED_OF_INFERENCE } else { network.asked }
    }
}

/// The program behind a contender.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// The example `train_time`.
    Thalweg,
    /// A script of `benchmarks/peers`.
    Python(&'static str),
    /// The binary of `benchmarks/burn`.
    Burn,
}

/// A contender's part in the wanted ratio: the fastest of one's own over the fastest of the rivals it is asked of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Ours.
    Own,
    /// Ours, for one training on several threads alone: the optimizer divides its work, the batch stays whole.
    OwnUndivided,
    /// PyTorch as its users run it.
    Measure,
    /// Reported beside them.
    Beside,
}

/// Who is timed.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) program: Program,
    pub(super) flags: &'static [&'static str],
    /// Images or not, if not both.
    pub(super) only_images: Option<bool>,
    pub(super) part: Part,
    /// Until it has to have started and done its check.
    pub(super) seconds_to_start_max: u64,
}

const PYTORCH: Program = Program::Python("pytorch_train.py");
const PATIENCE: u64 = 600;
/// Compiling must not take longer.
const PATIENCE_TO_COMPILE: u64 = 90;

/// Thalweg is the first.
pub(super) const CONTENDERS: &[Contender] = &[
    Contender {
        name: "Thalweg",
        program: Program::Thalweg,
        flags: &[],
        only_images: None,
        part: Part::Own,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "Thalweg, batch undivided",
        program: Program::Thalweg,
        flags: &["--shards", "1"],
        only_images: None,
        part: Part::OwnUndivided,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "PyTorch",
        program: PYTORCH,
        flags: &[],
        only_images: None,
        part: Part::Measure,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "PyTorch, channels last",
        program: PYTORCH,
        flags: &["--layout", "channels-last"],
        only_images: Some(true),
        part: Part::Measure,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "PyTorch, compiled",
        program: PYTORCH,
        flags: &["--compile"],
        only_images: None,
        part: Part::Beside,
        seconds_to_start_max: PATIENCE_TO_COMPILE,
    },
    Contender {
        name: "scikit-learn",
        program: Program::Python("scikit_learn_train.py"),
        flags: &[],
        only_images: Some(false),
        part: Part::Beside,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "Burn, flex",
        program: Program::Burn,
        flags: &[],
        only_images: None,
        part: Part::Beside,
        seconds_to_start_max: PATIENCE,
    },
];

impl Contender {
    pub(super) fn runs(&self, network: &Network, way: &Way) -> bool {
        let shared = !way.infer && way.threads > 1;
        self.only_images.is_none_or(|images| images == network.images)
            && (self.part != Part::OwnUndivided || shared)
    }

    pub(super) fn is_own(&self) -> bool {
        matches!(self.part, Part::Own | Part::OwnUndivided)
    }
}
