"""Writes layers.json: what PyTorch answers for layers, soft targets and ten steps of a small convolutional network, in f64.

A case is a list of layers as a Thalweg recipe has it, built here from PyTorch's modules. Images and weights are written
in Thalweg's layout: rows as [height, width, channels], a convolution's weight as [height, width, channels, filters], a
dense layer's as [inputs, outputs]; torch has [channels, height, width], [filters, channels, height, width] and
[outputs, inputs]. This file knows nothing else of Thalweg.
"""

import random
from pathlib import Path

from pytorch import dump  # first: it sets how torch computes

import torch
import torch.nn.functional as F
from torch import nn

# -------------------------------------------------------------------------------------------- layouts


def of_row(x):
    """A batch of images, channels last to channels first."""
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x


def to_row(x):
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def ours(t):
    """A parameter (or its gradient) in Thalweg's layout."""
    if t.dim() == 4:
        return t.permute(2, 3, 1, 0)
    if t.dim() == 3:
        return t.permute(1, 2, 0)
    return t


def flat(t):
    return t.detach().contiguous().reshape(-1).tolist()


# -------------------------------------------------------------------------------------------- modules


class Flatten(nn.Module):
    def forward(self, x):
        return to_row(x).flatten(1)


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Dense(nn.Module):
    """nn.Linear, whose weight is transposed on the way to and from Thalweg."""

    def __init__(self, inputs, units, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, units))
        self.bias = nn.Parameter(torch.empty(units)) if bias else None

    def forward(self, x):
        return F.linear(x, self.weight.T, self.bias)


