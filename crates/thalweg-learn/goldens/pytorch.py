"""Writes pytorch.json: what PyTorch answers for activations, losses, small networks and ten steps of training, in f64.

The Rust tests compare their own values, gradients and losses with it. Parameters and their gradients are written in
Thalweg's layout: layer after layer, each with its weight as [inputs, outputs] (the transpose of torch's Linear.weight)
and then its bias. This file knows nothing else of Thalweg, and is not a benchmark.
"""

import json
import os
import random
from pathlib import Path

# Read once, when torch is imported: the bytes must not depend on the width of the CPU's vectors.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["MKL_CBWR"] = "COMPATIBLE"

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

DIGITS = 4  # inputs are rounded to this many digits: they stay short, and exact in the file
ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu,
               "leaky-relu": F.leaky_relu, "elu": F.elu, "softplus": F.softplus}
LOSSES = {
    "cross-entropy": lambda z, y: F.cross_entropy(z, y),
    "binary": lambda z, y: F.binary_cross_entropy_with_logits(z[:, 0], y.to(z.dtype)),
    "squared-error": lambda z, y: F.mse_loss(z[:, 0], y),
    "absolute-error": lambda z, y: F.l1_loss(z[:, 0], y),
}
CLASSES = {"cross-entropy": 3, "binary": 2}


def normal(draw, rows, columns, scale=1.0):
    values = [[round(draw.gauss(0.0, scale), DIGITS) for _ in range(columns)] for _ in range(rows)]
    return torch.tensor(values, dtype=torch.float64)


def targets(draw, loss, rows):
    if loss in CLASSES:
        return torch.tensor([draw.randrange(CLASSES[loss]) for _ in range(rows)])
    return normal(draw, 1, rows)[0]


def flat(tensors):
    """Weights and biases, in Thalweg's layout."""
    return [v for t in tensors for v in (t.T if t.dim() == 2 else t).reshape(-1).tolist()]


# ------------------------------------------------------------------------------------- activations, losses


def activation(name):
    at = [-40.0, -9.0, -3.0, -1.0, -0.3, -1e-3, 0.0, 1e-6, 0.25, 0.5, 0.7, 1.0, 2.0, 2.5, 4.0, 8.0, 40.0]
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    y = ACTIVATIONS[name](x)
    y.sum().backward()
    return {"name": name, "x": at, "y": y.tolist(), "slope": x.grad.tolist()}


def loss(name, seed):
    """Seven rows, of which some are far off the mark."""
    draw = random.Random(seed)
    width = 3 if name == "cross-entropy" else 1
    z = normal(draw, 7, width, 3.0)
    z[0] *= 10.0
    z.requires_grad_(True)
    y = targets(draw, name, 7)
    value = LOSSES[name](z, y)
    value.backward()
    return {
        "name": name,
        "outputs": z.detach().reshape(-1).tolist(),
        "targets": y.tolist(),
        "value": value.item(),
        "gradient": z.grad.reshape(-1).tolist(),
    }


# -------------------------------------------------------------------------------------------- networks


def parameters(draw, widths):
    """torch's own layout: weight [outputs, inputs], bias."""
    tensors = []
    for inputs, outputs in zip(widths, widths[1:]):
        tensors += [normal(draw, outputs, inputs, 0.7), normal(draw, 1, outputs, 0.3)[0]]
    return [t.clone().requires_grad_(True) for t in tensors]


def forward(tensors, act, x):
    layers = list(zip(tensors[::2], tensors[1::2]))
    for index, (weight, bias) in enumerate(layers):
        x = F.linear(x, weight, bias)
        if index + 1 < len(layers):
            x = ACTIVATIONS[act](x)
    return x


def network(act, loss_name, inputs, hidden, rows, seed):
    draw = random.Random(seed)
    outputs = 3 if loss_name == "cross-entropy" else 1
    w = parameters(draw, [inputs, *hidden, outputs])
    x, y = normal(draw, rows, inputs), targets(draw, loss_name, rows)
    z = forward(w, act, x)
    value = LOSSES[loss_name](z, y)
    value.backward()
    return {
        "activation": act,
        "loss": loss_name,
        "inputs": inputs,
        "hidden": hidden,
        "w": flat(t.detach() for t in w),
        "x": x.reshape(-1).tolist(),
        "targets": y.tolist(),
        "outputs": z.detach().reshape(-1).tolist(),
        "value": value.item(),
        "gradient": flat(t.grad for t in w),
    }


# ------------------------------------------------------------------------------------------------ training

OPTIMIZERS = {
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.3), 0.3),
    "momentum": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 0.1),
    "nag": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), 0.1),
    "adagrad": (lambda p: torch.optim.Adagrad(p, lr=0.1), 0.1),
    "adadelta": (lambda p: torch.optim.Adadelta(p, lr=1.0), 1.0),
    "rmsprop": (lambda p: torch.optim.RMSprop(p, lr=0.01), 0.01),
    "adam": (lambda p: torch.optim.Adam(p, lr=0.03), 0.03),
}


def training():
    """Ten steps over three batches in turn, with each optimizer at torch's defaults, on a 5-7-6-3 network."""
    draw = random.Random(99)
    start = parameters(draw, [5, 7, 6, 3])
    batches = [(normal(draw, rows, 5), targets(draw, "cross-entropy", rows)) for rows in (8, 8, 5)]
    runs = []
    for name, (build, rate) in OPTIMIZERS.items():
        w = [t.detach().clone().requires_grad_(True) for t in start]
        optimizer = build(w)
        losses = []
        for step in range(10):
            x, y = batches[step % 3]
            optimizer.zero_grad()
            value = LOSSES["cross-entropy"](forward(w, "tanh", x), y)
            value.backward()
            optimizer.step()
            losses.append(value.item())
        runs.append({"optimizer": name, "learning_rate": rate, "losses": losses, "w": flat(t.detach() for t in w)})
    return {
        "inputs": 5,
        "hidden": [7, 6],
        "activation": "tanh",
        "loss": "cross-entropy",
        "w": flat(t.detach() for t in start),
        "batches": [{"x": x.reshape(-1).tolist(), "targets": y.tolist()} for x, y in batches],
        "runs": runs,
    }


# ----------------------------------------------------------------------------------------------- the file


def dump(value, depth=0):
    """JSON with one line per innermost list; Python's float repr round-trips exactly."""
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)) or not any(isinstance(v, (dict, list)) for v in inner):
        return json.dumps(value)
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        rows = [f"{pad}{json.dumps(k)}: {dump(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + end + "}"
    return "[\n" + ",\n".join(pad + dump(v, depth + 1) for v in value) + "\n" + end + "]"


def main():
    torch.set_num_threads(1)
    shapes = [(4, [], 5), (3, [9], 1), (6, [5, 4], 7), (2, [3, 4, 3], 6), (1, [17], 4)]  # inputs, hidden, rows
    pairs = [(act, name) for act in ACTIVATIONS for name in LOSSES]
    golden = {
        "made_by": "cargo xtask goldens learn",
        "torch": torch.__version__.split("+")[0],
        "activations": [activation(name) for name in ACTIVATIONS],
        "losses": [loss(name, seed) for seed, name in enumerate(LOSSES)],
        "networks": [
            network(act, name, *shapes[index % len(shapes)], seed=100 + index)
            for index, (act, name) in enumerate(pairs)
        ],
        "training": training(),
    }
    Path(__file__).with_name("pytorch.json").write_text(dump(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
