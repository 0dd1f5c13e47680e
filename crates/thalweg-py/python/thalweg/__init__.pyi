import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import optim as optim

__version__: str

class Comparison:
    @property
    def summary(self) -> dict[str, Any]: ...
    @property
    def ranking(self) -> list[dict[str, Any]]: ...
    @property
    def best(self) -> str | None: ...
    @property
    def verdict(self) -> str: ...
    def report(self, path: str | os.PathLike[str]) -> None: ...
    def _repr_html_(self) -> str: ...

def compare(
    X: ArrayLike | str | os.PathLike[str],
    y: ArrayLike | None = None,
    *,
    feature_names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    name: str = "arrays",
    target: str | None = None,
    task: str | None = None,
    ignore: str | Sequence[str] | None = None,
    group: str | None = None,
    time: str | None = None,
    keep: str | Sequence[str] | None = None,
    lags: int | None = None,
    missing: str | Sequence[str] | None = None,
    header: str | None = None,
    image: str | None = None,
    labels: str | None = None,
    optimizers: str | Sequence[str] | None = None,
    dialect: str | None = None,
    wrap: str | Sequence[str | Mapping[str, Any]] | None = None,
    learning_rates: str | Sequence[float] | None = None,
    schedule: str | Mapping[str, Any] | None = None,
    regularizers: str | Sequence[str] | None = None,
    regularize: str | Mapping[str, Any] | None = None,
    network: str | Sequence[str | Mapping[str, Any]] | None = None,
    hidden: int | str | Sequence[int] | None = None,
    activation: str | None = None,
    init: str | None = None,
    loss: str | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    batch_size: int | str | None = None,
    cv: str | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    gap: int | None = None,
    train_size: int | None = None,
    label_noise: float | None = None,
    validation: float | None = None,
    metric: str | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Comparison: ...
def datasets() -> dict[str, dict[str, Any]]: ...
def load(name: str) -> tuple[NDArray[np.float64], NDArray[Any], list[str]]: ...
