"""Writes torch_state.json: what torch.optim's `state_dict` holds after 50 steps, and W after 50, 60 and 100.

The Rust test puts the state into the `torch` dialect of the same rule, goes on from the W of step 50, and must arrive at
the W of steps 60 and 100. Three rules that torch lacks (Adan, Lion, Prodigy) are taken from pytorch_optimizer: only their W.

One made-up objective over a matrix of 2 × 3 and a vector of 2, all in f64; its gradient is a closed form of sums and
products, taken left to right, so that a test computes the same numbers. Its centre changes sides every seven steps, so
that nothing comes to rest and a state never ceases to matter.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read once, when torch is imported

import pytorch_optimizer  # noqa: E402
import torch  # noqa: E402
from problems import write  # noqa: E402
from torch_optim import Routed, adafactor, adagrad, widen  # noqa: E402

SHAPES = [[2, 3], [2]]
W0 = [0.9 - 0.2 * i for i in range(8)]
SLOPE = [0.5 + 0.25 * i for i in range(8)]
CENTRE = [(-0.2 if i % 2 else 0.2) * (i + 1) for i in range(8)]


def gradient(w, step):
    """∂/∂wᵢ of Σ ½aᵢ(wᵢ ∓ cᵢ)² + 0.075 wᵢ⁴ + 0.05 (Σ w)²."""
    side = -1.0 if step // 7 % 2 else 1.0
    total = 0.0
    for v in w:
        total += v
    return [a * (v - side * c) + 0.3 * v * v * v + 0.1 * total for a, c, v in zip(SLOPE, CENTRE, w, strict=True)]


O = torch.optim  # noqa: E741
ADAM = {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6}


def adam(constructor, **fixed):
    return lambda w, h: constructor(w, lr=h["learning_rate"], betas=(h["beta1"], h["beta2"]), eps=h["epsilon"], **fixed)


def rmsprop(w, h, centered=False):
    return O.RMSprop(
        w, lr=h["learning_rate"], alpha=h["alpha"], eps=h["epsilon"], momentum=h.get("momentum", 0.0), centered=centered
    )


RULES = [
    ("sgd", {"learning_rate": 0.05}, lambda w, h: O.SGD(w, lr=h["learning_rate"])),
    (
        "momentum",
        {"learning_rate": 0.05, "momentum": 0.8, "dampening": 0.3},
        lambda w, h: O.SGD(w, lr=h["learning_rate"], momentum=h["momentum"], dampening=h["dampening"]),
    ),
    (
        "nag",
        {"learning_rate": 0.05, "momentum": 0.8},
        lambda w, h: O.SGD(w, lr=h["learning_rate"], momentum=h["momentum"], nesterov=True),
    ),
    (
        "adagrad",
        {"learning_rate": 0.1, "epsilon": 1e-6, "initial_accumulator": 0.2, "lr_decay": 0.03},
        adagrad,
    ),
    (
        "adadelta",
        {"learning_rate": 0.7, "rho": 0.8, "epsilon": 1e-3},
        lambda w, h: O.Adadelta(w, lr=h["learning_rate"], rho=h["rho"], eps=h["epsilon"]),
    ),
    ("rmsprop", {"learning_rate": 0.02, "alpha": 0.95, "epsilon": 1e-4}, rmsprop),
    ("rmsprop-momentum", {"learning_rate": 0.01, "alpha": 0.95, "epsilon": 1e-4, "momentum": 0.7}, rmsprop),
    (
        "rmsprop-centered",
        {"learning_rate": 0.01, "alpha": 0.95, "epsilon": 1e-3, "momentum": 0.7},
        lambda w, h: rmsprop(w, h, centered=True),
    ),
    (
        "rmsprop-centered",  # torch leaves momentum_buffer out here
        {"learning_rate": 0.01, "alpha": 0.95, "epsilon": 1e-3, "momentum": 0.0},
        lambda w, h: rmsprop(w, h, centered=True),
    ),
    ("adam", ADAM, adam(O.Adam)),
    ("amsgrad", {**ADAM, "beta2": 0.8}, adam(O.Adam, amsgrad=True)),
    ("adamw", {**ADAM, "weight_decay": 0.1}, adam(O.AdamW, weight_decay=0.1)),
    ("adamax", {**ADAM, "epsilon": 1e-3}, adam(O.Adamax)),
    ("nadam", {**ADAM, "momentum_decay": 0.1}, adam(O.NAdam, momentum_decay=0.1)),
    ("radam", {**ADAM, "beta2": 0.95}, adam(O.RAdam)),
    (
        "rprop",
        {"learning_rate": 0.05, "eta_minus": 0.4, "eta_plus": 1.3, "step_min": 1e-4, "step_max": 0.5},
        lambda w, h: O.Rprop(
            w, lr=h["learning_rate"], etas=(h["eta_minus"], h["eta_plus"]), step_sizes=(h["step_min"], h["step_max"])
        ),
    ),
    (
        "adafactor",
        {
            "learning_rate": 0.05,
            "beta2_decay": -0.5,
            "epsilon1": 1e-4,
            "epsilon2": 1e-2,
            "clip_threshold": 1.5,
            "weight_decay": 0.1,
        },
        adafactor,
    ),
    (
        "muon",
        {
            "learning_rate": 0.02,
            "momentum": 0.9,
            "weight_decay": 0.2,
            "ns_steps": 4,
            "nesterov": 1.0,
            "epsilon": 1e-7,
            "adam_beta1": 0.8,
            "adam_beta2": 0.99,
            "adam_epsilon": 1e-6,
            "adam_weight_decay": 0.1,
        },
        lambda w, h: Routed(w, {**h, "match_rms_adamw": 0}),
    ),
]

OTHERS = [
    (
        "adan",
        {"learning_rate": 0.03, "beta1": 0.9, "beta2": 0.8, "beta3": 0.95, "epsilon": 1e-4, "weight_decay": 0.1},
        lambda w, h: pytorch_optimizer.Adan(
            w,
            lr=h["learning_rate"],
            betas=(h["beta1"], h["beta2"], h["beta3"]),
            eps=h["epsilon"],
            weight_decay=h["weight_decay"],
            foreach=False,
        ),
    ),
    (
        "lion",
        {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1},
        lambda w, h: pytorch_optimizer.Lion(
            w, lr=h["learning_rate"], betas=(h["beta1"], h["beta2"]), weight_decay=h["weight_decay"], foreach=False
        ),
    ),
    (
        "prodigy",  # the package multiplies ε by the new d: so small that it does not show
        {
            "learning_rate": 0.7,
            "beta1": 0.8,
            "beta2": 0.99,
            "beta3": 0.9,
            "epsilon": 1e-14,
            "d0": 1e-3,
            "d_coef": 0.8,
            "weight_decay": 0.05,
        },
        lambda w, h: pytorch_optimizer.Prodigy(
            w,
            lr=h["learning_rate"],
            betas=(h["beta1"], h["beta2"]),
            beta3=h["beta3"],
            eps=h["epsilon"],
            d0=h["d0"],
            d_coef=h["d_coef"],
            weight_decay=h["weight_decay"],
            foreach=False,
        ),
    ),
]


def split(flat):
    return [torch.tensor(flat[:6], dtype=torch.float64).reshape(2, 3), torch.tensor(flat[6:], dtype=torch.float64)]


def joined(tensors):
    return [v for p in tensors for v in p.detach().reshape(-1).tolist()]


def states(optimizer, w):
    """What the `state_dict` holds of each of `w`, which may be shared out among several optimizers."""
    for part in getattr(optimizer, "parts", [optimizer]):
        own = [p for group in part.param_groups for p in group["params"]]
        for index, tensors in part.state_dict()["state"].items():
            yield next(place for place, p in enumerate(w) if p is own[index]), tensors


def walk(build, h):
    w = [torch.nn.Parameter(p) for p in split(W0)]
    optimizer = build(w, h)
    found = {}
    for step in range(1, 101):
        for p, g in zip(w, split(gradient(joined(w), step)), strict=True):
            p.grad = g
        optimizer.step()
        if step == 50:
            found["state"] = [
                [place, name, list(value.shape), value.reshape(-1).tolist()]
                for place, tensors in states(optimizer, w)
                for name, value in tensors.items()
                if value is not None
            ]
        if step in (50, 60, 100):
            found[f"w{step}"] = joined(w)
    return found


def rows(rules):
    return [{"optimizer": name, "hyperparameters": h, **walk(build, h)} for name, h, build in rules]


def main():
    torch.set_num_threads(1)
    widen()
    torch.set_default_dtype(torch.float64)  # the scalars of the state too: NAdam's product of momenta is one
    others = rows(OTHERS)
    for row in others:
        del row["state"]
    golden = {
        "made_by": "cargo xtask goldens optim",
        "torch": torch.__version__.split("+")[0],
        "w0": W0,
        "slope": SLOPE,
        "centre": CENTRE,
        "states": rows(RULES),
        "others": others,
    }
    write(__file__, "torch_state.json", golden)


if __name__ == "__main__":
    main()
