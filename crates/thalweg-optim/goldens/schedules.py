"""Writes schedules.json: learning rates, step by step, of torch.optim.lr_scheduler and of optax's schedules.

`values[k]` is the learning rate that step k (from 0) is made with. For reduce-on-plateau, `metrics[k]` is told after
step k, so that it shows from values[k + 1] on. Hyperparameters are named as the package names them.
"""

import math
import os
import warnings

os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["JAX_ENABLE_X64"] = "true"
os.environ["JAX_PLATFORMS"] = "cpu"

import optax  # noqa: E402
import torch  # noqa: E402
from problems import write  # noqa: E402
from torch.optim import lr_scheduler as torch_schedule  # noqa: E402

STEPS = 61
METRICS = [
    1.0, 0.8, 0.7, 0.69999, 0.7, 0.71, 0.7, 0.65, 0.65, 0.65, 0.66, 0.6499, 0.65, 0.65, 0.64, 0.63, 0.63, 0.63, 0.63,
    0.63, 0.63, 0.63, 0.63, 0.63, 0.63, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.39999, 0.39, 0.39, 0.39,
]  # fmt: skip


def optimizer(learning_rate):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate, momentum=0.9)


def current(sgd):
    return float(sgd.param_groups[0]["lr"])


def follow(learning_rate, build, steps=STEPS, metrics=None):
    sgd = optimizer(learning_rate)
    schedule = build(sgd)
    values = [current(sgd)]
    for k in range(steps - 1):
        sgd.step()
        if metrics is None:
            schedule.step()
        else:
            schedule.step(metrics[k])
        values.append(current(sgd))
    return values


