"""Writes optax.json: the paths of optax's and optax.contrib's methods on the small f64 problems of `problems.py`.

JAX runs in f64, held to the instructions that every x86 has: none that multiplies and adds in one rounding.

Two rules compute a scalar in f32 whatever W is: Adafactor its decay rate, the Schedule-Free ones their warm-up. Nothing
exact can be compared with that, so `jnp` is lent to the one's module with this type widened to f64, and the other's
warm-up is asked for an f64 step. Rows so made carry `widened`.

Optax's Rprop keeps the move that it computes for the step after. It is walked twice: as it is, and, in rows that carry
`mended`, with each move made in the step that computed it. Adan has sets with β₂ = ½, where optax's mix-up of β₂ and 1−β₂
changes nothing, beside the three that show it.
"""

import os
import types

os.environ["JAX_ENABLE_X64"] = "true"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_max_isa=SSE4_2"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402
from optax import contrib  # noqa: E402
from optax._src import factorized as factorized_module  # noqa: E402
from optax.contrib import _schedule_free as schedule_free_module  # noqa: E402
from problems import BLOCKS, FLAT, gradient, read_defaults, shapes, split, walked, write  # noqa: E402

STEPS = 100


def of(constructor, **names):
    """A rule whose arguments are Thalweg's hyperparameters by another name."""
    return lambda h: constructor(h["learning_rate"], **{theirs: h[ours] for ours, theirs in names.items()})


def sets(names, *rows):
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


def fixed(constructor, **values):
    return lambda *args, **given: constructor(*args, **values, **given)


def yogi(h):
    own = {"b1": h["beta1"], "b2": h["beta2"], "eps": h["epsilon"]}
    if h["initial_accumulator"] == 1e-6:
        return optax.yogi(h["learning_rate"], **own)
    scaled = optax.scale_by_yogi(**own, initial_accumulator_value=h["initial_accumulator"])  # the alias fixes it
    return optax.chain(scaled, optax.scale_by_learning_rate(h["learning_rate"]))


def prodigy(h):
    return contrib.prodigy(
        h["learning_rate"],
        betas=(h["beta1"], h["beta2"]),
        beta3=h["beta3"],
        eps=h["epsilon"],
        estim_lr0=h["d0"],
        estim_lr_coef=h["d_coef"],
        weight_decay=h["weight_decay"],
    )


def schedule_free_sgd(h):
    return contrib.schedule_free_sgd(
        h["learning_rate"],
        warmup_steps=int(h["warmup_steps"]) or None,
        b1=h["beta"],
        weight_decay=h["weight_decay"] or None,
        state_dtype=jnp.float64,
    )


def schedule_free_adamw(h):
    return contrib.schedule_free_adamw(
        h["learning_rate"],
        warmup_steps=int(h["warmup_steps"]) or None,
        b1=h["beta1"],
        b2=h["beta2"],
        eps=h["epsilon"],
        weight_decay=h["weight_decay"],
        state_dtype=jnp.float64,
    )


def adafactor(h):
    return optax.adafactor(
        h["learning_rate"],
        min_dim_size_to_factor=int(h["min_dim_size_to_factor"]),
        decay_rate=h["decay_rate"],
        multiply_by_parameter_scale=bool(h["multiply_by_parameter_scale"]),
        clipping_threshold=h["clip_threshold"],
        weight_decay_rate=h["weight_decay"] or None,
        eps=h["epsilon"],
    )


def muon(h):
    return contrib.muon(
        h["learning_rate"],
        ns_steps=int(h["ns_steps"]),
        beta=h["momentum"],
        eps=h["epsilon"],
        weight_decay=h["weight_decay"],
        nesterov=bool(h["nesterov"]),
        adam_b1=h["adam_beta1"],
        adam_b2=h["adam_beta2"],
        adam_weight_decay=h["adam_weight_decay"],
        consistent_rms=h["consistent_rms"] or None,
    )


ADAM = {"beta1": "b1", "beta2": "b2", "epsilon": "eps"}
DECAY = {"weight_decay": "weight_decay"}
RMS = {"alpha": "decay", "epsilon": "eps"}

