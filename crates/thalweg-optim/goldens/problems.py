"""What the golden scripts share: the problems and their gradients, the walk's stored steps, the form of the files.

A module that writes nothing. Gradients are closed forms summed in plain Python, left to right, so that a test can
compute the very same numbers: no autograd, no BLAS. Knows nothing of Thalweg and of the packages.

Objectives (row i of X is x_i; sums run over rows; σ is the logistic function):

    quadratic  ½ wᵀA w − bᵀw                                  gradient  A w − b
    logistic   Σ log(1 + exp(−y_i x_iᵀw)) + ½ ridge ‖w‖²      gradient  Σ −y_i σ(−y_i x_iᵀw) x_i + ridge w
    cauchy     Σ log(1 + (x_iᵀw − y_i)²)   (not convex)       gradient  Σ 2 r_i / (1 + r_i²) x_i, r_i = x_iᵀw − y_i

A problem with a layout [[name, shape, role], …] is the same objective over the flat vector, whose blocks lie one after
the other in row-major order; a package is given one tensor per block.
"""

import inspect
import json
import math
import random
from pathlib import Path

STEPS_STORED = (1, 2, 10, 100)
DIGITS = 6  # the problems' data are rounded to this many digits: they stay short, and exact in the file


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


# ---------------------------------------------------------------------------------------------- problems


def quadratic(seed, dim):
    """A dense, symmetric A with eigenvalues log-spaced over 0.01 … 10: condition number 1000."""
    draw = random.Random(seed)
    q = orthogonal(draw, dim)
    eigen = [10.0 ** (-2.0 + 3.0 * k / (dim - 1)) for k in range(dim)]
    a = [[round(sum(eigen[k] * q[k][i] * q[k][j] for k in range(dim)), DIGITS) for j in range(dim)] for i in range(dim)]
    return {"name": "quadratic", "form": "quadratic", "dim": dim, "a": a, "b": normal(draw, dim), "w0": normal(draw, dim)}


def logistic(seed, dim, rows):
    draw = random.Random(seed)
    x = [normal(draw, dim, 0.6) for _ in range(rows)]
    y = [1.0 if draw.random() < 0.5 else -1.0 for _ in range(rows)]
    return {"name": "logistic", "form": "logistic", "dim": dim, "x": x, "y": y, "ridge": 0.05, "w0": normal(draw, dim)}


def cauchy(seed, dim, rows):
    draw = random.Random(seed)
    x = [normal(draw, dim, 0.5) for _ in range(rows)]
    return {"name": "cauchy", "form": "cauchy", "dim": dim, "x": x, "y": normal(draw, rows), "w0": normal(draw, dim)}


FLAT = [quadratic(seed=1, dim=7), logistic(seed=2, dim=5, rows=12), cauchy(seed=3, dim=4, rows=10)]

# Weights higher than wide, and wider than high.
BLOCKS = [
    {
        **quadratic(seed=4, dim=15),
        "name": "blocks-quadratic",
        "layout": [["weight", [4, 3], "weight"], ["bias", [3], "bias"]],
    },
    {
        **cauchy(seed=5, dim=15, rows=20),
        "name": "blocks-cauchy",
        "layout": [["weight", [3, 4], "weight"], ["bias", [3], "bias"]],
    },
]

# Square matrices, whose one gradient has full rank: no eigenvector of GGᵀ or GᵀG is free, so SOAP's path is unique.
SQUARES = [
    {**problem, "name": problem["name"].replace("blocks", "squares"), "layout": layout}
    for problem, layout in zip(
        BLOCKS,
        (
            [["a", [3, 3], "weight"], ["b", [2], "bias"], ["c", [2, 2], "weight"]],
            [["a", [2, 2], "weight"], ["b", [2], "bias"], ["c", [3, 3], "weight"]],
        ),
        strict=True,
    )
]


# ------------------------------------------------------------------------------- values and gradients


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


def quadratic_value(p, w):
    return 0.5 * dot(w, [dot(row, w) for row in p["a"]]) - dot(p["b"], w)


def logistic_value(p, w):
    total = 0.0
    for x, y in zip(p["x"], p["y"], strict=True):
        total += math.log1p(math.exp(-y * dot(x, w)))
    return total + 0.5 * p["ridge"] * dot(w, w)


def cauchy_value(p, w):
    total = 0.0
    for x, y in zip(p["x"], p["y"], strict=True):
        r = dot(x, w) - y
        total += math.log1p(r * r)
    return total


FORMS = {
    "quadratic": (quadratic_value, quadratic_grad),
    "logistic": (logistic_value, logistic_grad),
    "cauchy": (cauchy_value, cauchy_grad),
}


def value(problem, w):
    return FORMS[problem["form"]][0](problem, w)


def gradient(problem, w):
    return FORMS[problem["form"]][1](problem, w)


# ----------------------------------------------------------------------------------------------- blocks


def shapes(problem):
    """The shapes of the blocks; a problem without a layout is one vector."""
    return [shape for _, shape, _ in problem["layout"]] if "layout" in problem else [[problem["dim"]]]


def split(problem, flat):
    """The flat list as one flat list per block."""
    blocks, start = [], 0
    for shape in shapes(problem):
        size = math.prod(shape)
        blocks.append(flat[start : start + size])
        start += size
    assert start == len(flat)
    return blocks


# --------------------------------------------------------------------------------------------- signatures


def read_defaults(constructor, names):
    """Default values out of a signature: `names` maps ours to theirs, or to (theirs, index into a tuple)."""
    parameters = inspect.signature(constructor).parameters
    row = {}
    for ours, theirs in names.items():
        key, index = theirs if isinstance(theirs, tuple) else (theirs, None)
        found = parameters[key].default
        row[ours] = found if index is None else found[index]
    return row


# ----------------------------------------------------------------------------------------------- the file


def walked(path):
    """The stored steps of a path, which is W after each step from 1 on."""
    stored = {str(step): path[step - 1] for step in STEPS_STORED if step <= len(path)}
    assert all(math.isfinite(v) for w in stored.values() for v in w), "a golden path must not diverge"
    return stored


def dump(item, depth=0):
    """JSON with one line per innermost list or flat object; Python's float repr round-trips exactly."""
    nested = isinstance(item, (dict, list)) and any(isinstance(v, (dict, list)) for v in children(item))
    if not nested:
        return json.dumps(item, ensure_ascii=False)
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(item, dict):
        rows = [f"{pad}{json.dumps(k, ensure_ascii=False)}: {dump(v, depth + 1)}" for k, v in item.items()]
        return "{\n" + ",\n".join(rows) + "\n" + end + "}"
    return "[\n" + ",\n".join(pad + dump(v, depth + 1) for v in item) + "\n" + end + "]"


def children(item):
    return item.values() if isinstance(item, dict) else item


def write(beside, name, golden):
    Path(beside).with_name(name).write_text(dump(golden) + "\n", encoding="utf-8")
