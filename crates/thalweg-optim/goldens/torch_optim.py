"""Writes torch.json: the paths of torch.optim's methods on small f64 problems.

The Rust tests walk the same problems with the `torch` dialect and compare W after the stored steps. Torch's kernels are
held to their portable build, so that the bytes do not depend on the width of the CPU's vectors.

Two packages do part of their arithmetic in fewer bits than W has, whatever W is: torch's Muon iterates in bf16, and
SOAP's QR runs in f32. Nothing exact can be compared with that, so the module's own `torch` is lent to them with that
one type widened to f64, and nothing else changed. Rows so made carry `widened`.

SOAP, Adan, Schedule-Free SGD and AdamW are those of pytorch_optimizer; torch has none.
"""

import importlib.metadata
import itertools
import os
import types

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read once, when torch is imported

import pytorch_optimizer  # noqa: E402
import torch  # noqa: E402
from problems import BLOCKS, FLAT, SQUARES, gradient, read_defaults, shapes, split, value, walked, write  # noqa: E402
from pytorch_optimizer.optimizer import soap as soap_module  # noqa: E402
from torch.optim import _muon as muon_module  # noqa: E402
from torch.optim.lbfgs import _strong_wolfe  # noqa: E402
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn  # noqa: E402

STEPS = 100

# ------------------------------------------------------------------------------------------- optimizers


def betas(h):
    return (h["beta1"], h["beta2"])


def sgd(w, h):
    return torch.optim.SGD(w, lr=h["learning_rate"])


def momentum(w, h):
    return torch.optim.SGD(w, lr=h["learning_rate"], momentum=h["momentum"], dampening=h["dampening"])


def nag(w, h):
    return torch.optim.SGD(w, lr=h["learning_rate"], momentum=h["momentum"], nesterov=True)


def adagrad(w, h):
    return torch.optim.Adagrad(
        w,
        lr=h["learning_rate"],
        lr_decay=h["lr_decay"],
        eps=h["epsilon"],
        initial_accumulator_value=h["initial_accumulator"],
    )


def adadelta(w, h):
    return torch.optim.Adadelta(w, lr=h["learning_rate"], rho=h["rho"], eps=h["epsilon"])


def rmsprop(w, h, centered=False):
    return torch.optim.RMSprop(
        w, lr=h["learning_rate"], alpha=h["alpha"], eps=h["epsilon"], momentum=h.get("momentum", 0.0), centered=centered
    )


def of_adam(constructor, **fixed):
    """A rule with Adam's hyperparameters, and those of its own by their torch name."""
    own = ("weight_decay", "momentum_decay")

    def build(w, h):
        extra = {name: h[name] for name in own if name in h}
        return constructor(w, lr=h["learning_rate"], betas=betas(h), eps=h["epsilon"], **extra, **fixed)

    return build


def rprop(w, h):
    etas, sizes = (h["eta_minus"], h["eta_plus"]), (h["step_min"], h["step_max"])
    return torch.optim.Rprop(w, lr=h["learning_rate"], etas=etas, step_sizes=sizes)


def lbfgs(w, h):
    # One direction and one search per step; the search may look 25 times, as torch's own default allows it to.
    return torch.optim.LBFGS(
        w,
        lr=h["learning_rate"],
        max_iter=1,
        max_eval=26,
        history_size=int(h["history"]),
        tolerance_grad=h["tolerance_gradient"],
        tolerance_change=h["tolerance_change"],
        line_search_fn="strong_wolfe",
    )


def schedule_free_sgd(w, h):
    return pytorch_optimizer.ScheduleFreeSGD(
        w,
        lr=h["learning_rate"],
        momentum=h["beta"],
        weight_decay=h["weight_decay"],
        warmup_steps=int(h["warmup_steps"]),
        foreach=False,
    )