# Rule: constructor, and its sets; the first is optax's default, with a customary learning rate and momentum where optax
# has none.
ELEMENTWISE = {
    "sgd": (of(optax.sgd), sets("learning_rate", [0.01], [0.02], [0.1])),
    # Optax has no dampening: its rows say so.
    "momentum": (
        of(optax.sgd, momentum="momentum"),
        sets("learning_rate momentum dampening", [0.01, 0.9, 0.0], [0.03, 0.5, 0.0], [0.005, 0.99, 0.0]),
    ),
    "nag": (
        of(fixed(optax.sgd, nesterov=True), momentum="momentum"),
        sets("learning_rate momentum", [0.01, 0.9], [0.03, 0.5], [0.005, 0.99]),
    ),
    "adagrad": (
        of(optax.adagrad, epsilon="eps", initial_accumulator="initial_accumulator_value"),
        sets("learning_rate epsilon initial_accumulator", [0.01, 1e-7, 0.1], [0.3, 1e-3, 0.0], [1.0, 0.1, 0.5]),
    ),
    "adadelta": (
        of(optax.adadelta, rho="rho", epsilon="eps"),
        sets("learning_rate rho epsilon", [1.0, 0.9, 1e-6], [0.5, 0.95, 1e-3], [2.0, 0.6, 1e-8]),
    ),
    "rmsprop": (
        of(optax.rmsprop, **RMS),
        sets("learning_rate alpha epsilon", [0.001, 0.9, 1e-8], [0.01, 0.99, 1e-3], [0.05, 0.999, 0.01]),
    ),
    "rmsprop-momentum": (
        of(optax.rmsprop, **RMS, momentum="momentum"),
        sets(
            "learning_rate alpha epsilon momentum",
            [0.001, 0.9, 1e-8, 0.9],
            [0.002, 0.99, 1e-3, 0.5],
            [0.01, 0.999, 0.01, 0.8],
        ),
    ),
    "rmsprop-centered": (
        of(fixed(optax.rmsprop, centered=True), **RMS, momentum="momentum"),
        sets(
            "learning_rate alpha epsilon momentum",
            [0.001, 0.9, 1e-8, 0.0],
            [0.002, 0.99, 1e-3, 0.5],
            [0.01, 0.999, 0.01, 0.9],
        ),
    ),
    "adam": (
        of(optax.adam, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [1e-3, 0.9, 0.999, 1e-8], [0.05, 0.8, 0.99, 1e-6], [0.2, 0.95, 0.9999, 1e-3]),
    ),
    "amsgrad": (
        of(optax.amsgrad, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [1e-3, 0.9, 0.999, 1e-8], [0.05, 0.8, 0.9, 1e-6], [0.2, 0.95, 0.99, 1e-3]),
    ),
    "adamw": (
        of(optax.adamw, **ADAM, **DECAY),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay",
            [1e-3, 0.9, 0.999, 1e-8, 1e-4],
            [0.05, 0.8, 0.99, 1e-6, 0.1],
            [0.2, 0.95, 0.9999, 1e-3, 0.3],
        ),
    ),
    "adamax": (
        of(optax.adamax, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [2e-3, 0.9, 0.999, 1e-8], [0.02, 0.8, 0.99, 1e-3], [0.1, 0.95, 0.99, 0.1]),
    ),
    "nadam": (
        of(optax.nadam, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [2e-3, 0.9, 0.999, 1e-8], [0.05, 0.8, 0.99, 1e-6], [0.1, 0.95, 0.9999, 1e-3]),
    ),
    "radam": (
        of(optax.radam, **ADAM, threshold="threshold"),
        sets(
            "learning_rate beta1 beta2 epsilon threshold",
            [1e-3, 0.9, 0.999, 1e-8, 5.0],
            [0.02, 0.8, 0.9, 1e-6, 4.5],
            [0.05, 0.95, 0.99, 1e-3, 10.0],
        ),
    ),
    "adabelief": (
        of(optax.adabelief, **ADAM, epsilon_root="eps_root"),
        sets(
            "learning_rate beta1 beta2 epsilon epsilon_root",
            [1e-3, 0.9, 0.999, 1e-16, 1e-16],
            [0.02, 0.8, 0.99, 1e-4, 1e-8],
            [0.05, 0.95, 0.9, 1e-3, 1e-3],
        ),
    ),
    "adan": (
        of(optax.adan, **ADAM, **DECAY, beta3="b3", epsilon_root="eps_root"),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay beta3 epsilon_root",
            [1e-3, 0.98, 0.92, 1e-8, 0.0, 0.99, 1e-8],
            [0.05, 0.9, 0.8, 1e-6, 0.1, 0.95, 0.0],
            [0.02, 0.95, 0.9, 1e-3, 0.02, 0.999, 1e-4],
            [1e-3, 0.98, 0.5, 1e-8, 0.0, 0.99, 1e-8],
            [0.05, 0.9, 0.5, 1e-6, 0.1, 0.95, 0.0],
            [0.02, 0.95, 0.5, 1e-3, 0.02, 0.999, 1e-4],
        ),
    ),
    "lion": (
        of(optax.lion, beta1="b1", beta2="b2", **DECAY),
        sets("learning_rate beta1 beta2 weight_decay", [1e-3, 0.9, 0.99, 1e-3], [0.02, 0.8, 0.95, 0.1], [0.01, 0.95, 0.9, 1.0]),
    ),
    "rprop": (
        of(optax.rprop, eta_minus="eta_minus", eta_plus="eta_plus", step_min="min_step_size", step_max="max_step_size"),
        sets(
            "learning_rate eta_minus eta_plus step_min step_max",
            [0.01, 0.5, 1.2, 1e-6, 50.0],
            [0.1, 0.3, 1.5, 1e-3, 0.2],
            [1e-4, 0.7, 1.1, 1e-3, 1.0],
        ),
    ),
    "sign-sgd": (of(optax.sign_sgd), sets("learning_rate", [1e-3], [0.01], [0.003])),
    "yogi": (
        yogi,
        sets(
            "learning_rate beta1 beta2 epsilon initial_accumulator",
            [0.01, 0.9, 0.999, 1e-3, 1e-6],
            [0.05, 0.8, 0.99, 1e-6, 1e-6],
            [0.1, 0.95, 0.9, 1e-3, 0.1],
        ),
    ),
    "schedule-free-sgd": (
        schedule_free_sgd,
        sets("learning_rate beta weight_decay warmup_steps", [1.0, 0.9, 0.0, 0], [0.1, 0.95, 0.01, 0], [0.05, 0.8, 0.0, 20]),
    ),
    "schedule-free-adamw": (
        schedule_free_adamw,
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay warmup_steps",
            [2.5e-3, 0.9, 0.999, 1e-8, 0.0, 0],
            [0.05, 0.95, 0.99, 1e-6, 0.1, 0],
            [0.1, 0.8, 0.999, 1e-3, 0.01, 20],
        ),
    ),
    "adopt": (
        of(contrib.adopt, **ADAM),
        sets("learning_rate beta1 beta2 epsilon", [1e-3, 0.9, 0.9999, 1e-6], [0.05, 0.8, 0.99, 1e-3], [0.1, 0.95, 0.9, 0.1]),
    ),
    "prodigy": (
        prodigy,
        sets(
            "learning_rate beta1 beta2 beta3 epsilon d0 d_coef weight_decay",
            [1.0, 0.9, 0.999, 0.999**0.5, 1e-8, 1e-6, 1.0, 0.0],
            [0.3, 0.8, 0.999, 0.95, 1e-4, 1e-3, 1.0, 0.01],
            [1.0, 0.95, 0.99, 0.99**0.5, 1e-8, 1e-2, 0.5, 0.1],
        ),
    ),
}

