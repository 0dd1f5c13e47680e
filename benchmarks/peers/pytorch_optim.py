"""Times one step of PyTorch's optimizers, as it comes and fused: a JSON line each, the median in microseconds.

The parameters are those of `crates/thalweg-optim/examples/step_time.rs`: one vector, 500 small tensors, ResNet-18's, or
a transformer's, for which the optimizers are those that look at shapes.
Gradients are given once; a step is `optimizer.step()` and nothing else.
"""

import argparse
import json
import time

import torch

MAKE = {
    "sgd": lambda p, **how: torch.optim.SGD(p, lr=1e-3, **how),
    "momentum": lambda p, **how: torch.optim.SGD(p, lr=1e-3, momentum=0.9, **how),
    "nag": lambda p, **how: torch.optim.SGD(p, lr=1e-3, momentum=0.9, nesterov=True, **how),
    "adagrad": lambda p, **how: torch.optim.Adagrad(p, **how),
    "adadelta": lambda p, **how: torch.optim.Adadelta(p, **how),
    "rmsprop": lambda p, **how: torch.optim.RMSprop(p, **how),
    "rmsprop-momentum": lambda p, **how: torch.optim.RMSprop(p, momentum=0.9, **how),
    "rmsprop-centered": lambda p, **how: torch.optim.RMSprop(p, centered=True, momentum=0.9, **how),
    "adam": lambda p, **how: torch.optim.Adam(p, **how),
    "amsgrad": lambda p, **how: torch.optim.Adam(p, amsgrad=True, **how),
    "adamw": lambda p, **how: torch.optim.AdamW(p, **how),
    "adamax": lambda p, **how: torch.optim.Adamax(p, **how),
    "nadam": lambda p, **how: torch.optim.NAdam(p, **how),
    "radam": lambda p, **how: torch.optim.RAdam(p, **how),
    "rprop": lambda p, **how: torch.optim.Rprop(p, **how),
}


class MuonAndAdamW:
    """PyTorch's Muon takes matrices only: the rest goes to AdamW, as its documentation says."""

    def __init__(self, params):
        self.parts = [
            torch.optim.Muon([p for p in params if p.ndim == 2]),
            torch.optim.AdamW([p for p in params if p.ndim != 2]),
        ]

    def step(self):
        for part in self.parts:
            part.step()


SHAPED = {"adafactor": lambda p: torch.optim.Adafactor(p), "muon": MuonAndAdamW}
FUSED = {"sgd", "momentum", "nag", "adagrad", "adam", "amsgrad", "adamw"}


def resnet18():
    """The shapes of ResNet-18 for 1,000 classes (He et al. 2016)."""
    shapes = []

    def conv(inputs, outputs, size):
        shapes.extend([(outputs, inputs, size, size), (outputs,), (outputs,)])

    conv(3, 64, 7)
    inputs = 64
    for outputs in (64, 128, 256, 512):
        for _ in range(2):
            conv(inputs, outputs, 3)
            conv(outputs, outputs, 3)
            if inputs != outputs:
                conv(inputs, outputs, 1)
            inputs = outputs
    return [*shapes, (1000, 512), (1000,)]


def transformer():
    """Four blocks of width 256 (Vaswani et al. 2017)."""
    matrices = [(768, 256), (256, 256), (1024, 256), (256, 1024)]
    block = [shape for to, inputs in matrices for shape in ((to, inputs), (to,))]
    return (block + [(256,)] * 4) * 4


CASES = {
    "flat": lambda: [(20_000_000,)],
    "small": lambda: [(1000,)] * 500,
    "resnet": resnet18,
    "transformer": transformer,
}


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", choices=CASES, default="flat")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    params = [torch.full(shape, 0.5) for shape in CASES[args.case]()]
    for p in params:
        p.grad = (torch.arange(p.numel()) % 1013).float().mul(1e-4).sub(0.05).reshape(p.shape)
    for rule, make in (SHAPED if args.case == "transformer" else MAKE).items():
        for kind in ("default", "fused"):
            if kind == "fused" and rule not in FUSED:
                continue
            optimizer = make(params, **({"fused": True} if kind == "fused" else {}))
            times = []
            for _ in range(args.rounds + 1):
                start = time.perf_counter()
                optimizer.step()
                times.append(time.perf_counter() - start)
            row = {"rule": rule, "kind": kind, "step_us": 1e6 * median(times[1:])}
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
