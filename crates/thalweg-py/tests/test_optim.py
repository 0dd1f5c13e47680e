"""The optimizers over NumPy arrays: numbers against torch.optim's committed paths, in place, and refusals."""

import inspect
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
import stubs
import thalweg
from thalweg import optim

GOLDEN = json.loads((Path(__file__).parents[2] / "thalweg-optim" / "goldens" / "torch.json").read_text("utf-8"))
PROBLEMS = {problem["name"]: problem for problem in GOLDEN["problems"]}
ROWS = thalweg._thalweg.optimizers()
CLASSES = [optim._CLASSES[row["name"]] for row in ROWS]


def quadratic(p, w):
    a, b = np.array(p["a"]), np.array(p["b"])
    return 0.5 * w @ a @ w - b @ w, a @ w - b


def logistic(p, w):
    x, y = np.array(p["x"]), np.array(p["y"])
    margin = y * (x @ w)
    value = np.log1p(np.exp(-margin)).sum() + 0.5 * p["ridge"] * w @ w
    return value, x.T @ (-y / (1.0 + np.exp(margin))) + p["ridge"] * w


def cauchy(p, w):
    x, y = np.array(p["x"]), np.array(p["y"])
    r = x @ w - y
    return np.log1p(r * r).sum(), x.T @ (2.0 * r / (1.0 + r * r))


OBJECTIVES = {"quadratic": quadratic, "logistic": logistic, "cauchy": cauchy}


def golden_runs():
    assert len(GOLDEN["runs"]) >= 60
    # Methods that see shapes walk over problems of blocks, and a search asks where it likes: Rust's tests follow those.
    runs = [run for run in GOLDEN["runs"] if run["problem"] in OBJECTIVES and run["optimizer"] != "lbfgs"]
    assert len(runs) >= 100
    for run in runs:
        hyper = dict(run["hyperparameters"])
        yield pytest.param(run, hyper.pop("learning_rate"), hyper, id=f"{run['optimizer']}-{run['problem']}-{hyper}")


@pytest.mark.parametrize("way", ["step", "step_with", "two arrays"])
@pytest.mark.parametrize("run, lr, hyper", list(golden_runs()))
def test_paths_are_those_of_torch(run, lr, hyper, way):
    problem, objective = PROBLEMS[run["problem"]], OBJECTIVES[run["problem"]]
    w = np.array(problem["w0"])
    parts = [w[:2], w[2:]] if way == "two arrays" else w
    opt = optim.make(run["optimizer"], parts, lr, **hyper)
    for step in range(1, 101):
        if way == "step":
            opt.step(objective(problem, w)[1])
        elif way == "two arrays":
            grad = objective(problem, w)[1]
            opt.step([grad[:2], grad[2:]])
        else:
            value = opt.step_with(lambda point: objective(problem, point))
            assert math.isfinite(value)
        if str(step) in run["w"]:
            np.testing.assert_allclose(w, run["w"][str(step)], rtol=1e-10, atol=1e-12)
    assert opt.steps == 100


def test_float32_follows_float64():
    for kind in CLASSES:
        w64, w32 = np.linspace(-1, 1, 33), np.linspace(-1, 1, 33, dtype=np.float32)
        a, b = kind(w64, lr=0.01), kind(w32, lr=0.01)
        for _ in range(20):
            a.step_with(lambda w: (float(w @ w), 2 * w))
            b.step_with(lambda w: (float(w @ w), 2 * w))
        np.testing.assert_allclose(w32, w64, rtol=2e-5, atol=1e-6, err_msg=kind.__name__)


def test_there_is_a_class_per_row_of_the_registry():
    names = ["SGD", "Momentum", "NAG", "Adagrad", "Adadelta", "RMSprop", "Adam"]
    assert set(names) <= {kind.__name__ for kind in CLASSES} <= set(optim.__all__)
    adam = inspect.signature(optim.Adam).parameters
    assert list(adam) == ["params", "lr", "beta1", "beta2", "epsilon", *optim._KEYWORDS]
    assert adam["lr"].default == 1e-3
    assert "Kingma" in optim.Adam.__doc__