SHAPED = {
    "lars": (
        of(optax.lars, momentum="momentum", trust_coefficient="trust_coefficient", epsilon="eps", **DECAY),
        sets(
            "learning_rate momentum weight_decay trust_coefficient epsilon",
            [0.1, 0.9, 0.0, 0.001, 0.0],
            [0.5, 0.5, 0.1, 0.01, 1e-3],
            [0.2, 0.8, 0.01, 0.02, 1e-8],
        ),
    ),
    "lamb": (
        of(optax.lamb, **ADAM, **DECAY),
        sets(
            "learning_rate beta1 beta2 epsilon weight_decay",
            [1e-3, 0.9, 0.999, 1e-6, 0.0],
            [0.02, 0.8, 0.99, 1e-4, 0.1],
            [0.01, 0.95, 0.99, 1e-3, 0.3],
        ),
    ),
    "adafactor": (
        adafactor,
        sets(
            "learning_rate min_dim_size_to_factor decay_rate multiply_by_parameter_scale clip_threshold weight_decay epsilon",
            [0.01, 128, 0.8, 1, 1.0, 0.0, 1e-30],
            [0.01, 2, 0.5, 1, 2.0, 0.01, 1e-8],
            [0.002, 1, 0.9, 0, 1.5, 0.001, 1e-3],
        ),
    ),
    # `consistent_rms` 0 is optax's None: scaled by √max(1, columns/rows).
    "muon": (
        muon,
        sets(
            "learning_rate momentum weight_decay ns_steps nesterov epsilon consistent_rms adam_beta1 adam_beta2 adam_weight_decay",
            [1e-3, 0.95, 0.0, 5, 1, 1e-8, 0.0, 0.9, 0.999, 0.0],
            [0.02, 0.9, 0.1, 3, 0, 1e-4, 0.0, 0.8, 0.99, 0.05],
            [0.01, 0.8, 0.05, 5, 1, 1e-3, 0.3, 0.9, 0.95, 0.1],
        ),
    ),
}
WIDENED = {"adafactor": "float32", "schedule-free-sgd": "float32", "schedule-free-adamw": "float32"}