def schedule_free_adamw(w, h):
    return pytorch_optimizer.ScheduleFreeAdamW(
        w,
        lr=h["learning_rate"],
        betas=betas(h),
        eps=h["epsilon"],
        weight_decay=h["weight_decay"],
        warmup_steps=int(h["warmup_steps"]),
        foreach=False,
    )


def adan(w, h):
    return pytorch_optimizer.Adan(
        w,
        lr=h["learning_rate"],
        betas=(*betas(h), h["beta3"]),
        eps=h["epsilon"],
        weight_decay=h["weight_decay"],
        foreach=False,
    )


def adafactor(w, h):
    return torch.optim.Adafactor(
        w,
        lr=h["learning_rate"],
        beta2_decay=h["beta2_decay"],
        eps=(h["epsilon1"], h["epsilon2"]),
        d=h["clip_threshold"],
        weight_decay=h["weight_decay"],
    )


class Routed:
    """Matrices to Muon, the rest to AdamW, as torch's documentation of Muon asks for."""

    ADJUST = ("original", "match_rms_adamw")

    def __init__(self, w, h):
        matrices = [p for p in w if p.ndim == 2]
        rest = [p for p in w if p.ndim != 2]
        muon = torch.optim.Muon(
            matrices,
            lr=h["learning_rate"],
            weight_decay=h["weight_decay"],
            momentum=h["momentum"],
            nesterov=bool(h["nesterov"]),
            eps=h["epsilon"],
            ns_steps=int(h["ns_steps"]),
            adjust_lr_fn=self.ADJUST[int(h["match_rms_adamw"])],
        )
        adamw = torch.optim.AdamW(
            rest,
            lr=h["learning_rate"],
            betas=(h["adam_beta1"], h["adam_beta2"]),
            eps=h["adam_epsilon"],
            weight_decay=h["adam_weight_decay"],
        )
        self.parts = [muon, adamw]

    def step(self):
        for part in self.parts:
            part.step()


def soap(w, h):
    return pytorch_optimizer.SOAP(
        w,
        lr=h["learning_rate"],
        betas=betas(h),
        shampoo_beta=h["shampoo_beta"],
        eps=h["epsilon"],
        weight_decay=h["weight_decay"],
        precondition_frequency=int(h["precondition_frequency"]),
    )


def sets(names, *rows):
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


EPS64 = torch.finfo(torch.float64).eps

