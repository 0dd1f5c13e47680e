"""Writes keras.json: the paths of keras.optimizers on the small f64 problems of `problems.py`.

Keras computes with torch, held to its portable kernels and to f64. One rule is taken from Keras on JAX instead:
ScheduleFreeAdamW reads an old value through a live tensor, which on torch (only) has changed by then.

Adafactor and Muon use Keras's `maximum`, `minimum`, `mean` and `norm`, which compute in f32 even of f64. Nothing exact can
be compared with that, so `ops` is lent to their modules with these four in f64. Rows so made carry `widened`.
Keras takes decay, clipping and averaging in every constructor; they are the `wrapped` rows.
"""

import json
import os
import subprocess
import sys
import types

ON_JAX = os.environ.get("THALWEG_KERAS_ON") == "jax"  # set by this script for its child
os.environ["KERAS_BACKEND"] = "jax" if ON_JAX else "torch"
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["JAX_ENABLE_X64"] = "true"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_max_isa=SSE4_2"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras.src.optimizers import adafactor as adafactor_module  # noqa: E402
from keras.src.optimizers import muon as muon_module  # noqa: E402
from problems import BLOCKS, FLAT, gradient, read_defaults, shapes, split, walked, write  # noqa: E402

STEPS = 100


def of(constructor, **names):
    """A rule whose arguments are Thalweg's hyperparameters by another name."""

    def build(h, **more):
        given = {theirs: h[ours] for ours, theirs in names.items()}
        return constructor(learning_rate=h["learning_rate"], **given, **more)

    return build


def sets(names, *rows):
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


K = keras.optimizers
ADAM = {"beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"}
RMS = {"alpha": "rho", "epsilon": "epsilon"}
DECAY = {"weight_decay": "weight_decay"}


def fixed(constructor, **values):
    return lambda **given: constructor(**values, **given)


def muon(h, **more):
    own = ("momentum", "weight_decay", "ns_steps", "epsilon", "adam_weight_decay")
    given = {name: h[name] for name in own}
    return K.Muon(
        learning_rate=h["learning_rate"],
        **{**given, "ns_steps": int(h["ns_steps"])},
        nesterov=bool(h["nesterov"]),
        rms_rate=h["rms_rate"] or None,
        adam_beta_1=h["adam_beta1"],
        adam_beta_2=h["adam_beta2"],
        **more,
    )


