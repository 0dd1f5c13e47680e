"""Writes torch.json: the paths of torch.optim's seven methods on three small f64 problems.

The Rust tests walk the same problems with the `torch` dialect and compare W after steps 1, 2, 10 and 100.

Gradients are closed forms summed in plain Python, left to right, so that a test can compute the very same
numbers: no autograd, no BLAS. Torch's kernels are held to their portable build, so that the bytes do not
depend on the width of the CPU's vectors. This file is not a benchmark and knows nothing of Thalweg.

Objectives (row i of X is x_i; sums run over rows; σ is the logistic function):

    quadratic  ½ wᵀA w − bᵀw                                  gradient  A w − b
    logistic   Σ log(1 + exp(−y_i x_iᵀw)) + ½ ridge ‖w‖²      gradient  Σ −y_i σ(−y_i x_iᵀw) x_i + ridge w
    cauchy     Σ log(1 + (x_iᵀw − y_i)²)   (not convex)       gradient  Σ 2 r_i / (1 + r_i²) x_i, r_i = x_iᵀw − y_i
"""

import inspect
import json
import math
import os
import random
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read once, when torch is imported

import torch  # noqa: E402

STEPS_STORED = (1, 2, 10, 100)
DIGITS = 6  # the problems' data are rounded to this many digits: they stay short, and exact in the file

# ---------------------------------------------------------------------------------------------- problems


def rounded(values):
    return [round(v, DIGITS) for v in values]


def normal(draw, n, scale=1.0):
    return rounded(draw.gauss(0.0, scale) for _ in range(n))


def dot(a, b):
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total += x * y
    return total


def orthogonal(draw, n):
    """Rows of a random rotation, by Gram–Schmidt."""
    rows = []
    while len(rows) < n:
        v = [draw.gauss(0.0, 1.0) for _ in range(n)]
        for r in rows:
            along = dot(v, r)
            v = [a - along * b for a, b in zip(v, r, strict=True)]
        norm = math.sqrt(dot(v, v))
        rows.append([a / norm for a in v])
    return rows


def quadratic(seed, dim):
    """A dense, symmetric A with eigenvalues log-spaced over 0.01 … 10: condition number 1000."""
    draw = random.Random(seed)
    q = orthogonal(draw, dim)
    eigen = [10.0 ** (-2.0 + 3.0 * k / (dim - 1)) for k in range(dim)]
    a = [[round(sum(eigen[k] * q[k][i] * q[k][j] for k in range(dim)), DIGITS) for j in range(dim)] for i in range(dim)]
    return {"name": "quadratic", "dim": dim, "a": a, "b": normal(draw, dim), "w0": normal(draw, dim)}


def logistic(seed, dim, rows):
    draw = random.Random(seed)
    x = [normal(draw, dim, 0.6) for _ in range(rows)]
    y = [1.0 if draw.random() < 0.5 else -1.0 for _ in range(rows)]
    return {"name": "logistic", "dim": dim, "x": x, "y": y, "ridge": 0.05, "w0": normal(draw, dim)}


def cauchy(seed, dim, rows):
    draw = random.Random(seed)
    x = [normal(draw, dim, 0.5) for _ in range(rows)]
    return {"name": "cauchy", "dim": dim, "x": x, "y": normal(draw, rows), "w0": normal(draw, dim)}


# --------------------------------------------------------------------------------------------- gradients


def quadratic_grad(p, w):
    return [dot(row, w) - b for row, b in zip(p["a"], p["b"], strict=True)]


def logistic_grad(p, w):
    grad = [0.0] * p["dim"]
    for x, y in zip(p["x"], p["y"], strict=True):
        pull = -y / (1.0 + math.exp(y * dot(x, w)))
        for j, v in enumerate(x):
            grad[j] += pull * v
    return [g + p["ridge"] * v for g, v in zip(grad, w, strict=True)]


def cauchy_grad(p, w):
    grad = [0.0] * p["dim"]
    for x, y in zip(p["x"], p["y"], strict=True):
        r = dot(x, w) - y
        pull = 2.0 * r / (1.0 + r * r)
        for j, v in enumerate(x):
            grad[j] += pull * v
    return grad


GRADIENTS = {"quadratic": quadratic_grad, "logistic": logistic_grad, "cauchy": cauchy_grad}

# ------------------------------------------------------------------------------------------- optimizers