# Method: constructor, and the sets that are run. The first set is torch's default (SGD's default momentum is 0:
# momentum, nag and rmsprop-momentum start from the customary 0.9).
ELEMENTWISE = {
    "sgd": (sgd, sets("learning_rate", [1e-3], [0.02], [0.1])),
    "momentum": (
        momentum,
        sets(
            "learning_rate momentum dampening",
            [1e-3, 0.9, 0.0],
            [0.03, 0.5, 0.0],
            [0.01, 0.99, 0.0],
            [0.1, 0.9, 0.9],
            [0.05, 0.7, 0.25],
        ),
    ),
    "nag": (nag, sets("learning_rate momentum", [1e-3, 0.9], [0.03, 0.5], [0.01, 0.99])),
    "adagrad": (
        adagrad,
        sets(
            "learning_rate epsilon initial_accumulator lr_decay",
            [0.01, 1e-10, 0.0, 0.0],
            [0.3, 1e-6, 0.0, 0.0],
            [1.0, 0.1, 0.0, 0.0],
            [0.2, 1e-8, 0.5, 0.0],
            [0.4, 1e-6, 0.1, 0.05],
        ),
    ),
    "adadelta": (adadelta, sets("learning_rate rho epsilon", [1.0, 0.9, 1e-6], [0.5, 0.95, 1e-3], [2.0, 0.6, 1e-8])),
    "rmsprop": (rmsprop, sets("learning_rate alpha epsilon", [0.01, 0.99, 1e-8], [0.002, 0.9, 1e-6], [0.05, 0.999, 0.01])),
    "rmsprop-momentum": (
        rmsprop,
        sets(
            "learning_rate alpha epsilon momentum",
            [0.01, 0.99, 1e-8, 0.9],
            [0.002, 0.9, 1e-6, 0.5],
            [0.01, 0.999, 0.01, 0.8],
        ),
    ),
    "rmsprop-centered": (
        lambda w, h: rmsprop(w, h, centered=True),
        sets(
            "learning_rate alpha epsilon momentum",
            [0.01, 0.99, 1e-8, 0.0],
            [0.002, 0.9, 1e-6, 0.5],
            [0.01, 0.999, 0.01, 0.9],
        ),
    ),
    "adam": (
        of_adam(torch.optim.Adam),
        sets(
            "learning_rate beta1 beta2 epsilon",
            [1e-3, 0.9, 0.999, 1e-8],
            [0.05, 0.8, 0.99, 1e-6],
            [0.2, 0.95, 0.9999, 1e-3],
            [0.01, 0.0, 0.9, 0.1],
        ),
    ),
    "amsgrad": (
        of_adam(torch.optim.Adam, amsgrad=True),
        sets("learning_rate beta1 beta2 epsilon", [1e-3, 0.9, 0.999, 1e-8], [0.05, 0.8, 0.9, 1e-6], [0.2, 0.95, 0.99, 1e-3]),
    ),
    "adamw": (
        of_adam(torch.optim.AdamW),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay",
            [1e-3, 0.9, 0.999, 1e-8, 0.01],
            [0.05, 0.8, 0.99, 1e-6, 0.1],
            [0.2, 0.95, 0.9999, 1e-3, 0.3],
        ),
    ),
    "adamax": (
        of_adam(torch.optim.Adamax),
        sets("learning_rate beta1 beta2 epsilon", [2e-3, 0.9, 0.999, 1e-8], [0.02, 0.8, 0.99, 1e-3], [0.1, 0.95, 0.99, 0.1]),
    ),
    "nadam": (
        of_adam(torch.optim.NAdam),
        sets(
            "learning_rate beta1 beta2 epsilon momentum_decay",
            [2e-3, 0.9, 0.999, 1e-8, 4e-3],
            [0.05, 0.8, 0.99, 1e-6, 0.1],
            [0.1, 0.95, 0.9999, 1e-3, 1.0],
        ),
    ),
    "radam": (
        of_adam(torch.optim.RAdam),
        sets("learning_rate beta1 beta2 epsilon", [1e-3, 0.9, 0.999, 1e-8], [0.02, 0.8, 0.9, 1e-6], [0.05, 0.95, 0.99, 1e-3]),
    ),
    "adan": (
        adan,
        sets(
            "learning_rate beta1 beta2 beta3 epsilon weight_decay",
            [1e-3, 0.98, 0.92, 0.99, 1e-8, 0.0],
            [0.05, 0.9, 0.8, 0.95, 1e-6, 0.1],
            [0.02, 0.95, 0.9, 0.999, 1e-3, 0.02],
        ),
    ),
    "rprop": (
        rprop,
        sets(
            "learning_rate eta_minus eta_plus step_min step_max",
            [0.01, 0.5, 1.2, 1e-6, 50.0],
            [0.1, 0.3, 1.5, 1e-3, 0.2],
            [1e-4, 0.7, 1.1, 1e-3, 1.0],
        ),
    ),
    "lbfgs": (
        lbfgs,
        sets(
            "learning_rate history tolerance_gradient tolerance_change",
            [1.0, 100, 1e-7, 1e-9],
            [1.0, 10, 1e-7, 1e-9],
            [0.5, 3, 1e-5, 1e-9],
        ),
    ),
    "schedule-free-sgd": (
        schedule_free_sgd,
        sets(
            "learning_rate beta weight_decay warmup_steps",
            [1.0, 0.9, 0.0, 0],
            [0.1, 0.95, 0.01, 0],
            [0.05, 0.8, 0.0, 20],
        ),
    ),
    "schedule-free-adamw": (
        schedule_free_adamw,
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay warmup_steps",
            [2.5e-3, 0.9, 0.999, 1e-8, 0.0, 0],
            [0.05, 0.95, 0.99, 1e-6, 0.1, 0],
            [0.1, 0.8, 0.999, 1e-3, 0.01, 20],
        ),
    ),
}