# Rule: constructor, and its sets; the first is Keras's default (its default momentum is 0: see torch_optim.py).
ELEMENTWISE = {
    "sgd": (of(K.SGD), sets("learning_rate", [0.01], [0.02], [0.1])),
    # Keras has no dampening: its rows say so.
    "momentum": (
        of(K.SGD, momentum="momentum"),
        sets("learning_rate momentum dampening", [0.01, 0.9, 0.0], [0.03, 0.5, 0.0], [0.005, 0.99, 0.0]),
    ),
    "nag": (
        of(fixed(K.SGD, nesterov=True), momentum="momentum"),
        sets("learning_rate momentum", [0.01, 0.9], [0.03, 0.5], [0.005, 0.99]),
    ),
    "adagrad": (
        of(K.Adagrad, epsilon="epsilon", initial_accumulator="initial_accumulator_value"),
        sets("learning_rate epsilon initial_accumulator", [0.001, 1e-7, 0.1], [0.3, 1e-3, 0.0], [1.0, 0.1, 0.5]),
    ),
    "adadelta": (
        of(K.Adadelta, rho="rho", epsilon="epsilon"),
        sets("learning_rate rho epsilon", [0.001, 0.95, 1e-7], [0.5, 0.9, 1e-3], [2.0, 0.6, 1e-8]),
    ),
    "rmsprop": (
        of(K.RMSprop, **RMS),
        sets("learning_rate alpha epsilon", [0.001, 0.9, 1e-7], [0.01, 0.99, 1e-3], [0.05, 0.999, 0.01]),
    ),
    "rmsprop-momentum": (
        of(K.RMSprop, **RMS, momentum="momentum"),
        sets(
            "learning_rate alpha epsilon momentum",
            [0.001, 0.9, 1e-7, 0.9],
            [0.002, 0.99, 1e-3, 0.5],
            [0.01, 0.999, 0.01, 0.8],
        ),
    ),
    "rmsprop-centered": (
        of(fixed(K.RMSprop, centered=True), **RMS, momentum="momentum"),
        sets(
            "learning_rate alpha epsilon momentum",
            [0.001, 0.9, 1e-7, 0.0],
            [0.002, 0.99, 1e-3, 0.5],
            [0.01, 0.999, 0.01, 0.9],
        ),
    ),
    "adam": (
        of(K.Adam, **ADAM),
        sets(
            "learning_rate beta1 beta2 epsilon",
            [0.001, 0.9, 0.999, 1e-7],
            [0.05, 0.8, 0.99, 1e-4],
            [0.2, 0.95, 0.9999, 1e-3],
        ),
    ),
    "amsgrad": (
        of(fixed(K.Adam, amsgrad=True), **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [0.001, 0.9, 0.999, 1e-7], [0.05, 0.8, 0.9, 1e-4], [0.2, 0.95, 0.99, 1e-3]),
    ),
    "adamw": (
        of(K.AdamW, **ADAM, **DECAY),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay",
            [0.001, 0.9, 0.999, 1e-7, 0.004],
            [0.05, 0.8, 0.99, 1e-4, 0.1],
            [0.2, 0.95, 0.9999, 1e-3, 0.3],
        ),
    ),
    "adamax": (
        of(K.Adamax, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [0.001, 0.9, 0.999, 1e-7], [0.02, 0.8, 0.99, 1e-3], [0.1, 0.95, 0.99, 0.1]),
    ),
    "nadam": (
        of(K.Nadam, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [0.001, 0.9, 0.999, 1e-7], [0.05, 0.8, 0.99, 1e-4], [0.1, 0.95, 0.9999, 1e-3]),
    ),
    "lion": (
        of(K.Lion, beta1="beta_1", beta2="beta_2", **DECAY),
        sets("learning_rate beta1 beta2 weight_decay", [0.001, 0.9, 0.99, 0.0], [0.02, 0.8, 0.95, 0.1], [0.01, 0.95, 0.9, 1.0]),
    ),
}

JAX_ONLY = {
    "schedule-free-adamw": (
        of(K.ScheduleFreeAdamW, **ADAM, **DECAY, warmup_steps="warmup_steps"),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay warmup_steps",
            [0.0025, 0.9, 0.999, 1e-8, 0.0, 0],
            [0.05, 0.95, 0.99, 1e-6, 0.1, 0],
            [0.1, 0.8, 0.999, 1e-3, 0.01, 20],
        ),
    ),
}

SHAPED = {
    "lamb": (
        of(K.Lamb, **ADAM, **DECAY),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay",
            [0.001, 0.9, 0.999, 1e-7, 0.0],
            [0.02, 0.8, 0.99, 1e-4, 0.1],
            [0.05, 0.95, 0.9, 1e-3, 0.3],
        ),
    ),
    "adafactor": (
        of(
            K.Adafactor,
            beta2_decay="beta_2_decay",
            epsilon1="epsilon_1",
            epsilon2="epsilon_2",
            clip_threshold="clip_threshold",
            **DECAY,
        ),
        sets(
            "learning_rate beta2_decay epsilon1 epsilon2 clip_threshold weight_decay",
            [0.001, -0.8, 1e-30, 1e-3, 1.0, 0.0],
            [0.01, -0.5, 1e-10, 0.01, 2.0, 0.05],
            [0.3, -0.9, 1e-3, 0.5, 1.5, 0.1],
        ),
    ),
    # `rms_rate` 0 is Keras's None: no scaling by the shape.
    "muon": (
        muon,
        sets(
            "learning_rate momentum weight_decay ns_steps nesterov epsilon rms_rate adam_beta1 adam_beta2 adam_weight_decay",
            [0.001, 0.95, 0.004, 5, 1, 1e-7, 0.2, 0.9, 0.999, 0.004],
            [0.02, 0.9, 0.0, 3, 0, 1e-4, 0.0, 0.8, 0.99, 0.0],
            [0.01, 0.8, 0.05, 5, 1, 1e-3, 0.3, 0.9, 0.95, 0.1],
        ),
    ),
}