class Embedding(nn.Module):
    def __init__(self, codes, width):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(n, width or min(50, (n + 1) // 2)) for n in codes)

    def forward(self, x):
        numbers = x.shape[1] - len(self.tables)
        vectors = [table(x[:, numbers + k].detach().long()) for k, table in enumerate(self.tables)]
        return torch.cat([x[:, :numbers], *vectors], 1)


class GhostNorm(nn.Module):
    """PyTorch's batch normalization on each part of the batch; the running statistics move once, by the parts' mean."""

    def __init__(self, features, rows):
        super().__init__()
        self.rows = rows
        self.weight, self.bias = nn.Parameter(torch.empty(features)), nn.Parameter(torch.empty(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x):
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)
        parts = max(len(x) // self.rows, 1)
        cuts = [len(x) * p // parts for p in range(parts + 1)]
        chunks = [x[a:b] for a, b in zip(cuts, cuts[1:])]
        # With momentum 1, PyTorch writes the statistics of each part.
        seen = [(torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)) for _ in chunks]
        y = [F.batch_norm(c, *s, self.weight, self.bias, training=True, momentum=1.0) for c, s in zip(chunks, seen)]
        for buffer, values in zip((self.running_mean, self.running_var), zip(*seen)):
            buffer.mul_(0.9).add_(torch.stack(values).mean(0), alpha=0.1)
        return torch.cat(y)


FUNCTIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU, "softplus": nn.Softplus}


def module(spec, shape):
    """The module for rows of a shape (height, width, channels) or (features,)."""
    if isinstance(spec, str):
        if spec in FUNCTIONS:
            return FUNCTIONS[spec]()
        spec = {"layer": spec}
    get, kind, channels = spec.get, spec["layer"], shape[-1]
    if kind == "dense":
        return Dense(channels, spec["units"], get("bias", True))
    if kind == "conv2d":
        kernel, dilation = get("kernel", 3), get("dilation", 1)
        padding = get("padding", dilation * (kernel - 1) // 2)
        return nn.Conv2d(channels, spec["filters"], kernel, get("stride", 1), padding, dilation, get("groups", 1),
                         get("bias", True))
    if kind in ("max-pool2d", "avg-pool2d"):
        build = nn.MaxPool2d if kind == "max-pool2d" else nn.AvgPool2d
        return build(get("kernel", 2), get("stride"), get("padding", 0))
    if kind == "global-avg-pool":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if kind == "global-max-pool":
        return nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())
    if kind == "flatten":
        return Flatten()
    if kind == "batch-norm":
        if "ghost" in spec:
            return GhostNorm(channels, spec["ghost"])
        build = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
        return build(channels, get("epsilon", 1e-5), get("momentum", 0.1))
    if kind == "layer-norm":
        return nn.LayerNorm(shape if len(shape) == 1 else (channels, *shape[:2]), get("epsilon", 1e-5))
    if kind == "group-norm":
        return nn.GroupNorm(spec["groups"], channels, get("epsilon", 1e-5))
    if kind == "embedding":
        return Embedding(spec["codes"], get("width"))
    if kind == "residual":
        return Residual(sequence(spec["body"], shape), sequence(get("shortcut", []), shape))
    raise ValueError(kind)


def sequence(specs, shape):
    modules, x = [], torch.zeros(2, *shape)
    for spec in specs:
        modules.append(module(spec, x.shape[1:]).double().eval())
        with torch.no_grad():
            x = to_row(modules[-1](of_row(x.double())))
    return nn.Sequential(*modules)


# ------------------------------------------------------------------------------------------------ cases


def numbers(draw, shape, scale=1.0, digits=2):
    count = 1
    for n in shape:
        count *= n
    values = [round(draw.gauss(0.0, scale), digits) for _ in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(tuple(shape))


def fill(net, draw):
    """Random parameters: no 0 and no 1 hides an error."""
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(numbers(draw, p.shape, 0.5) + (0.01 if p.dim() > 1 else 1.01))


def buffers(net):
    named = list(net.named_buffers())
    return [v for name, b in named if not name.endswith("num_batches_tracked") for v in flat(b)]


def parameters(net):
    return [v for p in net.parameters() for v in flat(ours(p))]


def case(specs, shape, rows, seed, training=False, updates=0, codes=(), digits=2):
    draw = random.Random(seed)
    net = sequence(specs, shape)
    fill(net, draw)
    net.train(training or updates > 0)

    def draw_rows():
        x = numbers(draw, (rows, *shape), digits=digits)
        for k, n in enumerate(codes):
            x[:, shape[0] - len(codes) + k] = torch.tensor([float(draw.randrange(n)) for _ in range(rows)])
        return x

    seen = [draw_rows() for _ in range(updates)]
    with torch.no_grad():
        for x in seen:
            net(of_row(x))
    after = buffers(net)
    net.train(training)
    x = draw_rows().requires_grad_(True)
    y = to_row(net(of_row(x)))
    dy = numbers(draw, y.shape)
    (y * dy).sum().backward()
    return {
        "layers": specs,
        "shape": list(shape),
        "rows": rows,
        "training": training,
        "w": parameters(net),
        "seen": [flat(x) for x in seen],
        "buffers": after,
        "x": flat(x),
        "dy": flat(dy),
        "y": flat(y),
        "dx": flat(x.grad),
        "dw": [v for p in net.parameters() for v in flat(ours(p.grad))],
    }


def conv(filters, **settings):
    return [{"layer": "conv2d", "filters": filters, **settings}]


def cases():
    found, norm = [], {"layer": "batch-norm"}

    def add(specs, shape, rows=2, **settings):
        found.append(case(specs, shape, rows, 1000 + len(found), **settings))

    for channels, filters in ((1, 16), (3, 18), (16, 3), (18, 16), (33, 2)):
        add(conv(filters), (4, 5, channels))
    add(conv(33), (3, 3, 2))
    add(conv(5, stride=2), (6, 5, 3))
    add(conv(4, kernel=2, stride=3, padding=1), (7, 6, 2))
    add(conv(4, padding=0, bias=False), (5, 4, 3))
    add(conv(3, dilation=2), (6, 5, 2))
    add(conv(3, dilation=2, stride=2, padding=1), (7, 7, 2))
    add(conv(18, kernel=1), (3, 4, 16))
    add(conv(4, kernel=1, stride=2, bias=False), (5, 4, 3))
    add(conv(6, kernel=5), (6, 7, 2))
    add(conv(6, groups=2), (4, 5, 4))
    add(conv(36, groups=2, stride=2, bias=False), (4, 3, 6))
    for channels in (3, 16, 18, 33):
        add(conv(channels, groups=channels), (4, 5, channels))
    add(conv(9, groups=3, stride=2, bias=False), (6, 5, 3))
    add(conv(10, groups=5, kernel=5, dilation=2, padding=3), (6, 5, 5))
    for kind in ("max-pool2d", "avg-pool2d"):
        add([kind], (4, 6, 3))
        add([kind], (5, 5, 17))
        add([{"layer": kind, "kernel": 3, "stride": 2, "padding": 1}], (6, 5, 2))
        add([{"layer": kind, "kernel": 3, "stride": 1}], (5, 4, 1))
    add(["global-avg-pool"], (3, 5, 18))
    add([*conv(3), "flatten", {"layer": "dense", "units": 4}], (3, 4, 2))
    add([{"layer": "dense", "units": 5, "bias": False}, "gelu", {"layer": "dense", "units": 33}], (17,), 3)
    for shape in ((5,), (18,), (3, 4, 3), (3, 3, 17)):
        rows = 7 if len(shape) == 1 else 3
        add([norm], shape, rows, training=True)
        add([norm], shape, rows, training=False, updates=4)
    add([{**norm, "epsilon": 0.001, "momentum": 0.01}], (3, 2, 4), 3, updates=3)
    for rows in (3, 8, 11):
        add([{**norm, "ghost": 3}], (4,), rows, training=True, updates=3)
    add([{**norm, "ghost": 2}], (3, 2, 3), 5, training=True, updates=2)
    for shape in ((7,), (33,), (3, 4, 5)):
        add(["layer-norm"], shape, 3)
    add([{"layer": "layer-norm", "epsilon": 0.01}], (16,), 3)
    for groups, shape in ((1, (6,)), (3, (6,)), (2, (3, 4, 6)), (1, (3, 4, 18)), (6, (4, 3, 6)), (4, (2, 3, 32))):
        add([{"layer": "group-norm", "groups": groups}], shape, 3)
    dense = {"layer": "dense", "units": 6}
    add([{"layer": "residual", "body": [norm, dense, "relu", dense]}, norm, "relu"], (6,), 5, training=True)
    block = {"layer": "residual", "body": [*conv(4, stride=2, bias=False), norm, "relu", *conv(4, bias=False), norm],
             "shortcut": [*conv(4, kernel=1, stride=2, bias=False), norm]}
    add([block, "relu"], (5, 6, 3), 3, training=True, updates=2)
    add([block, "relu"], (5, 6, 3), 3, updates=2)
    add([{"layer": "embedding", "codes": [3, 120]}, {"layer": "dense", "units": 3}], (4,), 9, codes=(3, 120))
    add([{"layer": "embedding", "codes": [5, 2, 2], "width": 4}], (3,), 9, codes=(5, 2, 2))
    add(["global-max-pool"], (3, 5, 18))
    # Whole numbers: the largest is there several times, and the gradient goes to one of them.
    add(["global-max-pool"], (4, 3, 3), 4, digits=0)
    add([*conv(3), "global-max-pool", {"layer": "dense", "units": 2}], (4, 3, 2), 3)
    # Whole registers of channels and filters, with which 3×3 windows take fewer multiplications.
    add(conv(16), (5, 7, 16))
    add(conv(16, padding=0, bias=False), (6, 5, 16))
    add(conv(16, padding=2), (2, 3, 16), 3)
    return found


# ------------------------------------------------------------------------------------------- soft targets


def soft(loss, smoothing, mixed, seed):
    """Targets (1 − ε)·(λ·first + (1 − λ)·second) + ε/classes; with λ = 1, PyTorch takes the codes themselves."""
    draw = random.Random(seed)
    rows, classes = 7, 4 if loss == "cross-entropy" else 2
    z = numbers(draw, (rows, classes if classes > 2 else 1), 3.0).requires_grad_(True)
    first = torch.tensor([draw.randrange(classes) for _ in range(rows)])
    second = torch.tensor([draw.randrange(classes) for _ in range(rows)])
    share = torch.tensor([round(draw.random(), 3) if mixed else 1.0 for _ in range(rows)], dtype=torch.float64)
    if loss == "cross-entropy":
        hot = [F.one_hot(codes, classes).double() for codes in (first, second)]
        targets = share[:, None] * hot[0] + (1 - share[:, None]) * hot[1] if mixed else first
        value = F.cross_entropy(z, targets, label_smoothing=smoothing)
    else:
        targets = share * first + (1 - share) * second
        value = F.binary_cross_entropy_with_logits(z[:, 0], targets * (1 - smoothing) + smoothing / 2)
    value.backward()
    return {"loss": loss, "smoothing": smoothing, "first": first.tolist(), "second": second.tolist(),
            "share": share.tolist(), "outputs": flat(z), "value": value.item(), "gradient": flat(z.grad)}


# ---------------------------------------------------------------------------------------------- training

OPTIMIZERS = {
    "adam": (lambda p: torch.optim.Adam(p, lr=0.03), 0.03),
    "momentum": (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), 0.05),
}


def training():
    """Ten steps over three batches in turn."""
    specs = [*conv(4), "relu", "max-pool2d", *conv(6, bias=False), "batch-norm", "relu", "max-pool2d", "flatten",
             {"layer": "dense", "units": 3}]
    draw = random.Random(7)
    start = sequence(specs, (8, 8, 1))
    fill(start, draw)
    batches = [(numbers(draw, (n, 8, 8, 1)), torch.tensor([draw.randrange(3) for _ in range(n)])) for n in (8, 8, 5)]
    runs = []
    for name, (build, rate) in OPTIMIZERS.items():
        net = sequence(specs, (8, 8, 1))
        net.load_state_dict(start.state_dict())
        net.train()
        optimizer, losses = build(net.parameters()), []
        for step in range(10):
            x, y = batches[step % 3]
            optimizer.zero_grad()
            value = F.cross_entropy(net(of_row(x)), y)
            value.backward()
            optimizer.step()
            losses.append(value.item())
        runs.append({"optimizer": name, "learning_rate": rate, "losses": losses, "w": parameters(net),
                     "buffers": buffers(net)})
    return {
        "layers": specs[:-2],
        "shape": [8, 8, 1],
        "w": parameters(start),
        "batches": [{"x": flat(x), "codes": y.tolist()} for x, y in batches],
        "runs": runs,
    }


def main():
    torch.set_num_threads(1)
    golden = {
        "made_by": "cargo xtask goldens learn",
        "torch": torch.__version__.split("+")[0],
        "cases": cases(),
        "soft": [soft(loss, smoothing, mixed, 50 + index) for index, (loss, smoothing, mixed) in enumerate(
            (loss, smoothing, mixed) for loss in ("cross-entropy", "binary") for smoothing in (0.0, 0.1)
            for mixed in (False, True))],
        "training": training(),
    }
    Path(__file__).with_name("layers.json").write_text(dump(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