SIGNATURES = {
    "sgd": (optax.sgd, {}),
    "momentum": (optax.sgd, {}),
    "nag": (optax.sgd, {}),
    "adagrad": (optax.adagrad, {"epsilon": "eps", "initial_accumulator": "initial_accumulator_value"}),
    "adadelta": (optax.adadelta, {"rho": "rho", "epsilon": "eps"}),
    "rmsprop": (optax.rmsprop, RMS),
    "rmsprop-momentum": (optax.rmsprop, RMS),
    "rmsprop-centered": (optax.rmsprop, RMS),
    "adam": (optax.adam, ADAM),
    "amsgrad": (optax.amsgrad, ADAM),
    "adamw": (optax.adamw, {**ADAM, **DECAY}),
    "adamax": (optax.adamax, ADAM),
    "nadam": (optax.nadam, ADAM),
    "radam": (optax.radam, {**ADAM, "threshold": "threshold"}),
    "adabelief": (optax.adabelief, {**ADAM, "epsilon_root": "eps_root"}),
    "adan": (optax.adan, {**ADAM, **DECAY, "beta3": "b3", "epsilon_root": "eps_root"}),
    "lion": (optax.lion, {"beta1": "b1", "beta2": "b2", **DECAY}),
    "rprop": (
        optax.rprop,
        {"eta_minus": "eta_minus", "eta_plus": "eta_plus", "step_min": "min_step_size", "step_max": "max_step_size"},
    ),
    "sign-sgd": (optax.sign_sgd, {}),
    "yogi": (optax.yogi, ADAM),
    "schedule-free-sgd": (
        contrib.schedule_free_sgd,
        {"learning_rate": "learning_rate", "beta": "b1", **DECAY, "warmup_steps": "warmup_steps"},
    ),
    "schedule-free-adamw": (
        contrib.schedule_free_adamw,
        {"learning_rate": "learning_rate", **ADAM, **DECAY, "warmup_steps": "warmup_steps"},
    ),
    "adopt": (contrib.adopt, ADAM),
    "prodigy": (
        contrib.prodigy,
        {
            "learning_rate": "learning_rate",
            "beta1": ("betas", 0),
            "beta2": ("betas", 1),
            "epsilon": "eps",
            "d0": "estim_lr0",
            "d_coef": "estim_lr_coef",
            **DECAY,
        },
    ),
    "lars": (optax.lars, {"momentum": "momentum", "trust_coefficient": "trust_coefficient", "epsilon": "eps", **DECAY}),
    "lamb": (optax.lamb, {**ADAM, **DECAY}),
    "adafactor": (
        optax.adafactor,
        {
            "min_dim_size_to_factor": "min_dim_size_to_factor",
            "decay_rate": "decay_rate",
            "multiply_by_parameter_scale": "multiply_by_parameter_scale",
            "clip_threshold": "clipping_threshold",
            "weight_decay": "weight_decay_rate",
            "epsilon": "eps",
        },
    ),
    "muon": (
        contrib.muon,
        {
            "momentum": "beta",
            **DECAY,
            "ns_steps": "ns_steps",
            "nesterov": "nesterov",
            "epsilon": "eps",
            "consistent_rms": "consistent_rms",
            "adam_beta1": "adam_b1",
            "adam_beta2": "adam_b2",
            "adam_weight_decay": "adam_weight_decay",
        },
    ),
}
# What no signature gives. None for a momentum is 0; the momentum that these rules cannot be without is the customary 0.9;
# Yogi's alias has its accumulator fixed; Prodigy's β₃ of None becomes √β₂; Adadelta without a learning rate does as
# with 1. Optax has no default learning rate elsewhere.
GIVEN = {
    "momentum": {"momentum": 0.9, "dampening": 0.0},
    "nag": {"momentum": 0.9},
    "rmsprop-momentum": {"momentum": 0.9},
    "rmsprop-centered": {"momentum": 0.0},
    "adadelta": {"learning_rate": 1.0},
    "yogi": {"initial_accumulator": 1e-6},
    "prodigy": {"beta3": 0.999**0.5},
}


