"""Which optimizer generalizes best on your data.

`compare` finds it by nested cross-validation under equal tuning budgets; `optim` holds the optimizers, which step
NumPy arrays in place; `datasets` and `load` give the built-in data. All is computed by the Rust library.
"""

import json as _json
import math as _math
import os as _os

import numpy as _np

from . import _thalweg, optim
from ._thalweg import Comparison, __version__, datasets

__all__ = ["Comparison", "compare", "datasets", "load", "optim"]


def compare(
    X,
    y=None,
    *,
    feature_names=None,
    groups=None,
    name="arrays",
    target=None,
    task=None,
    ignore=None,
    group=None,
    time=None,
    keep=None,
    lags=None,
    missing=None,
    header=None,
    image=None,
    labels=None,
    optimizers=None,
    dialect=None,
    wrap=None,
    learning_rates=None,
    schedule=None,
    regularizers=None,
    regularize=None,
    network=None,
    hidden=None,
    activation=None,
    init=None,
    loss=None,
    epochs=None,
    patience=None,
    batch_size=None,
    cv=None,
    folds=None,
    repeats=None,
    gap=None,
    train_size=None,
    label_noise=None,
    validation=None,
    metric=None,
    seed=None,
    jobs=None,
    out=None,
):
    """Compare optimizers, or with `regularizers` techniques of regularization, on a data set: the same study as the
    command `thalweg compare`.

    X is a matrix of numbers (rows × features, NaN is missing; a DataFrame of numbers gives its column names) with y,
    a label or a number per row; or, without y, the name of a built-in data set or of a CSV file. `groups` has a label
    per row: rows of one group are never split. `name` and `target` name the data and y in the report. Every other
    setting is that of the command, with the same default: see `thalweg compare --help`. Unlike the command, nothing
    is written unless `out` names a folder; then finished trials are kept there, and a study that was interrupted
    goes on where it was.

    Raises ValueError for settings or data that cannot be compared, KeyboardInterrupt on Ctrl-C.
    """
    settings = dict(
        target=target, task=task, ignore=ignore, group=group, time=time, keep=keep, lags=lags, missing=missing,
        header=header, image=image, labels=labels, optimizers=optimizers, dialect=dialect, wrap=wrap,
        learning_rates=learning_rates, schedule=schedule, regularizers=regularizers, regularize=regularize,
        train_size=train_size, label_noise=label_noise, network=network, hidden=hidden, activation=activation, init=init, loss=loss, epochs=epochs, patience=patience,
        batch_size=batch_size, cv=cv, folds=folds, repeats=repeats, gap=gap, validation=validation, metric=metric, seed=seed, jobs=jobs,
    )  # fmt: skip
    given = {key: _plain(value) for key, value in settings.items() if value is not None}
    if isinstance(X, (str, _os.PathLike)):
        for key, value in {"y": y, "groups": groups, "feature_names": feature_names}.items():
            if value is not None:
                raise ValueError(f"{key} goes with a matrix X; of a file, name columns with target and group")
        return _thalweg.compare_named(_json.dumps({"data": _os.fspath(X), **given}), out)
    if y is None:
        raise ValueError("y is missing: give a label or a number for each row of X")
    for key in ("header", "missing", "labels"):
        if key in given:
            raise ValueError(
                f"{key} goes with a file; in a matrix NaN is missing, feature_names names the columns, and y has the labels"
            )
    arrays = {"feature_names": feature_names, "groups": groups}
    words = ["X", "y", *(f"{key}={key}" for key, value in arrays.items() if value is not None)]
    words += [f"{key}={value!r}" for key, value in {"name": name, **given}.items()]
    call = f"thalweg.compare({', '.join(words)})"
    x, names = _matrix(X, feature_names)
    more = [(given.setdefault("target", "y"), _column(y, "y"))]
    if groups is not None:
        if "group" in given:
            raise ValueError("groups and group exclude each other: labels per row, or the name of a column of X")
        given["group"] = "groups"
        more.append(("groups", _column(groups, "groups")))
    return _thalweg.compare_arrays(x, names, more, _json.dumps({"data": name, **given}), out, call)


def load(name):
    """A built-in data set as (X, y, feature_names): y holds class names (whole numbers where all are), or numbers."""
    x, y, classes, names = _thalweg.load(name)
    if classes:
        labels = _np.array(classes)
        y = (labels.astype(_np.int64) if all(label.isdigit() for label in classes) else labels)[y]
    return x, y, names


def _plain(value):
    """A setting as JSON can hold it: what is not finite goes as text, and is refused by its name on the other side."""
    if isinstance(value, (_np.ndarray, _np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple, range)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float) and not _math.isfinite(value):
        return str(value)
    return value


def _matrix(X, feature_names):
    if feature_names is None:
        feature_names = getattr(X, "columns", None)
    try:
        x = _np.asarray(X, dtype=_np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be a matrix of numbers, NaN where one is missing: {error}") from None
    if x.ndim != 2:
        raise ValueError(f"X has {x.ndim} dimensions, expected 2: rows × features")
    if feature_names is None:
        feature_names = (f"x{column}" for column in range(x.shape[1]))
    return x, [str(feature) for feature in feature_names]


def _column(values, what):
    """One value per row, as a list of booleans, of numbers, or of texts with None where one is missing."""
    array = _np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{what} has {array.ndim} dimensions, expected 1: a value per row")
    # Whole numbers that a float cannot tell apart are labels, not quantities.
    exact = array.dtype.kind in "iu" and (array.size == 0 or max(abs(int(array.min())), int(array.max())) < 2**53)
    if array.dtype.kind == "b":
        return array.tolist()
    if array.dtype.kind == "f" or exact:
        return array.astype(_np.float64).tolist()
    if array.dtype.kind in "OUSiu":
        return [None if _is_missing(value) else str(value) for value in array.tolist()]
    raise ValueError(f"{what} has dtype {array.dtype}; give numbers, booleans or texts")


def _is_missing(value):
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