def test_steps_are_made_in_place_also_in_matrices_and_views():
    base = np.ones((4, 3))
    w, b = base[1:3], np.array(0.5)
    opt = optim.SGD([w, b], lr=0.5)
    opt.step([np.full((2, 3), 0.2), np.array(1.0)])
    np.testing.assert_array_equal(base, [[1] * 3, [0.9] * 3, [0.9] * 3, [1] * 3])
    assert b == 0.0
    opt.lr = 0.0
    opt.step([np.ones((2, 3)), np.array(1.0)])
    assert base[1, 0] == 0.9 and opt.lr == 0.0 and opt.steps == 2


def test_an_empty_array_is_no_trouble():
    w = np.zeros((0, 3))
    opt = optim.Adam(w)
    opt.step(w.copy())
    assert opt.step_with(lambda point: (0.0, point)) == 0.0
    opt.load_state_dict(opt.state_dict())
    assert opt.steps == 2


def test_the_look_ahead_form_asks_ahead_of_all_arrays_at_once():
    """Textbook NAG by its formula: a ← βa + ∇L(W − ηβa); W ← W − ηa, on arrays that depend on each other."""
    p, lr, beta = PROBLEMS["logistic"], 0.05, 0.9
    w = np.array(p["w0"])
    expected, velocity = w.copy(), np.zeros_like(w)
    opt = optim.NAG([w[:3], w[3:]], lr, dialect="textbook")
    asked = []

    def f(parts):
        point = np.concatenate(parts)
        asked.append(point)
        value, grad = logistic(p, point)
        return value, [grad[:3], grad[3:]]

    for _ in range(50):
        ahead = expected - lr * beta * velocity
        velocity = beta * velocity + logistic(p, ahead)[1]
        expected = expected - lr * velocity
        value = opt.step_with(f)
        np.testing.assert_allclose(asked[-1], ahead, rtol=1e-12)
        assert value == pytest.approx(logistic(p, ahead)[0])
        np.testing.assert_allclose(w, expected, rtol=1e-12)
    with pytest.raises(ValueError, match="look-ahead"):
        opt.step([w[:3].copy(), w[3:].copy()])
    np.testing.assert_allclose(w, expected, rtol=1e-12)


def advance(opt, grads):
    """A step with gradients, or with an objective where that is what the method wants."""
    try:
        opt.step(grads)
    except ValueError as error:
        assert "objective" in str(error)
        opt.step_with(lambda parts: (sum(float((p * p).sum()) for p in parts), [2 * p for p in parts]))


@pytest.mark.parametrize("kind", CLASSES)
def test_a_loaded_state_goes_on_with_the_same_bits(kind):
    draw = np.random.default_rng(7)
    grads = [[draw.normal(size=(3, 2)), draw.normal(size=4)] for _ in range(12)]
    a = [np.ones((3, 2)), np.zeros(4)]
    one = kind(a, 0.03)
    for grad in grads[:6]:
        advance(one, grad)
    saved, b = one.state_dict(), [array.copy() for array in a]
    for grad in grads[6:]:
        advance(one, grad)
    two = kind(b, 0.5)
    two.load_state_dict(saved)
    assert two.lr == 0.03 and two.steps == 6 and two.hyper == one.hyper
    for grad in grads[6:]:
        advance(two, grad)
    assert all(np.array_equal(x, y) for x, y in zip(a, b))


def test_a_state_that_does_not_fit_changes_nothing():
    w = np.ones(3)
    opt = optim.Adam(w, beta1=0.8)
    opt.step(np.ones(3))
    before = json.dumps(opt.state_dict(), default=np.ndarray.tolist)

    def broken(**changes):
        return {**opt.state_dict(), **changes}

    ones, state = np.ones(3), opt.state_dict()["state"]
    for state, error, match in [
        ({}, KeyError, "optimizer"),
        (optim.SGD(w).state_dict(), ValueError, "it is of sgd in the dialect torch, expected adam in the dialect torch"),
        (optim.Adam(w, dialect="keras").state_dict(), ValueError, "in the dialect keras, expected adam in the dialect torch"),
        (broken(dialect="jax"), ValueError, "there is no dialect «jax»"),
        (broken(lr=float("nan")), ValueError, "learning_rate"),
        (broken(hyper={"beta1": 2.0}), ValueError, r"beta1 = 2 is out of range"),
        (broken(state=[]), TypeError, "must be a dict"),
        (broken(state={}), ValueError, "gradient_average/0» is missing"),
        (broken(state={**state, "square_average/0": np.ones(2)}), ValueError, r"has the shape \[2\], expected \[3\]"),
        (broken(state={**state, "square_average/0": np.float32(ones)}), ValueError, "has the type F32, expected F64"),
        (broken(state={**state, "steps": "six"}), TypeError, "«steps» of the state is not an array"),
        (broken(state={**state, "x/0": ones}), ValueError, "«x/0» is not part of it"),
    ]:
        with pytest.raises(error, match=match):
            opt.load_state_dict(state)
        assert json.dumps(opt.state_dict(), default=np.ndarray.tolist) == before