SHAPED = {
    "adafactor": (
        adafactor,
        sets(
            "learning_rate beta2_decay epsilon1 epsilon2 clip_threshold weight_decay",
            [0.01, -0.8, EPS64, 1e-3, 1.0, 0.0],
            [0.01, -0.5, 1e-10, 0.01, 2.0, 0.05],
            [0.3, -0.9, 1e-3, 0.5, 1.5, 0.1],
        ),
    ),
    "muon": (
        Routed,
        sets(
            "learning_rate momentum weight_decay ns_steps nesterov epsilon match_rms_adamw"
            " adam_beta1 adam_beta2 adam_epsilon adam_weight_decay",
            [1e-3, 0.95, 0.1, 5, 1, 1e-7, 0, 0.9, 0.999, 1e-8, 0.01],
            [0.02, 0.9, 0.0, 3, 0, 1e-7, 0, 0.8, 0.99, 1e-6, 0.0],
            [0.01, 0.8, 0.05, 5, 1, 1e-3, 1, 0.9, 0.95, 1e-8, 0.1],
        ),
    ),
}

SQUARE = {
    "soap": (
        soap,
        sets(
            "learning_rate beta1 beta2 shampoo_beta epsilon weight_decay precondition_frequency",
            [3e-3, 0.95, 0.95, 0.95, 1e-8, 0.01, 10],
            [0.05, 0.9, 0.99, 0.9, 1e-6, 0.0, 1],
            [0.02, 0.8, 0.95, 0.99, 1e-3, 0.1, 1000],
        ),
    ),
}

