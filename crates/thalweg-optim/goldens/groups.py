"""Writes groups.json: paths of torch.optim over parameter groups, as fine-tuning recipes build them.

A tensor per block; each gets the learning rate times 0.7 to the power of how many layers it lies before the last, and
only weights decay (biases and the scales of norms do not). The gradient of number i is curvature[i]·(w[i] − centre[i]).
`w[k]` is all of W after k steps. Knows nothing of Thalweg.
"""

import math
import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"

import torch  # noqa: E402
from problems import STEPS_STORED, write  # noqa: E402

FACTOR = 0.7
BLOCKS = [
    ["0.dense.weight", [3, 2], "weight"],
    ["0.dense.bias", [2], "bias"],
    ["1.dense.weight", [2, 4], "weight"],
    ["1.dense.bias", [4], "bias"],
    ["1.norm.scale", [4], "scale"],
    ["1.norm.bias", [4], "bias"],
    ["2.dense.weight", [4, 1], "weight"],
    ["2.dense.bias", [1], "bias"],
]
SIZE = sum(math.prod(shape) for _, shape, _ in BLOCKS)
START = [round(math.sin(0.9 * i + 0.3), 6) for i in range(SIZE)]
CURVATURE = [round(0.1 * 30 ** ((i % 5) / 4), 6) for i in range(SIZE)]
CENTRE = [round(math.cos(1.3 * i), 6) for i in range(SIZE)]

RUNS = {
    "momentum": lambda groups, lr: torch.optim.SGD(groups, lr=lr, momentum=0.9),
    "adam": lambda groups, lr: torch.optim.Adam(groups, lr=lr),
    "adamw": lambda groups, lr: torch.optim.AdamW(groups, lr=lr),
}


def tensors():
    values, found = torch.tensor(START, dtype=torch.float64), []
    for _, shape, _ in BLOCKS:
        own, values = values[: math.prod(shape)], values[math.prod(shape) :]
        found.append(torch.nn.Parameter(own.reshape(shape).clone()))
    return found


def path(build, learning_rate, decay):
    parameters = tensors()
    layers = list(dict.fromkeys(name.rsplit(".", 1)[0] for name, _, _ in BLOCKS))
    groups = []
    for parameter, (name, _, role) in zip(parameters, BLOCKS, strict=True):
        before = len(layers) - 1 - layers.index(name.rsplit(".", 1)[0])
        groups.append(
            {
                "params": [parameter],
                "lr": learning_rate * FACTOR**before,
                "weight_decay": decay if role == "weight" else 0.0,
            }
        )
    optimizer, stored = build(groups, learning_rate), {}
    curvature, centre = (torch.tensor(values, dtype=torch.float64) for values in (CURVATURE, CENTRE))
    for step in range(1, max(STEPS_STORED) + 1):
        flat = torch.cat([p.detach().reshape(-1) for p in parameters])
        gradient = curvature * (flat - centre)
        for parameter in parameters:
            own, gradient = gradient[: parameter.numel()], gradient[parameter.numel() :]
            parameter.grad = own.reshape(parameter.shape)
        optimizer.step()
        if step in STEPS_STORED:
            stored[str(step)] = torch.cat([p.detach().reshape(-1) for p in parameters]).tolist()
    return stored


def main():
    runs = [
        {"optimizer": name, "learning_rate": lr, "decay": decay, "w": path(build, lr, decay)}
        for name, build in RUNS.items()
        for lr, decay in [(0.02, 0.3), (0.005, 0.05)]
    ]
    golden = {
        "made_by": "cargo xtask goldens optim",
        "torch_version": torch.__version__.split("+")[0],
        "factor": FACTOR,
        "blocks": BLOCKS,
        "w0": START,
        "curvature": CURVATURE,
        "centre": CENTRE,
        "runs": runs,
    }
    write(__file__, "groups.json", golden)


if __name__ == "__main__":
    main()