def defaults():
    """Each method's default hyperparameters, read from the signatures; a decay, warm-up or rms of None is 0."""
    table = {}
    for name, (constructor, names) in SIGNATURES.items():
        row = {**read_defaults(constructor, names), **GIVEN.get(name, {})}
        table[name] = {key: 0.0 if v is None else v + 0 for key, v in row.items()}
    return table


# -------------------------------------------------------------------------------------------- the walks


class Lent(types.ModuleType):
    """`jnp` with f32 replaced by f64."""

    float32 = jnp.float64

    def __getattr__(self, name):
        return getattr(jnp, name)


def widen():
    factorized_module.jnp = Lent("jnp")
    narrow = schedule_free_module._schedule

    def warmup(**given):
        schedule = narrow.warmup_constant_schedule(**given)
        return lambda count: schedule(jnp.asarray(count, jnp.float64))

    schedule_free_module._schedule = types.SimpleNamespace(warmup_constant_schedule=warmup)


def tree(problem, values):
    blocks = zip(shapes(problem), split(problem, values), strict=True)
    return [jnp.array(w, dtype=jnp.float64).reshape(shape) for shape, w in blocks]


def flat(leaves):
    return [v for w in leaves for v in w.reshape(-1).tolist()]


def grad_tree(problem, w):
    return tree(problem, gradient(problem, flat(w)))


def stepper(method):
    """One compiled step: the new W and state."""

    @jax.jit
    def step(grad, state, w):
        updates, state = method.update(grad, state, w)
        return optax.apply_updates(w, updates), state

    return step


def walk(method, problem):
    w = tree(problem, problem["w0"])
    state = method.init(w)
    step = stepper(method)
    path, evaluated = [], []
    for _ in range(STEPS):
        w, state = step(grad_tree(problem, w), state, w)
        assert all(p.dtype == jnp.float64 for p in w)
        path.append(flat(w))
        if isinstance(state, contrib.ScheduleFreeState):
            evaluated.append(flat(contrib.schedule_free_eval_params(state, w)))
    return {"w": walked(path), **({"evaluation": walked(evaluated)} if evaluated else {})}


def at_once(rprop):
    """The same with the move that was just computed, which the state holds, instead of the one before."""

    def update(grad, state, w):
        _, state = rprop.update(grad, state, w)
        return jax.tree.map(jnp.negative, state[0].prev_updates), state

    return optax.GradientTransformation(rprop.init, update)


MENDED = {"rprop": at_once}


def runs(methods, problems):
    for name, (build, hypers) in methods.items():
        for hyper in hypers:
            for problem in problems:
                row = {"optimizer": name, "problem": problem["name"], "hyperparameters": hyper}
                if name in WIDENED:
                    row["widened"] = WIDENED[name]
                yield {**row, **walk(build(hyper), problem)}
                if name in MENDED:
                    yield {**row, "mended": True, **walk(MENDED[name](build(hyper)), problem)}


# ----------------------------------------------------------------------------------------------- wrapped


def first(rule):
    """The rule at its second set."""
    build, hypers = ELEMENTWISE[rule]
    return build(hypers[1])


CHAINED = [
    ("clip-adaptive", {"clipping": 0.1, "epsilon": 1e-3}, lambda s: optax.adaptive_grad_clip(s["clipping"], s["epsilon"]), "momentum", BLOCKS),
    ("clip-adaptive", {"clipping": 0.5, "epsilon": 1e-2}, lambda s: optax.adaptive_grad_clip(s["clipping"], s["epsilon"]), "sgd", BLOCKS),
    ("clip-norm", {"max_norm": 0.5}, lambda s: optax.clip_by_global_norm(s["max_norm"]), "momentum", [FLAT[0], BLOCKS[0]]),
    ("clip-value", {"max_value": 0.3}, lambda s: optax.clip(s["max_value"]), "adam", [FLAT[0], FLAT[2]]),
    ("decay-coupled", {"weight_decay": 0.05}, lambda s: optax.add_decayed_weights(s["weight_decay"]), "momentum", [FLAT[0], FLAT[2]]),
    ("gradient-ema", {"decay": 0.9, "debias": 1}, lambda s: optax.ema(s["decay"], debias=True), "sgd", [FLAT[0], FLAT[2]]),
]  # fmt: skip


