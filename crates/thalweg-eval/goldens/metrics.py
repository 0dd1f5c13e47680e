"""Scores by scikit-learn for random predictions: many classes, ties, absent classes, certain and impossible rows.

Run: python metrics.py (needs numpy and scikit-learn)
"""

import warnings

import numpy as np
import sklearn
from sklearn import metrics

from common import write

warnings.simplefilter("ignore")
rng = np.random.default_rng(1945)


def one_vs_rest(y, p):
    """Mean of scikit-learn's binary AUC over the classes that occur; its own 'ovr' wherever that is defined."""
    classes = p.shape[1]
    present = np.unique(y)
    if len(present) < 2:
        return None
    if classes == 2:
        return float(metrics.roc_auc_score(y, p[:, 1]))
    mean = float(np.mean([metrics.roc_auc_score(y == c, p[:, c]) for c in present]))
    if len(present) == classes:
        ovr = metrics.roc_auc_score(y, p / p.sum(1, keepdims=True), multi_class="ovr", average="macro")
        raw = float(np.mean([metrics.roc_auc_score(y == c, (p / p.sum(1, keepdims=True))[:, c]) for c in present]))
        assert abs(ovr - raw) < 1e-12
    return mean


def classification(rows, classes, kind):
    y = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)) * 2
    logits[np.arange(rows), y] += 1
    if kind == "absent":  # the last class never occurs in the truth, nor is it ever predicted first
        y = np.minimum(y, classes - 2)
        logits[:, -1] = -9
    if kind == "unseen":  # the last class is predicted but never occurs
        y = np.minimum(y, classes - 2)
    if kind == "one":
        y[:] = 0
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if kind == "ties":  # few distinct values: halves, quarters
        p = np.round(p * 4) / 4
    if kind == "certain":
        p = np.eye(classes)[np.argmax(p, 1)]
    p32 = p.astype(np.float32)
    eps = np.finfo(np.float32).eps
    p64 = p32.astype(np.float64)
    labels = np.arange(classes)
    predicted = np.argmax(p32, 1)
    # log_loss clips by the epsilon of the array's type and, for float32, also sums in float32. Clipping first by
    # float32's and handing it float64 gives the same convention in double precision.
    clipped = np.clip(p32, eps, 1 - eps).astype(np.float64)
    log_loss = metrics.log_loss(y, clipped, labels=labels)
    assert abs(log_loss - metrics.log_loss(y, p32, labels=labels)) < 1e-4 * max(1, log_loss)
    return {
        "kind": kind,
        "classes": classes,
        "truth": y.tolist(),
        "probabilities": p64.ravel().tolist(),
        "scores": {
            "accuracy": float(metrics.accuracy_score(y, predicted)),
            "balanced-accuracy": float(metrics.balanced_accuracy_score(y, predicted)),
            "log-loss": float(log_loss),
            "f1": float(metrics.f1_score(y, predicted, average="macro")),
            "auc": one_vs_rest(y, p64),
        },
    }


def regression(rows, scale, noise):
    y = rng.normal(size=rows) * scale + rng.normal() * scale
    p = y + rng.normal(size=rows) * noise
    return {
        "truth": y.tolist(),
        "predictions": p.tolist(),
        "scores": {
            "rmse": float(metrics.root_mean_squared_error(y, p)),
            "mae": float(metrics.mean_absolute_error(y, p)),
            "r2": float(metrics.r2_score(y, p)),
        },
    }


cases = [
    classification(rows, classes, kind)
    for kind in ["plain", "ties", "certain", "absent", "unseen", "one"]
    for rows, classes in [(7, 2), (40, 2), (60, 3), (90, 5)]
    if not (kind in ("absent", "unseen") and classes == 2)
]
values = [
    regression(rows, scale, noise)
    for rows in [2, 9, 50]
    for scale in [1e-3, 1, 1e5]
    for noise in [1e-3, 1, 30]
]
write("metrics", [sklearn, np], {"classification": cases, "regression": values})
