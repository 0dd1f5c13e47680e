"""Writes `optim.pyi`, the types of `thalweg.optim`, from its classes: `python tests/stubs.py` after a change of the registry.

A test compares the file with what this would write.
"""

import inspect
from pathlib import Path

from thalweg import optim

FILE = Path(__file__).parents[1] / "python" / "thalweg" / "optim.pyi"

HEAD = '''\
# Written by tests/stubs.py.
from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

class _Tensor(Protocol):  # PyTorch's, which this package does not name, as it does not need PyTorch
    requires_grad: bool
    def detach(self) -> Any: ...
    def numpy(self) -> NDArray[Any]: ...

_Array = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.uint16] | _Tensor
_Arrays = _Array | Iterable[_Array]
_Params = _Arrays | Iterable[dict[str, Any]]
_Dialect = Literal["torch", "keras", "optax", "textbook"]
_Precision = Literal["full", "bf16", "byte"]
_Keep = Literal["master", "kahan", "stochastic"]
_Wrap = str | Iterable[str | dict[str, Any]]
_Schedule = str | dict[str, Any]

class Optimizer:
    lr: float
    threads: int
    @property
    def next_lr(self) -> float: ...
    @property
    def dialect(self) -> _Dialect: ...
    @property
    def state_precision(self) -> _Precision: ...
    @property
    def hyper(self) -> dict[str, float]: ...
    @property
    def wrap(self) -> list[str]: ...
    @property
    def keep(self) -> _Keep | None: ...
    @property
    def steps(self) -> int: ...
    def __new__(cls, name: str, params: _Params, lr: float | None = None, **keywords: Any) -> Optimizer: ...
    def step(self, grads: _Arrays | Callable[[], Any] | None = None) -> float | None: ...
    def step_with(self, f: Callable[[Any], tuple[float, _Arrays]]) -> float: ...
    def zero_grad(self, set_to_none: bool = True) -> None: ...
    def forget(self) -> None: ...
    def average(self) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...
    def load_torch_state_dict(self, state: dict[str, Any], rest: dict[str, Any] | None = None) -> None: ...
'''

# The types of the keywords that every class has; hyperparameters are numbers.
TYPES = {
    "params": "_Params",
    "lr": "float | None",
    "dialect": "_Dialect",
    "threads": "int",
    "state_precision": "_Precision",
    "wrap": "_Wrap | None",
    "schedule": "_Schedule | None",
    "total_steps": "int | None",
    "keep": "_Keep | None",
}


# PyTorch's names, by those of here that it stands for.
TORCH = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
    "eps": ("epsilon",),
}


def torch_names(names):
    """PyTorch's keywords for these hyperparameters."""
    for name, own in TORCH.items():
        if set(own) <= set(names):
            yield f"{name}: {'float' if len(own) == 1 else 'tuple[float, float]'} = ..."


def keyword(name, default):
    """A parameter; the default of a hyperparameter goes by the dialect."""
    if name not in TYPES:
        return f"{name}: float = ..."
    return f"{name}: {TYPES[name]} = {default!r}".replace("'", '"')


def method(head, names, result):
    lines = [f"    {head}(", *(f"        {name}," for name in names), f"    ) -> {result}: ..."]
    return "\n".join(lines) + "\n"


def write():
    """The whole file."""
    text = HEAD
    for kind in optim._CLASSES.values():
        own = [
            keyword(name, parameter.default)
            for name, parameter in inspect.signature(kind).parameters.items()
            if name not in ("params", "lr")
        ]
        own += torch_names(inspect.signature(kind).parameters)
        names = ["cls", f"params: {TYPES['params']}", "lr: float | None = None", "*", *own]
        text += f"\nclass {kind.__name__}(Optimizer):\n" + method("def __new__", names, kind.__name__)
    common = [keyword(name, default) for name, default in optim._KEYWORDS.items()]
    names = ["name: str", f"params: {TYPES['params']}", "lr: float | None = None", "*", *common, "**hyper: Any"]
    make = method("def make", names, "Optimizer")
    return text + "\n" + "\n".join(line[4:] for line in make.splitlines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(write(), "utf-8")
