"""What the Python contenders of `cargo xtask bench train` share: the made-up data and the protocol (see README.md)."""

import argparse
import json
import pathlib
import sys
import time

import numpy as np

ROWS = 2048
RATE = 1e-3
#: Input shape, hidden widths (None: a network of images), classes, rows a batch.
NETWORKS = {
    "mlp20": ((20,), (32, 32), 2, 16),
    "mlp64": ((64,), (64, 32), 10, 32),
    "mlp784": ((784,), (256, 128), 10, 64),
    "lenet": ((28, 28, 1), None, 10, 64),
    "resnet8": ((32, 32, 3), None, 10, 64),
}
WANTED = 0.9
EPOCHS_MAX = 10


def mix(value):
    """The finalizer of MurmurHash3 on uint32."""
    value = value * np.uint32(0x9E3779B1)
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))


def uniform(value):
    return (mix(value) >> np.uint32(8)).astype(np.float32) / np.float32(8388608) - np.float32(1)


def made_up(shape, classes):
    """The rows (channels last) and classes of `crates/thalweg-learn/examples/train_time/data.rs`, which says why."""
    width = int(np.prod(shape))
    run = 64 if len(shape) == 3 else 1
    rows, at = np.arange(ROWS, dtype=np.uint32), np.arange(width, dtype=np.uint32)
    pair = rows // np.uint32(2)
    y = mix(pair ^ np.uint32(0x50000000)) % np.uint32(classes)
    centres = uniform((y[:, None] * np.uint32(4096) + at // np.uint32(run)) ^ np.uint32(0x60000000))
    x = np.float32(0.7) * centres + uniform(pair[:, None] * np.uint32(width) + at)
    other = rows % np.uint32(2) * (mix(pair ^ np.uint32(0x58000000)) % np.uint32(2))
    return x.reshape(ROWS, *shape), ((y + other) % np.uint32(classes)).astype(np.int64)


def idx(folder, part):
    """Images in [0, 1] (channels last) and labels from two unpacked IDX files."""
    read = lambda kind, header: np.fromfile(pathlib.Path(folder) / f"{part}-{kind}-ubyte", np.uint8, offset=header)
    x = read("images-idx3", 16).reshape(-1, 28, 28, 1).astype(np.float32) / np.float32(255)
    return x, read("labels-idx1", 8).astype(np.int64)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=NETWORKS, default="mlp20")
    parser.add_argument("--task", choices=("train", "infer", "fashion"), default="train")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layout", choices=("channels-first", "channels-last"), default="channels-first")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--folder")
    return parser.parse_args()


def say(row):
    print(json.dumps(row), flush=True)


def serve(seconds, turn):
    """Repeats `turn`, which answers (steps, samples), for a while whenever a line comes."""
    for _ in sys.stdin:
        steps = samples = 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            more = turn()
            steps += more[0]
            samples += more[1]
        say({"steps": steps, "samples": samples, "seconds": time.perf_counter() - start})