def read_only():
    w = np.ones(3)
    w.flags.writeable = False
    return w


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: optim.Adam([]), ValueError, "nothing to optimize"),
        (lambda: optim.Adam(3.0), TypeError, "NumPy array"),
        (lambda: optim.Adam([[1.0, 2.0]]), TypeError, "parameter 0 must be a NumPy array or a PyTorch tensor, not list"),
        (lambda: optim.Adam(np.arange(3)), TypeError, "dtype int64, expected float64"),
        (lambda: optim.Adam(np.ones(3, dtype=">f8")), TypeError, "dtype >f8"),
        (lambda: optim.Adam([np.ones(3), np.ones(3, np.float32)]), TypeError, "parameter 1 has dtype float32"),
        (lambda: optim.Adam(np.ones(6)[::2]), ValueError, "not contiguous"),
        (lambda: optim.Adam(np.ones((2, 3)).T), ValueError, "not contiguous"),
        (lambda: optim.Adam(read_only()), ValueError, "read-only"),
        (lambda: optim.Adam(np.ones(3), beta3=0.1), ValueError, "no hyperparameter «beta3»; did you mean"),
        (lambda: optim.Adam(np.ones(3), betas=0.9), ValueError, "betas = 0.9 must be 2 numbers"),
        (lambda: optim.Adam(np.ones(3), betas=(0.9, 1.0)), ValueError, "beta2 = 1 is out of range"),
        (lambda: optim.Adam(np.ones(3), eps="small"), TypeError, "eps = small must be a number"),
        (lambda: optim.Adam(np.ones(3), eps=1e-8, epsilon=1e-8), ValueError, "epsilon and PyTorch's name of it say the same"),
        (lambda: optim.Adam(np.ones(3), weight_decay=0.1), ValueError, 'wrap="weight-decay=0.1" adds it to the gradient'),
        (lambda: optim.SGD(np.ones(3), momentum=0.9), ValueError, "sgd has no momentum: make a «momentum» with momentum=0.9, or a «nag»"),
        (lambda: optim.RMSprop(np.ones(3), momentum=0.9), ValueError, "make a «rmsprop-momentum» with momentum=0.9"),
        (lambda: optim.Momentum(np.ones(3), nesterov=True), ValueError, "make a «nag», which is the rule with it"),
        (lambda: optim.Adam(np.ones(3), amsgrad=True), ValueError, "make a «amsgrad»"),
        (lambda: optim.Adam(np.ones(3), maximize=True), ValueError, "give the negative of what is to be maximized"),
        (lambda: optim.Adam([{"params": np.ones(3), "weight_decay": 0.1}]), ValueError, "group 0: adam has no weight_decay"),
        (lambda: optim.Adam(np.ones(3), beta1=1.0), ValueError, r"beta1 = 1 is out of range: it must lie in \[0, 1\)"),
        (lambda: optim.Adam(np.ones(3), epsilon=float("nan")), ValueError, "epsilon = NaN is out of range"),
        (lambda: optim.Adam(np.ones(3), float("nan")), ValueError, "learning_rate = NaN is out of range"),
        (lambda: optim.Adam(np.ones(3), -1e-3), ValueError, "learning_rate = -0.001 is out of range"),
        (lambda: optim.Adam(np.ones(3), dialect="jax"), ValueError, "there are: torch, keras, optax, textbook"),
        (lambda: optim.make("adm", np.ones(3)), ValueError, "did you mean «adam»"),
    ],
)
def test_what_cannot_be_built_is_refused(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize(
    "grads, error, match",
    [
        (np.ones((2, 3)), ValueError, "1 gradients for 2 parameters"),
        ([np.ones((2, 3))], ValueError, "1 gradients for 2 parameters"),
        ([np.ones((2, 3)), None], TypeError, "gradient 1 must be a NumPy array or a PyTorch tensor, not NoneType"),
        ([np.ones((3, 2)), np.ones(4)], ValueError, r"gradient 0 has shape \(3, 2\), expected \(2, 3\)"),
        ([np.ones((3, 2)).T, np.ones(4)], ValueError, "gradient 0 is not contiguous"),
        ([np.ones((2, 3)), np.ones(4, np.float32)], TypeError, "gradient 1 has dtype float32, expected float64"),
        ([np.ones((2, 3)), np.ones(8)[::2]], ValueError, "gradient 1 is not contiguous"),
    ],
)
def test_gradients_that_do_not_fit_change_nothing(grads, error, match):
    params = [np.ones((2, 3)), np.ones(4)]
    opt = optim.Momentum(params)
    with pytest.raises(error, match=match):
        opt.step(grads)
    assert opt.steps == 0 and all((param == 1).all() for param in params)


def test_shared_memory_is_refused():
    w = np.ones(4)
    with pytest.raises(ValueError, match="gradient 0 shares memory with a parameter"):
        optim.SGD(w).step(w)
    with pytest.raises(ValueError, match="parameter 1 shares memory with another parameter"):
        optim.SGD([w, w[1:]])


def test_what_became_of_an_array_is_seen():
    w = np.ones(4)
    opt = optim.SGD(w)
    w.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        opt.step(np.ones(4))
    w.flags.writeable = True
    w.resize(8, refcheck=False)
    with pytest.raises(ValueError, match="resized to 8"):
        opt.step(np.ones(8))


def test_a_learning_rate_is_checked_when_it_is_set():
    opt = optim.RMSprop(np.ones(2), 0.1)
    for bad in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="learning_rate"):
            opt.lr = bad
    assert opt.lr == 0.1
    assert repr(opt) == "RMSprop(<1 float64 array, 2 numbers>, lr=0.1, alpha=0.99, epsilon=1e-8, dialect='torch')"