RATE = {"learning_rate": "learning_rate"}
MOMENTUM = {"momentum": "momentum"}
SIGNATURES = {
    "sgd": (K.SGD, RATE),
    "momentum": (K.SGD, RATE),
    "nag": (K.SGD, RATE),
    "adagrad": (K.Adagrad, {**RATE, "epsilon": "epsilon", "initial_accumulator": "initial_accumulator_value"}),
    "adadelta": (K.Adadelta, {**RATE, "rho": "rho", "epsilon": "epsilon"}),
    "rmsprop": (K.RMSprop, {**RATE, **RMS}),
    "rmsprop-momentum": (K.RMSprop, {**RATE, **RMS}),
    "rmsprop-centered": (K.RMSprop, {**RATE, **RMS, **MOMENTUM}),
    "adam": (K.Adam, {**RATE, **ADAM}),
    "amsgrad": (K.Adam, {**RATE, **ADAM}),
    "adamw": (K.AdamW, {**RATE, **ADAM, **DECAY}),
    "adamax": (K.Adamax, {**RATE, **ADAM}),
    "nadam": (K.Nadam, {**RATE, **ADAM}),
    "lion": (K.Lion, {**RATE, "beta1": "beta_1", "beta2": "beta_2", **DECAY}),
    "schedule-free-adamw": (K.ScheduleFreeAdamW, {**RATE, **ADAM, **DECAY, "warmup_steps": "warmup_steps"}),
    "lamb": (K.Lamb, {**RATE, **ADAM, **DECAY}),
    "adafactor": (
        K.Adafactor,
        {
            **RATE,
            "beta2_decay": "beta_2_decay",
            "epsilon1": "epsilon_1",
            "epsilon2": "epsilon_2",
            "clip_threshold": "clip_threshold",
            **DECAY,
        },
    ),
    "muon": (
        K.Muon,
        {
            **RATE,
            **MOMENTUM,
            **DECAY,
            "ns_steps": "ns_steps",
            "nesterov": "nesterov",
            "epsilon": "epsilon",
            "rms_rate": "rms_rate",
            "adam_beta1": "adam_beta_1",
            "adam_beta2": "adam_beta_2",
            "adam_weight_decay": "adam_weight_decay",
        },
    ),
}
GIVEN = {
    "momentum": {"momentum": 0.9, "dampening": 0.0},
    "nag": {"momentum": 0.9},
    "rmsprop-momentum": {"momentum": 0.9},
}


def defaults():
    """Each method's default hyperparameters, read from the signatures; a decay of None is 0."""
    table = {}
    for name, (constructor, names) in SIGNATURES.items():
        row = {**read_defaults(constructor, names), **GIVEN.get(name, {})}
        table[name] = {key: 0.0 if v is None else v + 0 for key, v in row.items()}
    return table


# -------------------------------------------------------------------------------------------- the walks


def variables(problem):
    blocks = zip(shapes(problem), split(problem, problem["w0"]), strict=True)
    return [
        keras.Variable(np.array(w).reshape(shape), dtype="float64", name=f"w{k}") for k, (shape, w) in enumerate(blocks)
    ]


def flat(tensors):
    return [v for w in tensors for v in np.asarray(keras.ops.convert_to_numpy(w)).reshape(-1).tolist()]


def walk(optimizer, problem, averages=False):
    w = variables(problem)
    path, means = [], []
    optimizer.build(w)
    for _ in range(STEPS):
        grad = split(problem, gradient(problem, flat(w)))
        grads = zip(shapes(problem), grad, strict=True)
        optimizer.apply([keras.ops.convert_to_tensor(np.array(g).reshape(s), dtype="float64") for s, g in grads], w)
        path.append(flat(w))
        if averages:
            means.append(flat(optimizer._model_variables_moving_average))
    return {"w": walked(path), **({"average": walked(means)} if averages else {})}


