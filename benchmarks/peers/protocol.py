"""What the peers share: the protocol of `thalweg compare digits`, written the way a user of the packages would.

For every outer fold and method: nine learning rates on an inner validation split, the best one refitted on the
whole outer training part, scored once on the outer test part. A peer brings one function:

    train(x, y, method, learning_rate, epochs, seed) -> (x -> class probabilities)

The seconds run from after the imports and the loading of the data to the last score.
"""

import argparse
import json
import math
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

BATCH_SIZE = 32
HIDDEN = 64
MOMENTUM = 0.9
LEARNING_RATES = [float(v) for v in np.logspace(-4, 0, 9)]
FOLDS = 5


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizers", required=True, help="names, comma-separated")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, help="threads of this process (default: the package's own)")
    parser.add_argument("--shard", default="0/1", help="I/N: take every N-th (fold, method) pair from the I-th on")
    return parser.parse_args()


def steps(rows, epochs):
    """Gradient steps of one training: the last, smaller batch of an epoch counts."""
    return math.ceil(rows / BATCH_SIZE) * epochs


def scaled(train, *others):
    """Standardized by the training part alone."""
    scaler = StandardScaler().fit(train)
    return [scaler.transform(part).astype(np.float32) for part in (train, *others)]


def quality(probabilities, y):
    """(accuracy, mean log likelihood), or None when the training diverged."""
    if not np.isfinite(probabilities).all():
        return None
    of_truth = probabilities[np.arange(len(y)), y]
    return (probabilities.argmax(axis=1) == y).mean(), np.log(np.maximum(of_truth, 1e-15)).mean()


def one_fold(train, x, y, fold, method, epochs, seed):
    """The outer test accuracy of one method on one fold, and the steps it took."""
    outer_train, outer_test = fold
    fit_rows, valid_rows = train_test_split(outer_train, test_size=0.2, stratify=y[outer_train], random_state=seed)
    x_fit, x_valid = scaled(x[fit_rows], x[valid_rows])
    best = None
    taken = 0
    for rate in LEARNING_RATES:
        predict = train(x_fit, y[fit_rows], method, rate, epochs, seed)
        taken += steps(len(fit_rows), epochs)
        found = quality(predict(x_valid), y[valid_rows])
        if found is not None and (best is None or found > best[0]):
            best = (found, rate)
    if best is None:
        raise SystemExit(f"{method}: every learning rate diverged")
    x_train, x_test = scaled(x[outer_train], x[outer_test])
    predict = train(x_train, y[outer_train], method, best[1], epochs, seed)
    taken += steps(len(outer_train), epochs)
    found = quality(predict(x_test), y[outer_test])
    return (0.0 if found is None else float(found[0])), taken


def main(args, train, version):
    """Runs this process's share and prints one JSON object."""
    x, y = load_digits(return_X_y=True)
    shard, shards = (int(part) for part in args.shard.split("/"))
    names = args.optimizers.split(",")
    started = time.perf_counter()
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=args.seed).split(x, y))
    pairs = [(fold, name) for name in names for fold in folds]
    methods = {}
    for fold, name in pairs[shard::shards]:
        score, taken = one_fold(train, x, y, fold, name, args.epochs, args.seed)
        entry = methods.setdefault(name, {"steps": 0, "scores": []})
        entry["steps"] += taken
        entry["scores"].append(score)
    print(json.dumps({"version": version, "seconds": time.perf_counter() - started, "methods": methods}))
