from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float32] | NDArray[np.float64]
_Arrays = _Array | Iterable[_Array]
_Dialect = Literal["torch", "keras", "optax", "textbook"]

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
        dampening: float = ...,
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
        initial_accumulator: float = ...,
        lr_decay: float = ...,
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

class RMSpropWithMomentum(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        alpha: float = ...,
        epsilon: float = ...,
        momentum: float = ...,
        dialect: _Dialect = "torch",
    ) -> RMSpropWithMomentum: ...

class CenteredRMSprop(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        alpha: float = ...,
        epsilon: float = ...,
        momentum: float = ...,
        dialect: _Dialect = "torch",
    ) -> CenteredRMSprop: ...

class AMSGrad(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> AMSGrad: ...

class AdamW(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
    ) -> AdamW: ...

class Adamax(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> Adamax: ...

class NAdam(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        momentum_decay: float = ...,
        dialect: _Dialect = "torch",
    ) -> NAdam: ...

class RAdam(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        threshold: float = ...,
        dialect: _Dialect = "torch",
    ) -> RAdam: ...

class AdaBelief(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        epsilon_root: float = ...,
        dialect: _Dialect = "torch",
    ) -> AdaBelief: ...

class Yogi(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        initial_accumulator: float = ...,
        dialect: _Dialect = "torch",
    ) -> Yogi: ...

class ADOPT(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> ADOPT: ...

class Adan(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        beta3: float = ...,
        epsilon: float = ...,
        epsilon_root: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
    ) -> Adan: ...

class Lion(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
    ) -> Lion: ...

class SignSGD(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        dialect: _Dialect = "torch",
    ) -> SignSGD: ...

class Rprop(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        eta_minus: float = ...,
        eta_plus: float = ...,
        step_min: float = ...,
        step_max: float = ...,
        dialect: _Dialect = "torch",
    ) -> Rprop: ...

class ScheduleFreeSGD(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta: float = ...,
        weight_decay: float = ...,
        warmup_steps: float = ...,
        dialect: _Dialect = "torch",
    ) -> ScheduleFreeSGD: ...

class ScheduleFreeAdamW(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        warmup_steps: float = ...,
        dialect: _Dialect = "torch",
    ) -> ScheduleFreeAdamW: ...

class Prodigy(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
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
    ) -> Prodigy: ...

class LARS(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        momentum: float = ...,
        weight_decay: float = ...,
        trust_coefficient: float = ...,
        epsilon: float = ...,
        dialect: _Dialect = "torch",
    ) -> LARS: ...

class LAMB(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        dialect: _Dialect = "torch",
    ) -> LAMB: ...

class Adafactor(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
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
    ) -> Adafactor: ...

class Muon(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
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
    ) -> Muon: ...

class SOAP(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        beta1: float = ...,
        beta2: float = ...,
        shampoo_beta: float = ...,
        epsilon: float = ...,
        weight_decay: float = ...,
        precondition_frequency: float = ...,
        dialect: _Dialect = "torch",
    ) -> SOAP: ...

class GradientDescent(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        c1: float = ...,
        shrink: float = ...,
        max_evaluations: float = ...,
        dialect: _Dialect = "torch",
    ) -> GradientDescent: ...

class LBFGS(Optimizer):
    def __new__(
        cls,
        params: _Arrays,
        lr: float | None = None,
        *,
        history: float = ...,
        c1: float = ...,
        c2: float = ...,
        max_evaluations: float = ...,
        tolerance_gradient: float = ...,
        tolerance_change: float = ...,
        dialect: _Dialect = "torch",
    ) -> LBFGS: ...

def make(
    name: str, params: _Arrays, lr: float | None = None, *, dialect: _Dialect = "torch", **hyper: float
) -> Optimizer: ...
