from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float32] | NDArray[np.float64]
_Arrays = _Array | Iterable[_Array]
_Dialect = Literal["torch", "textbook"]

class Optimizer:
    lr: float
    @property
    def dialect(self) -> _Dialect: ...
    @property
    def hyper(self) -> dict[str, float]: ...
    @property
    def steps(self) -> int: ...
    def __new__(
        cls, name: str, params: _Arrays, lr: float | None = None, *, dialect: _Dialect = "torch", **hyper: float
    ) -> Optimizer: ...
    def step(self, grads: _Arrays) -> None: ...
    def step_with(self, f: Callable[[Any], tuple[float, _Arrays]]) -> float: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...

class SGD(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        dialect: _Dialect = "torch",
    ) -> SGD: ...

class Momentum(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        momentum: float = ...,
        dialect: _Dialect = "torch",
    ) -> Momentum: ...

class NAG(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        momentum: float = ...,
        dialect: _Dialect = "torch",
    ) -> NAG: ...

class Adagrad(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> Adagrad: ...

class Adadelta(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        rho: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> Adadelta: ...

class RMSprop(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        alpha: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> RMSprop: ...

class Adam(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> Adam: ...

def make(
    name: str, params: _Arrays, lr: float | None = None, *, dialect: _Dialect = "torch", **hyper: float
) -> Optimizer: ...
