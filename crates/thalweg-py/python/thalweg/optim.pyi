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

class SGD(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> SGD: ...

class Momentum(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        momentum: float = ...,
        dampening: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> Momentum: ...

class NAG(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        momentum: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> NAG: ...

class Adagrad(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        epsilon: float = ...,
        initial_accumulator: float = ...,
        lr_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> Adagrad: ...

class Adadelta(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        rho: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> Adadelta: ...

class RMSprop(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        alpha: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> RMSprop: ...

class Adam(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> Adam: ...

class RMSpropWithMomentum(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        alpha: float = ...,
        epsilon: float = ...,
        momentum: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> RMSpropWithMomentum: ...

class CenteredRMSprop(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        alpha: float = ...,
        epsilon: float = ...,
        momentum: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> CenteredRMSprop: ...

class AMSGrad(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> AMSGrad: ...

class AdamW(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> AdamW: ...

class Adamax(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> Adamax: ...

class NAdam(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        momentum_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> NAdam: ...

class RAdam(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        threshold: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> RAdam: ...

class AdaBelief(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        epsilon_root: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> AdaBelief: ...

class Yogi(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        initial_accumulator: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> Yogi: ...

class ADOPT(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> ADOPT: ...

class Adan(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        beta3: float = ...,
        epsilon: float = ...,
        epsilon_root: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> Adan: ...

class Lion(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
    ) -> Lion: ...

class SignSGD(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> SignSGD: ...

class Rprop(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        eta_minus: float = ...,
        eta_plus: float = ...,
        step_min: float = ...,
        step_max: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        etas: tuple[float, float] = ...,
        step_sizes: tuple[float, float] = ...,
    ) -> Rprop: ...

class ScheduleFreeSGD(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta: float = ...,
        weight_decay: float = ...,
        warmup_steps: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> ScheduleFreeSGD: ...

class ScheduleFreeAdamW(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        warmup_steps: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> ScheduleFreeAdamW: ...

class Prodigy(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        beta3: float = ...,
        epsilon: float = ...,
        d0: float = ...,
        d_coef: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> Prodigy: ...

class LARS(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        momentum: float = ...,
        weight_decay: float = ...,
        trust_coefficient: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> LARS: ...

class LAMB(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> LAMB: ...

class Adafactor(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta2_decay: float = ...,
        epsilon1: float = ...,
        epsilon2: float = ...,
        clip_threshold: float = ...,
        weight_decay: float = ...,
        min_dim_size_to_factor: float = ...,
        parameter_scale: float = ...,
        relative_step: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> Adafactor: ...

class Muon(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        momentum: float = ...,
        weight_decay: float = ...,
        ns_steps: float = ...,
        nesterov: float = ...,
        epsilon: float = ...,
        rms_rate: float = ...,
        adam_lr_ratio: float = ...,
        adam_beta1: float = ...,
        adam_beta2: float = ...,
        adam_epsilon: float = ...,
        adam_weight_decay: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        eps: float = ...,
    ) -> Muon: ...

class SOAP(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        shampoo_beta: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        precondition_frequency: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
        betas: tuple[float, float] = ...,
        eps: float = ...,
    ) -> SOAP: ...

class GradientDescent(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        c1: float = ...,
        shrink: float = ...,
        max_evaluations: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> GradientDescent: ...

class LBFGS(Optimizer):
    def __new__(
        cls,
        params: _Params,
        lr: float | None = None,
        *,
        history: float = ...,
        c1: float = ...,
        c2: float = ...,
        max_evaluations: float = ...,
        tolerance_gradient: float = ...,
        tolerance_change: float = ...,
        dialect: _Dialect = "torch",
        threads: int = 1,
        state_precision: _Precision = "full",
        wrap: _Wrap | None = None,
        schedule: _Schedule | None = None,
        total_steps: int | None = None,
        keep: _Keep | None = None,
    ) -> LBFGS: ...

def make(
    name: str,
    params: _Params,
    lr: float | None = None,
    *,
    dialect: _Dialect = "torch",
    threads: int = 1,
    state_precision: _Precision = "full",
    wrap: _Wrap | None = None,
    schedule: _Schedule | None = None,
    total_steps: int | None = None,
    keep: _Keep | None = None,
    **hyper: Any,
) -> Optimizer: ...
