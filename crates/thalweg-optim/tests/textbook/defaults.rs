//! The defaults of the dialect.

use thalweg_optim::registry::{Kind, REGISTRY};
use thalweg_optim::{Dialect, OptimizerSpec};

/// The name and value of each hyperparameter.
type Hyper = &'static [(&'static str, f64)];

#[test]
fn the_textbook_defaults_are_those_of_the_papers() {
    // Zeiler's MNIST runs; Hinton's lecture; Kingma & Ba's algorithms 1 and 2; Graves's handwriting runs; Dozat's report;
    // Zhuang's, Zaheer's and Taniguchi's algorithms; the customary 0.9 and 1e-8 elsewhere.
    let expected: [(&str, f64, Hyper); 24] = [
        ("sgd", 1e-2, &[]),
        ("momentum", 1e-2, &[("momentum", 0.9), ("dampening", 0.0)]),
        ("nag", 1e-2, &[("momentum", 0.9)]),
        ("adagrad", 1e-2, &[("epsilon", 1e-8), ("initial_accumulator", 0.0), ("lr_decay", 0.0)]),
        ("adadelta", 1.0, &[("rho", 0.95), ("epsilon", 1e-6)]),
        ("rmsprop", 1e-3, &[("alpha", 0.9), ("epsilon", 1e-8)]),
        ("adam", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)]),
        ("rmsprop-momentum", 1e-3, &[("alpha", 0.9), ("epsilon", 1e-8), ("momentum", 0.9)]),
        ("rmsprop-centered", 1e-4, &[("alpha", 0.95), ("epsilon", 1e-4), ("momentum", 0.9)]),
        ("amsgrad", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)]),
        ("adamw", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("weight_decay", 0.01)]),
        ("adamax", 2e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 0.0)]),
        ("nadam", 2e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("momentum_decay", 0.004)]),
        ("radam", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("threshold", 4.0)]),
        ("adabelief", 1e-3, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("epsilon_root", 1e-8)]),
        ("yogi", 1e-2, &[("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-3), ("initial_accumulator", 1e-6)]),
        ("adopt", 1e-3, &[("beta1", 0.9), ("beta2", 0.9999), ("epsilon", 1e-6)]),
        (
            "adan",
            1e-3,
            &[
                ("beta1", 0.98),
                ("beta2", 0.92),
                ("beta3", 0.99),
                ("epsilon", 1e-8),
                ("epsilon_root", 0.0),
                ("weight_decay", 0.0),
            ],
        ),
        ("lion", 1e-4, &[("beta1", 0.9), ("beta2", 0.99), ("weight_decay", 0.0)]),
        ("sign-sgd", 1e-3, &[]),
        ("rprop", 0.1, &[("eta_minus", 0.5), ("eta_plus", 1.2), ("step_min", 1e-6), ("step_max", 50.0)]),
        ("schedule-free-sgd", 1.0, &[("beta", 0.9), ("weight_decay", 0.0), ("warmup_steps", 0.0)]),
        (
            "schedule-free-adamw",
            2.5e-3,
            &[
                ("beta1", 0.9),
                ("beta2", 0.999),
                ("epsilon", 1e-8),
                ("weight_decay", 0.0),
                ("warmup_steps", 0.0),
            ],
        ),
        (
            "prodigy",
            1.0,
            &[
                ("beta1", 0.9),
                ("beta2", 0.999),
                ("beta3", 0.999499874937461),
                ("epsilon", 1e-8),
                ("d0", 1e-6),
                ("d_coef", 1.0),
                ("weight_decay", 0.0),
            ],
        ),
    ];
    let rules = REGISTRY.iter().filter(|entry| entry.kind == Kind::Elementwise).count();
    assert_eq!(expected.len(), rules, "a new rule wants a row here");
    for (name, rate, hyper) in expected {
        let spec = OptimizerSpec::named(name).dialect(Dialect::Textbook);
        assert_eq!(spec.resolved().expect("a row of the registry"), hyper, "{name}");
        let entry = thalweg_optim::registry::find(name).expect("a row of the registry");
        assert_eq!(entry.info.learning_rate.textbook, rate, "{name}");
    }
}
