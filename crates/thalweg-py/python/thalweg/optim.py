"""Optimizers that step NumPy arrays and PyTorch tensors in place: a class per row of the registry, and `make` by name.

    opt = thalweg.optim.Adam([w, b], lr=1e-3)
    opt.step([grad_w, grad_b])

    opt = thalweg.optim.Adam(model.parameters(), lr=1e-3)
    loss.backward()
    opt.step()
    opt.zero_grad()

params are arrays, or groups of them as PyTorch has: dicts with "params" and what is different there, "lr" (kept as a
multiple of the optimizer's), hyperparameters, "wrap", or "optimizer", the name of another rule.

Arrays are float32 or float64, row-major, all of one type; tensors lie on the CPU. Hyperparameters have the registry's
names, and the defaults of the dialect; PyTorch's names (betas, eps) are understood, too. Every class has these keywords, too:

- dialect: "torch" (as torch.optim computes it), "keras", "optax", or "textbook" (as the paper writes it).
- threads: how many share a step; the bits do not depend on it.
- state_precision: "full"; "bf16" or "byte" keep the state of an elementwise method over float32 in 16 or 8 bits.
- wrap: what goes around the rule, inner to outer, such as "clip-norm=1,ema=0.999" or ["clip-norm=1", "ema=0.999"]; the
  names are those of `thalweg list wrappers`.
- schedule, total_steps: what `lr` is multiplied by in each step, such as "cosine" over total_steps, or
  {"name": "cosine", "steps": 1000, "final": 0.1}; the names are those of `thalweg list schedules`.
- keep: of bfloat16 parameters, what becomes of the digits that do not fit: "master" (the default) keeps the lower half of
  a float32, "kahan" what was missed, "stochastic" nothing, but rounds by chance. Arrays are of ml_dtypes, or the bits as
  uint16; gradients are bfloat16 or float32.
"""

import inspect as _inspect
import re as _re

from . import _thalweg
from ._thalweg import Optimizer


# The keywords that every class has, with their defaults.
_KEYWORDS = {
    "dialect": "torch",
    "threads": 1,
    "state_precision": "full",
    "wrap": None,
    "schedule": None,
    "total_steps": None,
    "keep": None,
}


def make(name, params, lr=None, **keywords):
    """The optimizer of the registry with this name, such as "adam"; see the class for its keywords."""
    if name not in _CLASSES:
        return Optimizer(name, params)  # which refuses, with the nearest name
    return _CLASSES[name](params, lr, **keywords)


def _identifier(title):
    """A class's name from a title in prose: `L-BFGS` is LBFGS, `Gradient descent` GradientDescent."""
    return "".join(word[:1].upper() + word[1:] for word in _re.split(r"[^0-9A-Za-z]+", title))


def _class(row):
    name, title, default = row["name"], row["title"], row["dialects"]["torch"]

    def new(cls, params, lr=None, **keywords):
        return Optimizer.__new__(cls, name, params, lr, **keywords)

    keyword, hyper = _inspect.Parameter.KEYWORD_ONLY, row["hyper"]
    plain = [_inspect.Parameter(key, _inspect.Parameter.POSITIONAL_OR_KEYWORD) for key in ("params", "lr")]
    plain[1] = plain[1].replace(default=default["lr"])
    named = [_inspect.Parameter(key, keyword, default=default["defaults"][key]) for key in hyper]
    named += [_inspect.Parameter(key, keyword, default=value) for key, value in _KEYWORDS.items()]
    lines = [f"{title}: {row['summary']}.", "", f"Source: {row['paper']}.", ""]
    for which, form in row["dialects"].items():
        settings = {"lr": form["lr"], **form["defaults"]}
        defaults = ", ".join(f"{key}={value:g}" for key, value in settings.items())
        lines += [f"{which}: {form['formula']}", f"    with {defaults}"]
    lines += ["", *(f"{key} ({symbol}) lies in {span}." for key, (symbol, span) in hyper.items())]
    lines += ["", "The module's documentation has the keywords that every class has."]
    members = {
        "__new__": new,
        "__doc__": "\n".join(lines),
        "__module__": __name__,
        "__signature__": _inspect.Signature([*plain, *named]),
        "name": name,
    }
    return type(_identifier(title), (Optimizer,), members)


_CLASSES = {row["name"]: _class(row) for row in _thalweg.optimizers()}
globals().update({kind.__name__: kind for kind in _CLASSES.values()})

__all__ = ["Optimizer", "make", *(kind.__name__ for kind in _CLASSES.values())]