# What the constructors take as default, and how Thalweg calls it.
RATE = {"learning_rate": "lr"}
ADAM = {**RATE, "beta1": ("betas", 0), "beta2": ("betas", 1), "epsilon": "eps"}
SIGNATURES = {
    "sgd": (torch.optim.SGD, RATE),
    "momentum": (torch.optim.SGD, {**RATE, "dampening": "dampening"}),
    "nag": (torch.optim.SGD, RATE),
    "adagrad": (torch.optim.Adagrad, {**RATE, "epsilon": "eps", "initial_accumulator": "initial_accumulator_value", "lr_decay": "lr_decay"}),
    "adadelta": (torch.optim.Adadelta, {**RATE, "rho": "rho", "epsilon": "eps"}),
    "rmsprop": (torch.optim.RMSprop, {**RATE, "alpha": "alpha", "epsilon": "eps"}),
    "rmsprop-momentum": (torch.optim.RMSprop, {**RATE, "alpha": "alpha", "epsilon": "eps"}),
    "rmsprop-centered": (torch.optim.RMSprop, {**RATE, "alpha": "alpha", "epsilon": "eps", "momentum": "momentum"}),
    "adam": (torch.optim.Adam, ADAM),
    "amsgrad": (torch.optim.Adam, ADAM),
    "adamw": (torch.optim.AdamW, {**ADAM, "weight_decay": "weight_decay"}),
    "adamax": (torch.optim.Adamax, ADAM),
    "nadam": (torch.optim.NAdam, {**ADAM, "momentum_decay": "momentum_decay"}),
    "radam": (torch.optim.RAdam, ADAM),
    "adan": (pytorch_optimizer.Adan, {**ADAM, "beta3": ("betas", 2), "weight_decay": "weight_decay"}),
    "rprop": (
        torch.optim.Rprop,
        {**RATE, "eta_minus": ("etas", 0), "eta_plus": ("etas", 1), "step_min": ("step_sizes", 0), "step_max": ("step_sizes", 1)},
    ),
    "lbfgs": (
        torch.optim.LBFGS,
        {**RATE, "history": "history_size", "tolerance_gradient": "tolerance_grad", "tolerance_change": "tolerance_change"},
    ),
    "schedule-free-sgd": (
        pytorch_optimizer.ScheduleFreeSGD,
        {**RATE, "beta": "momentum", "weight_decay": "weight_decay", "warmup_steps": "warmup_steps"},
    ),
    "schedule-free-adamw": (
        pytorch_optimizer.ScheduleFreeAdamW,
        {**ADAM, "weight_decay": "weight_decay", "warmup_steps": "warmup_steps"},
    ),
    "adafactor": (
        torch.optim.Adafactor,
        {**RATE, "beta2_decay": "beta2_decay", "epsilon2": ("eps", 1), "clip_threshold": "d", "weight_decay": "weight_decay"},
    ),
    "muon": (
        torch.optim.Muon,
        {**RATE, "momentum": "momentum", "weight_decay": "weight_decay", "ns_steps": "ns_steps", "epsilon": "eps"},
    ),
    "soap": (
        pytorch_optimizer.SOAP,
        {**ADAM, "weight_decay": "weight_decay", "precondition_frequency": "precondition_frequency"},
    ),
}
# What no signature gives. The momentum that these rules cannot be without is torch's examples' 0.9; Adafactor's ε₁ is
# None, which becomes the dtype's epsilon; SOAP's is None, which becomes β₂; Muon's matrices are torch's, the rest AdamW's.
GIVEN = {
    "momentum": {"momentum": 0.9},
    "nag": {"momentum": 0.9},
    "rmsprop-momentum": {"momentum": 0.9},
    "adafactor": {"epsilon1": EPS64},
    "muon": {
        "nesterov": 1,
        "match_rms_adamw": 0,
        **{"adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "adam_weight_decay": 0.01},
    },
    "soap": {"shampoo_beta": 0.95},
}


def defaults():
    """Each method's default hyperparameters, read from the signatures."""
    return {
        name: {**read_defaults(constructor, names), **GIVEN.get(name, {})}
        for name, (constructor, names) in SIGNATURES.items()
    }


# -------------------------------------------------------------------------------------------- the walks


class Lent(types.ModuleType):
    """`torch` with one type replaced by f64."""

    def __init__(self, narrow):
        super().__init__("torch")
        setattr(self, narrow, torch.float64)

    def __getattr__(self, name):
        return getattr(torch, name)


def widen():
    muon_module.torch = Lent("bfloat16")
    soap_module.torch = Lent("float32")


WIDENED = {"muon": "bfloat16", "soap": "float32"}

# Where a row cannot be followed to the last of the usual digits: SOAP's first moves divide what is nearly 0 in the
# eigenbasis by its own size, so that a rounding of 1e-16 in an eigenvector is 1e-11 of W.
TOLERANCE = {"soap": 1e-9}


def parameters(problem):
    blocks = zip(shapes(problem), split(problem, problem["w0"]), strict=True)
    return [torch.nn.Parameter(torch.tensor(w, dtype=torch.float64).reshape(shape)) for shape, w in blocks]


def flat(tensors):
    return [v for p in tensors for v in p.detach().reshape(-1).tolist()]


def set_gradient(problem, w):
    grad = split(problem, gradient(problem, flat(w)))
    for p, shape, g in zip(w, shapes(problem), grad, strict=True):
        p.grad = torch.tensor(g, dtype=torch.float64).reshape(shape)


def walk(build, hyperparameters, problem):
    """W after every step, and what the method offers beside it."""
    w = parameters(problem)
    optimizer = build(w, hyperparameters)
    path, beside = [], {}

    def closure():
        set_gradient(problem, w)
        return torch.tensor(value(problem, flat(w)))

    for _ in range(STEPS):
        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(closure)
            beside.setdefault("evaluations", []).append(optimizer.state[w[0]]["func_evals"])
        else:
            set_gradient(problem, w)
            optimizer.step()
        path.append(flat(w))
        if hasattr(optimizer, "eval"):
            with torch.no_grad():
                kept = [p.clone() for p in w]
                optimizer.eval()
                beside.setdefault("evaluation", []).append(flat(w))
                optimizer.train()
                for p, k in zip(w, kept, strict=True):
                    p.copy_(k)  # going there and back rounds
    return {"w": walked(path), **{name: picked(name, steps) for name, steps in beside.items()}}


def picked(name, steps):
    if name == "evaluations":
        return {str(step): steps[step - 1] for step in (1, 2, 10, 100)}
    return walked(steps)


def runs(methods, problems):
    for name, (build, hypers) in methods.items():
        for hyper in hypers:
            for problem in problems:
                row = {"optimizer": name, "problem": problem["name"], "hyperparameters": hyper}
                if name in WIDENED:
                    row["widened"] = WIDENED[name]
                if name in TOLERANCE:
                    row["tolerance"] = TOLERANCE[name]
                yield {**row, **walk(build, hyper, problem)}


# ----------------------------------------------------------------------------------------------- wrapped


def clip_norm(w, s):
    torch.nn.utils.clip_grad_norm_(w, s["max_norm"])


def clip_value(w, s):
    torch.nn.utils.clip_grad_value_(w, s["max_value"])


CLIPPED = [
    ("clip-norm", clip_norm, {"max_norm": 0.5}, "momentum"),
    ("clip-norm", clip_norm, {"max_norm": 2.0}, "adam"),
    ("clip-value", clip_value, {"max_value": 0.3}, "adam"),
    ("clip-value", clip_value, {"max_value": 1.0}, "momentum"),
]

# Coupled decay: the package's own weight_decay argument, the rule at its second set.
COUPLED = {"momentum": (torch.optim.SGD, 0.05), "adam": (torch.optim.Adam, 0.05), "rmsprop": (torch.optim.RMSprop, 0.02)}



# Penalties of the loss, whose gradients are torch's own (that of |w| at 0 is 0).
def l1(w, s):
    return s["decay"] * w.abs().sum()


def elastic_net(w, s):
    return s["decay"] * (s["ratio"] * w.abs().sum() + 0.5 * (1.0 - s["ratio"]) * w.square().sum())


PENALIZED = [
    ("l1", l1, {"decay": 0.05}, "momentum"),
    ("l1", l1, {"decay": 0.05}, "adam"),
    ("l1", l1, {"decay": 0.3, "weights_only": 1.0}, "momentum"),
    ("elastic-net", elastic_net, {"decay": 0.1, "ratio": 0.25}, "momentum"),
    ("elastic-net", elastic_net, {"decay": 0.1, "ratio": 0.75, "weights_only": 1.0}, "adam"),
]


# What is done to W after the step; h are the rule's hyperparameters.
def soft_threshold(w, s, h):
    w.copy_(torch.nn.functional.softshrink(w, h["learning_rate"] * s["decay"]))


def max_norm(w, s, _h):
    """A unit is a column; a vector is one. Not torch.renorm, which adds 1e-7 to the length."""
    w.mul_((s["radius"] / torch.linalg.vector_norm(w, dim=0, keepdim=True)).clamp(max=1.0))


AFTER = [
    ("lasso-prox", soft_threshold, {"decay": 0.4}, "momentum"),
    ("lasso-prox", soft_threshold, {"decay": 0.4, "weights_only": 1.0}, "adam"),
    ("max-norm", max_norm, {"radius": 0.8}, "momentum"),
    ("max-norm", max_norm, {"radius": 1.2}, "adam"),
]

# Decay of weights alone, by torch's own parameter groups.
OF_WEIGHTS = [
    ("decay-coupled", "momentum", momentum, 0.05),
    ("decay-decoupled", "adam", of_adam(torch.optim.AdamW), 0.5),
]


def weights_of(problem, w, s):
    """The parameters that are touched: all, or those whose role is that of a weight."""
    roles = [role for *_, role in problem["layout"]] if "layout" in problem else ["weight"]
    return [p for p, role in zip(w, roles, strict=True) if role == "weight" or not s.get("weights_only")]


def penalized_rows(problems):
    for name, penalty, settings, rule in PENALIZED:
        build, hypers = ELEMENTWISE[rule]

        def pulled(w, h, problem, build=build, penalty=penalty, s=settings):
            def before(*_):
                for p in weights_of(problem, w, s):
                    p.grad += torch.autograd.grad(penalty(p, s), p)[0]

            optimizer = build(w, h)
            optimizer.register_step_pre_hook(before)
            return optimizer

        for problem in problems:
            found = walk(lambda w, h, p=problem, f=pulled: f(w, h, p), hypers[1], problem)
            yield wrapped_row(name, settings, rule, hypers[1], problem, found)
    for name, change, settings, rule in AFTER:
        build, hypers = ELEMENTWISE[rule]

        def changed(w, h, problem, build=build, change=change, s=settings, name=name):
            # A max-norm leaves biases alone in any case.
            only = {"weights_only": 1.0} if name == "max-norm" else s

            @torch.no_grad()
            def after(*_):
                for p in weights_of(problem, w, only):
                    change(p, s, h)

            optimizer = build(w, h)
            optimizer.register_step_post_hook(after)
            return optimizer

        for problem in problems:
            found = walk(lambda w, h, p=problem, f=changed: f(w, h, p), hypers[1], problem)
            yield wrapped_row(name, settings, rule, hypers[1], problem, found)
    problem, settings = BLOCKS[0], {"weights_only": 1.0}
    for name, rule, build, decay in OF_WEIGHTS:
        hyper = ELEMENTWISE[rule][1][1]

        def grouped(w, h, build=build, decay=decay):
            weights = weights_of(problem, w, settings)
            others = [p for p in w if all(p is not q for q in weights)]
            groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
            return build(groups, h)

        found = walk(grouped, hyper, problem)
        yield wrapped_row(name, {"weight_decay": decay, **settings}, rule, hyper, problem, found)


AVERAGED = [
    ("ema", lambda s: get_ema_multi_avg_fn(s["decay"]), {"decay": 0.9}, "momentum"),
    ("ema", lambda s: get_ema_multi_avg_fn(s["decay"]), {"decay": 0.999}, "adam"),
    ("swa", lambda _: get_swa_multi_avg_fn(), {}, "momentum"),
]


def wrapped():
    problems = [FLAT[0], FLAT[2], BLOCKS[0]]
    for name, clip, settings, rule in CLIPPED:
        build, hypers = ELEMENTWISE[rule]
        for problem in problems:
            w = parameters(problem)
            optimizer = build(w, hypers[1])
            path = []
            for _ in range(STEPS):
                set_gradient(problem, w)
                clip(w, settings)
                optimizer.step()
                path.append(flat(w))
            yield wrapped_row(name, settings, rule, hypers[1], problem, {"w": walked(path)})
    yield from penalized_rows(problems)
    for rule, (_, decay) in COUPLED.items():
        build, hypers = ELEMENTWISE[rule]

        def decayed(w, h, build=build, decay=decay):
            optimizer = build(w, h)
            for group in optimizer.param_groups:
                group["weight_decay"] = decay
            return optimizer

        for problem in problems:
            yield wrapped_row("decay-coupled", {"weight_decay": decay}, rule, hypers[1], problem, walk(decayed, hypers[1], problem))
    for name, average, settings, rule in AVERAGED:
        build, hypers = ELEMENTWISE[rule]
        for problem in problems:
            w = parameters(problem)
            model = torch.nn.ParameterList(w)
            averaged = AveragedModel(model, multi_avg_fn=average(settings))
            optimizer = build(w, hypers[1])
            path, means = [], []
            for _ in range(STEPS):
                set_gradient(problem, w)
                optimizer.step()
                averaged.update_parameters(model)
                path.append(flat(w))
                means.append(flat(averaged.module))
            found = {"w": walked(path), "average": walked(means)}
            yield wrapped_row(name, settings, rule, hypers[1], problem, found)


# -------------------------------------------------------------------------------------------- line searches

# φ(t) and φ'(t) with φ'(0) = −1, so that L-BFGS's first direction is 1 and its first trial the learning rate.
LINES = {
    "hollow": (lambda t: -t / (1 + t * t), lambda t: -(1 - t * t) / (1 + t * t) ** 2),
    "flat bowl": (lambda t: -t + 1e-3 * t * t * t * t, lambda t: -1 + 4e-3 * t * t * t),
    "steep bowl": (lambda t: -t + 1000 * t * t, lambda t: -1 + 2000 * t),
    "wave": (lambda t: -t + 5 * t * t - 8 * t * t * t + 4 * t * t * t * t, lambda t: -1 + 10 * t - 24 * t * t + 16 * t * t * t),
    "wall": (lambda t: -t + 100 * max(0.0, t - 0.3), lambda t: -1 + (100.0 if t > 0.3 else 0.0)),
    "saw": (lambda t: -t if t < 1.5 else -0.5 - 0.01 * (t - 1.5), lambda t: -1.0 if t < 1.5 else -0.01),
    "step": (lambda t: -t if t < 0.25 else -0.25, lambda t: -1.0 if t < 0.25 else 0.5),
}


def searches():
    """The points that torch's search looks at, in their order; c1 is less than c2, as a method here must have them."""
    settings = itertools.product(
        LINES, (1e-3, 0.1, 1.0, 10.0), ((1e-4, 0.9), (0.1, 0.2), (0.4, 0.5), (1e-3, 2e-3)), ((1e-9, 25), (1e-2, 25), (1e-9, 4))
    )
    for name, first, (c1, c2), (tolerance, most) in settings:
        value, slope = LINES[name]
        points = []

        def look(_x, t, _d, points=points, value=value, slope=slope):
            points.append(float(t))
            return value(float(t)), torch.tensor([slope(float(t))])

        gradient, direction = torch.tensor([slope(0.0)]), torch.tensor([1.0])
        _strong_wolfe(look, None, first, direction, value(0.0), gradient, gradient.dot(direction), c1, c2, tolerance, most)
        yield {"line": name, "first": first, "c1": c1, "c2": c2, "tolerance": tolerance, "most": most, "points": points}


def wrapped_row(name, settings, rule, hyper, problem, found):
    return {
        "wrapper": name,
        "settings": settings,
        "optimizer": rule,
        "problem": problem["name"],
        "hyperparameters": hyper,
        **found,
    }


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # the scalars of the state too: NAdam's product of momenta is one
    widen()
    golden = {
        "made_by": "cargo xtask goldens optim",
        "torch": torch.__version__.split("+")[0],
        "pytorch_optimizer": importlib.metadata.version("pytorch_optimizer"),
        "objectives": {
            "quadratic": "½ wᵀA w − bᵀw",
            "logistic": "Σ log(1 + exp(−y xᵀw)) + ½ ridge ‖w‖²",
            "cauchy": "Σ log(1 + (xᵀw − y)²)",
        },
        "defaults": defaults(),
        "problems": [*FLAT, *BLOCKS, *SQUARES],
        "runs": [*runs(ELEMENTWISE, FLAT), *runs(SHAPED, BLOCKS), *runs(SQUARE, SQUARES)],
        "wrapped": list(wrapped()),
        "searches": list(searches()),
    }
    for name, (_, hypers) in {**ELEMENTWISE, **SHAPED, **SQUARE}.items():
        assert hypers[0] == golden["defaults"][name], f"{name}: the first set must be the defaults"
    write(__file__, "torch.json", golden)


if __name__ == "__main__":
    main()