SIMPLE = [
    ("StepLR", 0.1, {"step_size": 7, "gamma": 0.5}),
    ("StepLR", 1.0, {"step_size": 30, "gamma": 0.1}),
    ("MultiStepLR", 0.1, {"milestones": [5, 20, 40], "gamma": 0.3}),
    ("ExponentialLR", 0.1, {"gamma": 0.97}),
    ("PolynomialLR", 0.1, {"total_iters": 40, "power": 1.0}),
    ("PolynomialLR", 0.1, {"total_iters": 50, "power": 2.0}),
    ("PolynomialLR", 0.1, {"total_iters": 60, "power": 0.5}),
    ("LinearLR", 0.1, {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 10}),
    ("LinearLR", 0.1, {"start_factor": 1.0, "end_factor": 0.25, "total_iters": 45}),
    ("LinearLR", 0.1, {"start_factor": 1 / 3, "end_factor": 1.0, "total_iters": 5}),
    ("ConstantLR", 0.1, {"factor": 0.5, "total_iters": 12}),
    ("CosineAnnealingLR", 0.1, {"T_max": 60, "eta_min": 0.0}),
    ("CosineAnnealingLR", 0.1, {"T_max": 25, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", 0.1, {"T_0": 10, "T_mult": 1, "eta_min": 0.0}),
    ("CosineAnnealingWarmRestarts", 0.1, {"T_0": 7, "T_mult": 2, "eta_min": 0.002}),
    ("CosineAnnealingWarmRestarts", 0.1, {"T_0": 4, "T_mult": 3, "eta_min": 0.0}),
]

ONE_CYCLE = [
    {"total_steps": 61, "pct_start": 0.3, "anneal_strategy": "cos", "div_factor": 25.0, "final_div_factor": 1e4},
    {"total_steps": 61, "pct_start": 0.25, "anneal_strategy": "linear", "div_factor": 10.0, "final_div_factor": 100.0},
    {"total_steps": 61, "pct_start": 0.4, "anneal_strategy": "cos", "div_factor": 5.0, "final_div_factor": 50.0, "three_phase": True},
    {"total_steps": 61, "pct_start": 0.3, "anneal_strategy": "linear", "div_factor": 25.0, "final_div_factor": 1e4, "three_phase": True},
]  # fmt: skip

PLATEAU = [
    {"mode": "min", "factor": 0.1, "patience": 3, "threshold": 1e-4, "threshold_mode": "rel", "cooldown": 0, "min_lr": 0.0, "eps": 1e-8},
    {"mode": "min", "factor": 0.5, "patience": 2, "threshold": 1e-3, "threshold_mode": "abs", "cooldown": 3, "min_lr": 0.02, "eps": 1e-8},
    {"mode": "min", "factor": 0.3, "patience": 0, "threshold": 0.05, "threshold_mode": "rel", "cooldown": 1, "min_lr": 0.0, "eps": 1e-3},
    {"mode": "max", "factor": 0.5, "patience": 4, "threshold": 1e-4, "threshold_mode": "rel", "cooldown": 0, "min_lr": 0.0, "eps": 1e-8},
    {"mode": "max", "factor": 0.5, "patience": 1, "threshold": 0.01, "threshold_mode": "abs", "cooldown": 2, "min_lr": 0.0, "eps": 1e-8},
]  # fmt: skip

# Parts of a SequentialLR: (schedule, its hyperparameters), and the steps at which the next begins.
SEQUENCES = [
    ([("LinearLR", {"start_factor": 0.01, "end_factor": 1.0, "total_iters": 10}), ("CosineAnnealingLR", {"T_max": 50, "eta_min": 1e-4})], [10]),
    ([("LinearLR", {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 5}), ("ConstantLR", {"factor": 1.0, "total_iters": 1}),
      ("ExponentialLR", {"gamma": 0.9})], [5, 30]),
    ([("ConstantLR", {"factor": 0.1, "total_iters": 8}), ("StepLR", {"step_size": 10, "gamma": 0.5})], [8]),
]  # fmt: skip

OPTAX = [
    ("warmup_cosine_decay_schedule", {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 10, "decay_steps": 60, "end_value": 0.0, "exponent": 1.0}),
    ("warmup_cosine_decay_schedule", {"init_value": 0.01, "peak_value": 0.2, "warmup_steps": 5, "decay_steps": 40, "end_value": 0.002, "exponent": 1.0}),
    ("warmup_cosine_decay_schedule", {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 20, "decay_steps": 50, "end_value": 0.01, "exponent": 2.0}),
    ("cosine_decay_schedule", {"init_value": 0.1, "decay_steps": 45, "alpha": 0.1, "exponent": 1.0}),
    ("exponential_decay", {"init_value": 0.1, "transition_steps": 10, "decay_rate": 0.5, "transition_begin": 0, "staircase": False, "end_value": None}),
    ("exponential_decay", {"init_value": 0.1, "transition_steps": 7, "decay_rate": 0.8, "transition_begin": 5, "staircase": True, "end_value": None}),
    ("exponential_decay", {"init_value": 0.1, "transition_steps": 5, "decay_rate": 0.7, "transition_begin": 3, "staircase": False, "end_value": 0.02}),
    ("polynomial_schedule", {"init_value": 0.1, "end_value": 0.01, "power": 1.0, "transition_steps": 40, "transition_begin": 0}),
    ("polynomial_schedule", {"init_value": 0.1, "end_value": 0.0, "power": 2.0, "transition_steps": 30, "transition_begin": 10}),
    ("polynomial_schedule", {"init_value": 0.001, "end_value": 0.1, "power": 0.5, "transition_steps": 50, "transition_begin": 4}),
]  # fmt: skip


def torch_runs():
    for name, rate, hyper in SIMPLE:
        values = follow(rate, lambda sgd, name=name, hyper=hyper: getattr(torch_schedule, name)(sgd, **hyper))
        yield {"schedule": name, "learning_rate": rate, "hyperparameters": hyper, "values": values}
    for hyper in ONE_CYCLE:
        build = lambda sgd, hyper=hyper: torch_schedule.OneCycleLR(sgd, max_lr=0.1, cycle_momentum=False, **hyper)  # noqa: E731
        hyper = {"three_phase": False, **hyper}
        yield {"schedule": "OneCycleLR", "learning_rate": 0.1, "hyperparameters": hyper, "values": follow(0.5, build)}
    for hyper in PLATEAU:
        build = lambda sgd, hyper=hyper: torch_schedule.ReduceLROnPlateau(sgd, **hyper)  # noqa: E731
        metrics = METRICS if hyper["mode"] == "min" else [round(1.0 - m, 6) for m in METRICS]
        values = follow(0.1, build, len(metrics) + 1, metrics)
        yield {"schedule": "ReduceLROnPlateau", "learning_rate": 0.1, "hyperparameters": hyper, "metrics": metrics, "values": values}
    for parts, milestones in SEQUENCES:

        def build(sgd, parts=parts, milestones=milestones):
            made = [getattr(torch_schedule, name)(sgd, **hyper) for name, hyper in parts]
            return torch_schedule.SequentialLR(sgd, made, milestones=milestones)

        yield {
            "schedule": "SequentialLR",
            "learning_rate": 0.1,
            "parts": [{"schedule": name, "hyperparameters": hyper} for name, hyper in parts],
            "milestones": milestones,
            "values": follow(0.1, build),
        }


def optax_runs():
    for name, hyper in OPTAX:
        schedule = getattr(optax, name)(**hyper)
        values = [schedule(step) for step in range(STEPS)]
        assert all(getattr(v, "dtype", "float64") == "float64" for v in values), name
        yield {"schedule": name, "hyperparameters": hyper, "values": [float(v) for v in values]}


def main():
    warnings.simplefilter("ignore")  # torch warns of a schedule stepped beside an optimizer without gradients
    golden = {
        "made_by": "cargo xtask goldens optim",
        "torch_version": torch.__version__.split("+")[0],
        "optax_version": optax.__version__,
        "torch": list(torch_runs()),
        "optax": list(optax_runs()),
    }
    for run in [*golden["torch"], *golden["optax"]]:
        assert all(math.isfinite(v) for v in run["values"]), run["schedule"]
    write(__file__, "schedules.json", golden)


if __name__ == "__main__":
    main()