def chained():
    for name, settings, wrap, rule, problems in CHAINED:
        for problem in problems:
            yield name, settings, rule, problem, walk(optax.chain(wrap(settings), first(rule)), problem)


def sam():
    for settings, rule in (({"rho": 0.05}, "sgd"), ({"rho": 0.3}, "momentum"), ({"rho": 0.5}, "adam")):
        for problem in (*FLAT, BLOCKS[0]):
            # Transparent mode: every second update is the step, the one before it is the climb.
            climb = optax.chain(contrib.normalize(), optax.sgd(settings["rho"]))
            method = contrib.sam(first(rule), climb, sync_period=2)
            w = tree(problem, problem["w0"])
            state = method.init(w)
            step = stepper(method)
            path = []
            for update in range(2 * STEPS):
                w, state = step(grad_tree(problem, w), state, w)
                if update % 2 == 1:
                    path.append(flat(w))
            yield "sam", settings, rule, problem, {"w": walked(path)}


def lookahead():
    for settings, rule in (({"period": 5, "slow_step": 0.5}, "momentum"), ({"period": 6, "slow_step": 0.8}, "adam")):
        for problem in (FLAT[0], FLAT[2]):
            method = optax.lookahead(first(rule), settings["period"], settings["slow_step"])
            w = optax.LookaheadParams.init_synced(tree(problem, problem["w0"]))
            state = method.init(w)
            step = stepper(method)
            fast, slow = [], []
            for _ in range(STEPS):
                w, state = step(grad_tree(problem, w.fast), state, w)
                fast.append(flat(w.fast))
                slow.append(flat(w.slow))
            yield "lookahead", settings, rule, problem, {"w": walked(fast), "slow": walked(slow)}


def averaged():
    """The debiased average of W that optax.ema gives when it is fed W instead of gradients."""
    for settings, rule in (({"decay": 0.9}, "momentum"), ({"decay": 0.999}, "adam")):
        for problem in (FLAT[0], FLAT[2]):
            method, ema = first(rule), optax.ema(settings["decay"], debias=True)
            w = tree(problem, problem["w0"])
            state, ema_state = method.init(w), ema.init(w)
            step = stepper(method)
            path, means = [], []
            for _ in range(STEPS):
                w, state = step(grad_tree(problem, w), state, w)
                mean, ema_state = ema.update(w, ema_state)
                path.append(flat(w))
                means.append(flat(mean))
            yield "ema-debiased", settings, rule, problem, {"w": walked(path), "average": walked(means)}


def accumulated():
    for settings, rule in (({"steps": 4}, "adam"), ({"steps": 3}, "momentum")):
        for problem in (FLAT[0], FLAT[2]):
            method = optax.MultiSteps(first(rule), settings["steps"], accumulator_dtype=jnp.float64)
            yield "accumulate", settings, rule, problem, walk(method, problem)


def wrapped():
    for rows in (chained(), sam(), lookahead(), averaged(), accumulated()):
        for name, settings, rule, problem, found in rows:
            yield {
                "wrapper": name,
                "settings": settings,
                "optimizer": rule,
                "problem": problem["name"],
                "hyperparameters": ELEMENTWISE[rule][1][1],
                **found,
            }


def main():
    widen()
    golden = {
        "made_by": "cargo xtask goldens optim",
        "optax": optax.__version__,
        "jax": jax.__version__,
        "defaults": defaults(),
        "problems": [*FLAT, *BLOCKS],
        "runs": [*runs(ELEMENTWISE, FLAT), *runs(SHAPED, BLOCKS)],
        "wrapped": list(wrapped()),
    }
    for name, (_, hypers) in {**ELEMENTWISE, **SHAPED}.items():
        expected = golden["defaults"][name]
        assert {key: hypers[0][key] for key in expected} == expected, f"{name}: the first set must be the defaults"
        assert set(hypers[0]) - set(expected) <= {"learning_rate"}, name
    write(__file__, "optax.json", golden)


if __name__ == "__main__":
    main()