class Lent(types.ModuleType):
    """Keras's `ops` with the four that narrow f64 replaced by torch's own."""

    def __init__(self):
        super().__init__("ops")
        import torch

        def wide(x):
            return torch.as_tensor(x, dtype=torch.float64)

        self.maximum = lambda a, b: torch.maximum(wide(a), wide(b))
        self.minimum = lambda a, b: torch.minimum(wide(a), wide(b))
        self.mean = lambda x, axis=None, keepdims=False: torch.mean(x, dim=axis, keepdim=keepdims)
        self.norm = lambda x, axis, keepdims: torch.linalg.norm(x, dim=axis, keepdim=keepdims)

    def __getattr__(self, name):
        return getattr(keras.ops, name)


def widen():
    adafactor_module.ops = muon_module.ops = Lent()


WIDENED = {"adafactor": "float32", "muon": "float32"}


def runs(methods, problems, **more):
    for name, (build, hypers) in methods.items():
        for hyper in hypers:
            for problem in problems:
                row = {"optimizer": name, "problem": problem["name"], "hyperparameters": hyper, **more}
                if name in WIDENED:
                    row["widened"] = WIDENED[name]
                yield {**row, **walk(build(hyper), problem)}


# Wrapper, its settings, Keras's arguments for it, and the rule inside at its second set.
WRAPPED = [
    ("clip-norm-each", {"max_norm": 0.5}, {"clipnorm": 0.5}, "momentum"),
    ("clip-norm", {"max_norm": 0.5}, {"global_clipnorm": 0.5}, "momentum"),
    ("clip-norm", {"max_norm": 2.0}, {"global_clipnorm": 2.0}, "adam"),
    ("clip-value", {"max_value": 0.3}, {"clipvalue": 0.3}, "adam"),
    ("decay-decoupled", {"weight_decay": 0.05}, {"weight_decay": 0.05}, "momentum"),
    ("decay-decoupled", {"weight_decay": 0.05}, {"weight_decay": 0.05}, "rmsprop"),
    ("ema", {"decay": 0.9}, {"use_ema": True, "ema_momentum": 0.9}, "momentum"),
    ("accumulate", {"steps": 4}, {"gradient_accumulation_steps": 4}, "adam"),
]


def wrapped():
    for name, settings, arguments, rule in WRAPPED:
        build, hypers = ELEMENTWISE[rule]
        for problem in (FLAT[0], BLOCKS[0]):
            yield {
                "wrapper": name,
                "settings": settings,
                "optimizer": rule,
                "problem": problem["name"],
                "hyperparameters": hypers[1],
                **walk(build(hypers[1], **arguments), problem, averages=name == "ema"),
            }


def of_child():
    """The rows that Keras on JAX makes: a process has one backend."""
    child = subprocess.run(
        [sys.executable, "-B", __file__],
        env={**os.environ, "THALWEG_KERAS_ON": "jax"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(child.stdout)


def main():
    keras.config.set_floatx("float64")
    if ON_JAX:
        json.dump(list(runs(JAX_ONLY, FLAT, backend="jax")), sys.stdout)
        return
    import torch

    torch.set_num_threads(1)
    widen()
    golden = {
        "made_by": "cargo xtask goldens optim",
        "keras": keras.__version__,
        "defaults": defaults(),
        "problems": [*FLAT, *BLOCKS],
        "runs": [*runs(ELEMENTWISE, FLAT), *runs(SHAPED, BLOCKS), *of_child()],
        "wrapped": list(wrapped()),
    }
    for name, (_, hypers) in {**ELEMENTWISE, **SHAPED, **JAX_ONLY}.items():
        assert hypers[0] == golden["defaults"][name], f"{name}: the first set must be the defaults"
    write(__file__, "keras.json", golden)


if __name__ == "__main__":
    main()