@pytest.mark.parametrize("kind", CLASSES)
def test_an_objective_that_fails_changes_nothing(kind):
    w = np.ones(3)
    opt = kind(w, 0.1)

    def raises(point):
        point[:] = 7  # a copy
        raise LookupError("no data")

    answers = [lambda w: 3.0, lambda w: (0.0, np.ones(2)), lambda w: (0.0, None), lambda w: (w, w)]
    for f, error in [(raises, LookupError), *((answer, (TypeError, ValueError)) for answer in answers)]:
        with pytest.raises(error):
            opt.step_with(f)
        assert opt.steps == 0 and (w == 1).all()

    def steps_itself(point):
        opt.step(point)

    with pytest.raises(RuntimeError, match="step was called within a step of the same optimizer"):
        opt.step_with(steps_itself)
    assert opt.steps == 0 and (w == 1).all()


def test_other_threads_read_during_a_step_and_wait_for_their_own():
    w = np.ones(3)
    opt = optim.SGD(w, 0.5)
    inside, read = threading.Event(), threading.Event()
    found = []

    def other():
        inside.wait(10)
        found.append((opt.steps, opt.lr, repr(opt)[:3]))
        read.set()
        opt.step(np.ones(3))

    def objective(point):
        inside.set()
        assert read.wait(10)
        return 0.0, np.ones(3)

    thread = threading.Thread(target=other)
    thread.start()
    opt.step_with(objective)
    thread.join(10)
    assert found == [(0, 0.5, "SGD")] and opt.steps == 2 and (w == 0).all()


def test_the_types_are_those_of_the_classes():
    assert stubs.FILE.read_text("utf-8") == stubs.write(), "run tests/stubs.py"
    for name in vars(optim.Optimizer):
        if not name.startswith("_"):
            said = f"    def {name}(" in stubs.HEAD or f"    {name}: " in stubs.HEAD
            assert said, f"stubs.py does not know Optimizer.{name}"
