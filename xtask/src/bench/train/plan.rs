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
    /// The networks and ways that it is timed in.
    pub(super) networks: fn(&Network) -> bool,
    pub(super) ways: fn(&Way) -> bool,
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
        networks: |_| true,
        ways: |_| true,
        part: Part::Own,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "Thalweg, batch undivided",
        program: Program::Thalweg,
        flags: &["--shards", "1"],
        networks: |_| true,
        ways: |way| !way.infer && way.threads > 1,
        part: Part::Own,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "PyTorch",
        program: PYTORCH,
        flags: &[],
        networks: |_| true,
        ways: |_| true,
        part: Part::Measure,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "PyTorch, channels last",
        program: PYTORCH,
        flags: &["--layout", "channels-last"],
        networks: |network| network.images,
        ways: |_| true,
        part: Part::Measure,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "PyTorch, compiled",
        program: PYTORCH,
        flags: &["--compile"],
        networks: |network| network.name != "resnet8",
        ways: |way| way.threads == 1 && way.trials == 1,
        part: Part::Beside,
        seconds_to_start_max: PATIENCE_TO_COMPILE,
    },
    Contender {
        name: "scikit-learn",
        program: Program::Python("scikit_learn_train.py"),
        flags: &[],
        networks: |network| !network.images,
        ways: |_| true,
        part: Part::Beside,
        seconds_to_start_max: PATIENCE,
    },
    Contender {
        name: "Burn, flex",
        program: Program::Burn,
        flags: &[],
        networks: |_| true,
        ways: |_| true,
        part: Part::Beside,
        seconds_to_start_max: PATIENCE,
    },
];

impl Contender {
    pub(super) fn runs(&self, network: &Network, way: &Way) -> bool {
        (self.networks)(network) && (self.ways)(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runners(network: &str, way: usize) -> Vec<&'static str> {
        let network = NETWORKS.iter().find(|known| known.name == network).expect("a network");
        let runs = CONTENDERS.iter().filter(|contender| contender.runs(network, &WAYS[way]));
        runs.map(|contender| contender.name).collect()
    }

    #[test]
    fn everyone_runs_where_they_can() {
        assert_eq!(
            runners("mlp20", 0),
            ["Thalweg", "PyTorch", "PyTorch, compiled", "scikit-learn", "Burn, flex"]
        );
        assert_eq!(runners("resnet8", 1), ["Thalweg", "PyTorch", "PyTorch, channels last", "Burn, flex"]);
        let on_two = runners("lenet", 2);
        assert_eq!(on_two[..2], ["Thalweg", "Thalweg, batch undivided"]);
        assert!(!on_two.contains(&"PyTorch, compiled"), "{on_two:?}");
        assert!(!runners("lenet", 4).contains(&"Thalweg, batch undivided"));
    }

    #[test]
    fn every_table_has_both_sides_of_the_wanted_ratio() {
        for network in NETWORKS {
            for way in WAYS {
                for part in [Part::Own, Part::Measure] {
                    assert!(
                        CONTENDERS.iter().any(|c| c.part == part && c.runs(network, way)),
                        "{}",
                        network.name
                    );
                }
            }
        }
    }
}