# Per method: how Thalweg's names become torch's, and the sets that are run. The first set is torch's default
# (SGD's default momentum is 0: momentum and nag start from the customary 0.9).
METHODS = {
    "sgd": (
        lambda w, h: torch.optim.SGD([w], lr=h["learning_rate"]),
        [{"learning_rate": 1e-3}, {"learning_rate": 0.02}, {"learning_rate": 0.1}],
    ),
    "momentum": (
        lambda w, h: torch.optim.SGD([w], lr=h["learning_rate"], momentum=h["momentum"]),
        [
            {"learning_rate": 1e-3, "momentum": 0.9},
            {"learning_rate": 0.03, "momentum": 0.5},
            {"learning_rate": 0.01, "momentum": 0.99},
        ],
    ),
    "nag": (
        lambda w, h: torch.optim.SGD([w], lr=h["learning_rate"], momentum=h["momentum"], nesterov=True),
        [
            {"learning_rate": 1e-3, "momentum": 0.9},
            {"learning_rate": 0.03, "momentum": 0.5},
            {"learning_rate": 0.01, "momentum": 0.99},
        ],
    ),
    "adagrad": (
        lambda w, h: torch.optim.Adagrad([w], lr=h["learning_rate"], eps=h["epsilon"]),
        [
            {"learning_rate": 0.01, "epsilon": 1e-10},
            {"learning_rate": 0.3, "epsilon": 1e-6},
            {"learning_rate": 1.0, "epsilon": 0.1},
        ],
    ),
    "adadelta": (
        lambda w, h: torch.optim.Adadelta([w], lr=h["learning_rate"], rho=h["rho"], eps=h["epsilon"]),
        [
            {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6},
            {"learning_rate": 0.5, "rho": 0.95, "epsilon": 1e-3},
            {"learning_rate": 2.0, "rho": 0.6, "epsilon": 1e-8},
        ],
    ),
    "rmsprop": (
        lambda w, h: torch.optim.RMSprop([w], lr=h["learning_rate"], alpha=h["alpha"], eps=h["epsilon"]),
        [
            {"learning_rate": 0.01, "alpha": 0.99, "epsilon": 1e-8},
            {"learning_rate": 0.002, "alpha": 0.9, "epsilon": 1e-6},
            {"learning_rate": 0.05, "alpha": 0.999, "epsilon": 0.01},
        ],
    ),
    "adam": (
        lambda w, h: torch.optim.Adam([w], lr=h["learning_rate"], betas=(h["beta1"], h["beta2"]), eps=h["epsilon"]),
        [
            {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6},
            {"learning_rate": 0.2, "beta1": 0.95, "beta2": 0.9999, "epsilon": 1e-3},
            {"learning_rate": 0.01, "beta1": 0.0, "beta2": 0.9, "epsilon": 0.1},
        ],
    ),
}

# What torch's constructors take as default, and how Thalweg calls it. Neither momentum nor nag is a constructor of its
# own: their momentum must be given, and 0.9 is what torch's own examples give.
SIGNATURES = {
    "sgd": (torch.optim.SGD, {"learning_rate": "lr"}),
    "momentum": (torch.optim.SGD, {"learning_rate": "lr"}),
    "nag": (torch.optim.SGD, {"learning_rate": "lr"}),
    "adagrad": (torch.optim.Adagrad, {"learning_rate": "lr", "epsilon": "eps"}),
    "adadelta": (torch.optim.Adadelta, {"learning_rate": "lr", "rho": "rho", "epsilon": "eps"}),
    "rmsprop": (torch.optim.RMSprop, {"learning_rate": "lr", "alpha": "alpha", "epsilon": "eps"}),
    "adam": (torch.optim.Adam, {"learning_rate": "lr", "beta1": ("betas", 0), "beta2": ("betas", 1), "epsilon": "eps"}),
}
GIVEN = {"momentum": {"momentum": 0.9}, "nag": {"momentum": 0.9}}


def defaults():
    """Each method's default hyperparameters, read from the signatures."""
    table = {}
    for name, (constructor, names) in SIGNATURES.items():
        parameters = inspect.signature(constructor).parameters
        row = {}
        for ours, theirs in names.items():
            key, index = theirs if isinstance(theirs, tuple) else (theirs, None)
            value = parameters[key].default
            row[ours] = value if index is None else value[index]
        table[name] = {**row, **GIVEN.get(name, {})}
    return table


def walk(build, hyperparameters, problem):
    """W after each stored step."""
    w = torch.tensor(problem["w0"], dtype=torch.float64)
    optimizer = build(w, hyperparameters)
    grad = GRADIENTS[problem["name"]]
    stored = {}
    for step in range(1, STEPS_STORED[-1] + 1):
        w.grad = torch.tensor(grad(problem, w.tolist()), dtype=torch.float64)
        optimizer.step()
        if step in STEPS_STORED:
            stored[str(step)] = w.tolist()
    assert all(math.isfinite(v) for v in stored[str(STEPS_STORED[-1])]), "a golden path must not diverge"
    return stored


# ----------------------------------------------------------------------------------------------- the file


def dump(value, depth=0):
    """JSON with one line per innermost list or flat object; Python's float repr round-trips exactly."""
    nested = isinstance(value, (dict, list)) and any(isinstance(v, (dict, list)) for v in children(value))
    if not nested:
        return json.dumps(value, ensure_ascii=False)
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        rows = [f"{pad}{json.dumps(k)}: {dump(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + end + "}"
    return "[\n" + ",\n".join(pad + dump(v, depth + 1) for v in value) + "\n" + end + "]"


def children(value):
    return value.values() if isinstance(value, dict) else value


def main():
    torch.set_num_threads(1)
    problems = [quadratic(seed=1, dim=7), logistic(seed=2, dim=5, rows=12), cauchy(seed=3, dim=4, rows=10)]
    runs = [
        {"optimizer": name, "problem": problem["name"], "hyperparameters": hyper, "w": walk(build, hyper, problem)}
        for name, (build, sets) in METHODS.items()
        for hyper in sets
        for problem in problems
    ]
    golden = {
        "made_by": "cargo xtask goldens optim",
        "torch": torch.__version__.split("+")[0],
        "objectives": {
            "quadratic": "½ wᵀA w − bᵀw",
            "logistic": "Σ log(1 + exp(−y xᵀw)) + ½ ridge ‖w‖²",
            "cauchy": "Σ log(1 + (xᵀw − y)²)",
        },
        "defaults": defaults(),
        "problems": problems,
        "runs": runs,
    }
    Path(__file__).with_name("torch.json").write_text(dump(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
